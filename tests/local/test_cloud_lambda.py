"""Functions in the local cloud: AWS's runtime client, isolation, limits, asynchronous retries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config


def test_an_error_has_the_exceptions_own_type_and_its_trace(bench: Any) -> None:
    function = bench.function(
        "class OutOfRange(ValueError):\n    pass\ndef handler(event, context):\n    raise OutOfRange('3 is above 2')\n"
    )
    answer, failed = bench.invoke(function, {})
    assert failed
    assert (answer["errorType"], answer["errorMessage"]) == ("OutOfRange", "3 is above 2")
    assert "index.py" in answer["stackTrace"][0]


def test_a_function_sees_its_code_its_layers_and_awss_runtime_only(bench: Any, zipping: Callable[..., bytes]) -> None:
    layer = bench.client("lambda").publish_layer_version(
        LayerName=bench.name("layer"),
        Content={"ZipFile": zipping({"python/helper.py": "VALUE = 42\n"})},
        CompatibleArchitectures=["arm64"],
    )["LayerVersionArn"]
    function = bench.function(
        """
        import importlib.util, os, sys
        import boto3, helper
        def handler(event, context):
            found = {name: importlib.util.find_spec(name) is not None for name in ("aws_cdk", "ministack", "pytest", "contracts", "local")}
            return {"helper": helper.VALUE, "found": found, "env": dict(os.environ), "name": context.function_name,
                    "left": context.get_remaining_time_in_millis(), "arn": context.invoked_function_arn}
        """,
        Layers=[layer],
        Architectures=["arm64"],
        Environment={"Variables": {"MINE": "yes"}},
    )
    answer, failed = bench.invoke(function, {})
    assert not failed, answer
    assert answer["helper"] == 42
    assert not any(answer["found"].values())
    assert answer["env"]["MINE"] == "yes"
    assert answer["env"]["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert bench.endpoint.secret not in json.dumps(answer)
    assert answer["arn"] == function
    assert 0 < answer["left"] <= 60_000


def test_a_function_acts_as_its_own_role(bench: Any) -> None:
    code = """
        import boto3
        def handler(event, context):
            return boto3.client("ssm").get_parameter(Name=event["name"])["Parameter"]["Value"]
    """
    bench.client("ssm").put_parameter(Name="/lambda/test", Value="seen", Type="String", Overwrite=True)
    resource = "arn:aws:ssm:us-east-1:000000000000:parameter/lambda/test"
    allowed = bench.function(code, {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": resource})
    assert bench.invoke(allowed, {"name": "/lambda/test"}) == ("seen", False)
    answer, failed = bench.invoke(bench.function(code), {"name": "/lambda/test"})
    assert failed
    assert "ssm:GetParameter" in answer["errorMessage"]


def test_memory_is_limited(bench: Any) -> None:
    code = "def handler(event, context):\n    return len(bytearray(event['mb'] * 1024 * 1024))\n"
    function = bench.function(code, MemorySize=128)
    assert bench.invoke(function, {"mb": 50})[1] is False
    assert bench.invoke(function, {"mb": 600})[1] is True


def test_a_function_that_takes_too_long_is_ended(bench: Any) -> None:
    function = bench.function("import time\ndef handler(event, context):\n    time.sleep(30)\n", Timeout=1)
    answer, failed = bench.invoke(function, {})
    assert failed
    assert "timed out after 1.00 seconds" in answer["errorMessage"]


def test_log_lines_reach_the_log_group(bench: Any, waiting: Callable[..., Any]) -> None:
    function = bench.function(
        "import logging\nlogging.getLogger().setLevel('INFO')\ndef handler(event, context):\n    logging.info('seen %s', 7)\n"
    )
    bench.invoke(function, {})
    group = "/aws/lambda/" + function.rsplit(":", 1)[1]
    lines = waiting(lambda: [e["message"] for e in bench.client("logs").filter_log_events(logGroupName=group)["events"]])
    assert any(line.startswith("[INFO]") and line.rstrip().endswith("seen 7") for line in lines)
    assert any(line.startswith("REPORT RequestId:") for line in lines)


def test_a_version_keeps_its_code_when_the_function_changes(bench: Any, zipping: Callable[..., bytes]) -> None:
    functions = bench.client("lambda")
    name = bench.function("def handler(event, context):\n    return 'old'\n").rsplit(":", 1)[1]
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    functions.update_function_code(FunctionName=name, ZipFile=zipping({"index.py": "def handler(event, context):\n    return 'new'\n"}))
    assert bench.invoke(f"{name}:live", {})[0] == "old"
    assert bench.invoke(name, {})[0] == "new"


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2)])
def test_an_event_that_keeps_failing_goes_to_the_dead_letter_queue(
    bench: Any, waiting: Callable[..., Any], retries: int, attempts: int
) -> None:
    url, queue = bench.queue()
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    function = bench.function("def handler(event, context):\n    raise ValueError('no')\n", send, DeadLetterConfig={"TargetArn": queue})
    functions = bench.client("lambda")
    functions.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=retries)
    functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps({"id": 5}))
    message = bench.received(url)
    assert json.loads(message["Body"]) == {"id": 5}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "200"
    group = "/aws/lambda/" + function.rsplit(":", 1)[1]
    starts = bench.client("logs").filter_log_events(logGroupName=group, filterPattern="START")["events"]
    assert len(starts) == attempts


def test_a_failure_destination_gets_the_whole_record(bench: Any) -> None:
    url, queue = bench.queue()
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    function = bench.function("def handler(event, context):\n    raise ValueError('no')\n", send)
    bench.client("lambda").put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    bench.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"id": 6}')
    record = json.loads(bench.received(url)["Body"])
    assert record["requestPayload"] == {"id": 6}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorType"] == "ValueError"


RELEASED = """
    import time, boto3
    def handler(event, context):
        while not boto3.client("ssm").get_parameters(Names=[context.function_name])["Parameters"]:
            time.sleep(0.2)
