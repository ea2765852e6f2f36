"""State machines: JSONata, calls made as the role, callbacks, clock, idempotent starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

STATES = "states.amazonaws.com"
ALLOW_ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ANSWER = "def handler(event, context):\n    return event\n"
FAIL = "class CustomError(Exception):\n    pass\ndef handler(event, context):\n    raise CustomError('no')\n"


def task(resource: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True, **more}


def then(state: dict[str, Any], following: str) -> dict[str, Any]:
    return {**{key: value for key, value in state.items() if key != "End"}, "Next": following}


def between(history: list[dict[str, Any]], first: str, then: str) -> float:
    """Seconds from the first event of one type to the next of another."""
    began = next(each for each in history if each["type"] == first)
    ended = next(each for each in history if each["type"] == then and each["id"] > began["id"])
    return float((ended["timestamp"] - began["timestamp"]).total_seconds())


def one(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": state}}


def test_jsonata_map_retry_catch_assign_wait_parallel_and_fail(bench: Any) -> None:
    echo, broken = bench.function(ANSWER), bench.function(FAIL)
    definition = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "Items": "{% $states.input.numbers %}",
                "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"},
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Ask",
                    "States": {
                        "Ask": task(
                            "lambda:invoke",
                            {"FunctionName": echo, "Payload": "{% $states.input %}"},
                            Output="{% $states.result.Payload.n * 2 %}",
                        )
                    },
                },
                "Assign": {"doubled": "{% $sum($states.result) %}"},
                "Next": "Both",
            },
            "Both": {
                "Type": "Parallel",
                "Arguments": {"left": 1},
                "Branches": [
                    {"StartAt": "L", "States": {"L": {"Type": "Pass", "Output": "{% $states.input.left %}", "End": True}}},
                    {"StartAt": "R", "States": {"R": {"Type": "Succeed", "Output": "{% $doubled %}"}}},
                ],
                "Output": {"both": "{% $states.result %}"},
                "Next": "Pause",
            },
            "Pause": {"Type": "Wait", "Seconds": "{% 6 * 5 %}", "Output": "{% $states.input %}", "Next": "Break"},
            "Break": {
                **then(task("lambda:invoke", {"FunctionName": broken, "Payload": {}}, TimeoutSeconds="{% 10 + 10 %}"), "End"),
                "Retry": [{"ErrorEquals": ["CustomError"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2}],
                "Catch": [
                    {
                        "ErrorEquals": ["CustomError"],
                        "Assign": {"error": "{% $states.errorOutput.Error %}"},
                        "Output": {"both": "{% $states.input.both %}", "cause": "{% $parse($states.errorOutput.Cause).errorMessage %}"},
                        "Next": "End",
                    }
                ],
            },
            "End": {"Type": "Fail", "Error": "{% 'Because' & $error %}", "Cause": "{% $string($states.input) %}"},
        },
    }
    found = bench.run(definition, bench.role(STATES, ALLOW_ANY), {"numbers": [1, 2, 3]})
    assert found["status"] == "FAILED"
    assert found["error"] == "BecauseCustomError"
    assert json.loads(found["cause"]) == {"both": [1, 12], "cause": "no"}
    history = bench.client("stepfunctions").get_execution_history(executionArn=found["executionArn"], maxResults=1000)["events"]
    assert sum(each["type"] == "TaskFailed" for each in history) == 3
    assert 0.49 <= between(history, "WaitStateEntered", "WaitStateExited") < 30, "half a minute of the clock"


def test_a_call_needs_the_roles_permission(bench: Any) -> None:
    function = bench.function(ANSWER)
    call = one(task("lambda:invoke", {"FunctionName": function, "Payload": {}}))
    refused = bench.run(call, bench.role(STATES))
    assert (refused["status"], refused["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "lambda:InvokeFunction" in refused["cause"]
    allowed = bench.run(call, bench.role(STATES, {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function}))
    assert allowed["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("resource", "arguments", "action", "error"),
    [
        ("events:putEvents", {"Entries": [{"Source": "rft", "DetailType": "x", "Detail": {"a": 1}}]}, "events:PutEvents", "EventBridge."),
        ("sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:000000000000:sdk-test", "Message": "m"}, "sns:Publish", "SNS."),
        ("aws-sdk:ssm:putParameter", {"Name": "/sdk/test", "Value": "1", "Type": "String", "Overwrite": True}, "ssm:PutParameter", "Ssm."),
        ("aws-sdk:bedrock:listModelCustomizationJobs", {}, "bedrock:ListModelCustomizationJobs", "Bedrock."),
    ],
)
def test_every_integration_is_made_as_the_role(bench: Any, resource: str, arguments: Any, action: str, error: str) -> None:
    bench.client("sns").create_topic(Name="sdk-test")
    refused = bench.run(one(task(resource, arguments)), bench.role(STATES))
    assert refused["status"] == "FAILED"
    assert refused["error"].startswith(error)
    allowed = bench.run(one(task(resource, arguments)), bench.role(STATES, {"Effect": "Allow", "Action": action, "Resource": "*"}))
    assert allowed["status"] == "SUCCEEDED", allowed


def test_an_object_is_written_with_a_json_body_and_read_back_in_pascal_case(bench: Any) -> None:
    bucket = bench.name("bucket")
    bench.client("s3").create_bucket(Bucket=bucket)
    definition = {
        "StartAt": "Put",
        "States": {
            "Put": then(task("aws-sdk:s3:putObject", {"Bucket": bucket, "Key": "a.json", "Body": {"n": 1}}), "Get"),
            "Get": task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "a.json"}, Output="{% $parse($states.result.Body) %}"),
        },
    }
    found = bench.run(definition, bench.role(STATES, ALLOW_ANY))
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"n": 1})


def test_a_modelled_error_keeps_its_name_and_any_other_has_the_services(bench: Any) -> None:
    role = bench.role(STATES, ALLOW_ANY)
    bucket = bench.name("bucket")
    bench.client("s3").create_bucket(Bucket=bucket)
    missing = bench.run(one(task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "none"})), role)
    assert missing["error"] == "S3.NoSuchKeyException"
    refused = bench.run(one(task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "none"})), bench.role(STATES))
    assert refused["error"] == "S3.S3Exception"
    wrong = bench.run(one(task("aws-sdk:s3:getObject", {"Bucket": bucket, "Keys": "none"})), role)
    assert wrong["error"] == "States.Runtime"
    assert "'Keys'" in wrong["cause"]


def test_a_role_that_does_not_trust_step_functions_is_not_used(bench: Any) -> None:
    found = bench.run(one(task("aws-sdk:ssm:describeParameters", {})), bench.role("lambda.amazonaws.com", ALLOW_ANY))
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert "trust policy" in found["cause"]


@pytest.mark.parametrize(("account", "status"), [("000000000000", "SUCCEEDED"), ("111111111111", "FAILED")])
def test_the_trust_policys_source_conditions_count(bench: Any, account: str, status: str) -> None:
    role = bench.role(STATES, ALLOW_ANY, condition={"StringEquals": {"aws:SourceAccount": account}})
    assert bench.run(one(task("aws-sdk:ssm:describeParameters", {})), role)["status"] == status


def test_a_function_that_fails_while_starting_a_callback_fails_the_task(bench: Any) -> None:
    function = bench.function(FAIL)
    state = task(
        "lambda:invoke.waitForTaskToken",
        {"FunctionName": function, "Payload": {"token": "{% $states.context.Task.Token %}"}},
        TimeoutSeconds=86400,
    )
    found = bench.run(one(state), bench.role(STATES, ALLOW_ANY))
    assert (found["status"], found["error"]) == ("FAILED", "CustomError")


@pytest.mark.parametrize("timeout", [30, "{% 15 * 2 %}"])
def test_a_callbacks_timeout_runs_on_the_clouds_clock(bench: Any, timeout: Any) -> None:
    state = task("lambda:invoke.waitForTaskToken", {"FunctionName": bench.function(ANSWER), "Payload": {}}, TimeoutSeconds=timeout)
    found = bench.run(one(state), bench.role(STATES, ALLOW_ANY))
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    history = bench.client("stepfunctions").get_execution_history(executionArn=found["executionArn"], maxResults=1000)["events"]
    assert 0.49 <= between(history, "TaskScheduled", "TaskFailed") < 30, "half a minute of the clock"


def test_a_token_sent_back_ends_the_wait(bench: Any) -> None:
    function = bench.function(
        """
        import boto3
        def handler(event, context):
            boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='{"approved": true}')
        """,
        {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": "*"},
    )
    state = task("lambda:invoke.waitForTaskToken", {"FunctionName": function, "Payload": {"token": "{% $states.context.Task.Token %}"}})
    found = bench.run(one(state), bench.role(STATES, ALLOW_ANY))
    assert json.loads(found["output"]) == {"approved": True}


def test_a_token_is_answered_only_by_who_may_answer_for_its_state_machine(bench: Any, waiting: Callable[..., Any]) -> None:
    url, queue = bench.queue()
    states = bench.client("stepfunctions")
    state = task("aws-sdk:sqs:sendMessage.waitForTaskToken", {"QueueUrl": url, "MessageBody": "{% $states.context.Task.Token %}"})
    role = bench.role(STATES, {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue})
    definition = json.dumps({"QueryLanguage": "JSONata", **one(state)})
    machine = states.create_state_machine(name=bench.name("sm"), roleArn=role, definition=definition)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    token = bench.received(url)["Body"]
    code = """
        import boto3
        def handler(event, context):
            boto3.client("stepfunctions").send_task_success(taskToken=event, output="1")
    """
    other = bench.function(code, {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": machine + "-other"})
    assert "AccessDenied" in bench.invoke(other, token)[0]["errorMessage"]
    allowed = bench.function(code, {"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": machine})
    assert bench.invoke(allowed, token) == (None, False)
    waiting(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    assert bench.invoke(allowed, token)[0]["errorType"] == "TaskTimedOut"
    with pytest.raises(ClientError, match="InvalidToken"):
        states.send_task_success(taskToken="made-up", output="1")


def test_starting_again_under_the_same_name(bench: Any, waiting: Callable[..., Any]) -> None:
    states, (url, _) = bench.client("stepfunctions"), bench.queue()
    state = task("aws-sdk:sqs:sendMessage.waitForTaskToken", {"QueueUrl": url, "MessageBody": "{% $states.context.Task.Token %}"})
    definition = json.dumps({"QueryLanguage": "JSONata", **one(state)})
    machine = states.create_state_machine(name=bench.name("sm"), roleArn=bench.role(STATES, ALLOW_ANY), definition=definition)[
        "stateMachineArn"
    ]
    first = states.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')
    again = states.start_execution(stateMachineArn=machine, name="one", input='{ "a": 1 }')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="one", input='{"a": 2}')
    states.send_task_success(taskToken=bench.received(url)["Body"], output="1")
    waiting(lambda: states.describe_execution(executionArn=first["executionArn"])["status"] == "SUCCEEDED")
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')


LATE = """
    import time, boto3
    def handler(event, context):
        while not boto3.client("ssm").get_parameters(Names=[context.function_name])["Parameters"]:
            time.sleep(0.2)
        raise ValueError("late")
"""


def test_a_stopped_execution_stays_aborted(bench: Any, waiting: Callable[..., Any]) -> None:
    states = bench.client("stepfunctions")
    slow = bench.function(LATE, ALLOW_ANY)
    definition = {"QueryLanguage": "JSONata", **one(task("lambda:invoke", {"FunctionName": slow, "Payload": {}}))}
    role = bench.role(STATES, ALLOW_ANY)
    machine = states.create_state_machine(name=bench.name("sm"), roleArn=role, definition=json.dumps(definition))["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def happened(kind: str) -> bool:
        return any(each["type"] == kind for each in states.get_execution_history(executionArn=execution)["events"])

    waiting(lambda: happened("TaskScheduled"))
    states.stop_execution(executionArn=execution)
    bench.client("ssm").put_parameter(Name=slow.rsplit(":", 1)[1], Value="go on", Type="String")
    waiting(lambda: happened("TaskFailed"))
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