"""
"""Goes on until there is a parameter of its name."""

MAY_LOOK = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}


def release(bench: Any, function: str) -> None:
    bench.client("ssm").put_parameter(Name=function.rsplit(":", 1)[1], Value="go on", Type="String")


def counted(bench: Any, function: str, metric: str, statistic: str = "Sum") -> float:
    """A metric of the function over the last hour."""
    now = datetime.now(UTC)
    found = bench.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": function.rsplit(":", 1)[1]}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=5),
        Period=86_400,
        Statistics=[statistic],
    )["Datapoints"]
    values = [float(point[statistic]) for point in found]
    return max(values, default=0.0) if statistic == "Maximum" else sum(values)


def test_calls_above_the_reserved_concurrency_are_refused_and_counted_once(bench: Any, waiting: Callable[..., Any]) -> None:
    function = bench.function(RELEASED, MAY_LOOK, Timeout=120)
    functions = bench.client("lambda")
    version = functions.publish_version(FunctionName=function)["FunctionArn"]
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=2)
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    caller = bench.endpoint.session().client("lambda", endpoint_url=bench.endpoint.url, config=once)

    def call(number: int) -> str:
        try:
            # The limit is the function's, whatever it is called by.
            caller.invoke(FunctionName=version if number % 2 else function, Payload=b"{}")
        except caller.exceptions.TooManyRequestsException as refusal:
            return str(refusal.response["Reason"])
        return "ran"

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(call, number) for number in range(2)]
        waiting(lambda: counted(bench, function, "ConcurrentExecutions", "Maximum") == 2)
        refused = [call(number) for number in range(2, 6)]
        release(bench, function)
        outcomes = Counter([*(each.result() for each in running), *refused])
    assert outcomes == {"ran": 2, "ReservedFunctionConcurrentInvocationLimitExceeded": 4}
    assert [counted(bench, function, metric) for metric in ("Invocations", "Errors", "Throttles")] == [2, 0, 4]
    assert counted(bench, function, "ConcurrentExecutions", "Maximum") == 2


def test_throttled_events_wait_and_every_one_runs_once(bench: Any, waiting: Callable[..., Any]) -> None:
    function = bench.function(RELEASED, MAY_LOOK, Timeout=120)
    functions = bench.client("lambda")
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    for number in range(5):
        functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps({"number": number}))
    waiting(lambda: counted(bench, function, "Throttles") >= 1)
    release(bench, function)
    waiting(lambda: counted(bench, function, "Invocations") == 5)
    assert counted(bench, function, "Errors") == 0
