"""Given a fault of calls, then the service answers with it, to whom and as often as asked, and every SDK knows the error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ResponseStreamingError

from local import cloud
from local.bedrock import faults_client
from tests.local.conftest import Bench, allow

pytestmark = pytest.mark.cloud

WRITES = """
    import os

    import boto3

    def handler(event, context):
        client = boto3.client(event["service"], config=boto3.session.Config(retries={"mode": "standard", "total_max_attempts": 1}))
        getattr(client, event["method"])(**event["arguments"])
        return {"pid": os.getpid()}
"""


@pytest.fixture(autouse=True)
def clear(bench: Bench) -> Iterator[None]:
    yield
    faults_client.clear(bench.endpoint)


def once(endpoint: cloud.Endpoint, service: Any) -> Any:
    """A client that tries every call once."""
    single = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return endpoint.session().client(service, endpoint_url=endpoint.url, config=single)


class Row(NamedTuple):
    """A call, the operation as a fault names it, and the codes of its errors."""

    service: str
    method: str
    operation: str
    arguments: dict[str, Any]
    throttled: str
    failed: str


TOPIC = "arn:aws:sns:us-east-1:000000000000:t"
EVENT = {"Source": "s", "DetailType": "d", "Detail": "{}"}
ROWS = (
    Row("s3", "list_buckets", "s3:ListAllMyBuckets", {}, "SlowDown", "InternalError"),
    Row("sns", "publish", "sns:Publish", {"TopicArn": TOPIC, "Message": "m"}, "Throttled", "InternalError"),
    Row("ssm", "get_parameter", "ssm:GetParameter", {"Name": "p"}, "ThrottlingException", "InternalServerError"),
    Row("kms", "list_keys", "kms:ListKeys", {}, "ThrottlingException", "KMSInternalException"),
    Row("lambda", "invoke", "lambda:InvokeFunction", {"FunctionName": "f"}, "TooManyRequestsException", "ServiceException"),
    Row("events", "put_events", "events:PutEvents", {"Entries": [EVENT]}, "ThrottlingException", "InternalException"),
    Row("stepfunctions", "list_state_machines", "states:ListStateMachines", {}, "ThrottlingException", "InternalFailure"),
    Row("cloudwatch", "list_metrics", "cloudwatch:ListMetrics", {}, "ThrottlingException", "InternalFailure"),
    Row("bedrock", "list_custom_models", "ListCustomModels", {}, "ThrottlingException", "InternalServerException"),
)


@pytest.mark.parametrize("row", ROWS, ids=[row.service for row in ROWS])
def test_each_service_fails_in_its_own_words(bench: Bench, row: Row) -> None:
    call = getattr(once(bench.endpoint, row.service), row.method)
    for fault, code in (("throttle", row.throttled), ("server_error", row.failed), ("access_denied", "Denied|AuthorizationError")):
        faults_client.set_fault(bench.endpoint, fault, operation=row.operation, count=1)
        with pytest.raises(ClientError, match=code):
            call(**row.arguments)
    faults_client.set_fault(bench.endpoint, "lost_answer", operation=row.operation)
    with pytest.raises((ConnectionClosedError, ResponseStreamingError)):
        call(**row.arguments)["Payload"].read()
    met = faults_client.faults(bench.endpoint)["met"]
    assert [entry["name"] for entry in met] == ["throttle", "server_error", "access_denied", "lost_answer"]


def test_a_call_whose_answer_is_lost_was_carried_out(bench: Bench) -> None:
    s3 = once(bench.endpoint, "s3")
    s3.create_bucket(Bucket="lost")
    faults_client.set_fault(bench.endpoint, "lost_answer", operation="s3:PutObject")
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket="lost", Key="k", Body=b"kept")
    assert s3.get_object(Bucket="lost", Key="k")["Body"].read() == b"kept"


@pytest.fixture(scope="module")
def writer(bare_cloud: cloud.Endpoint) -> str:
    return Bench(bare_cloud).function(WRITES, {"Effect": "Allow", "Action": ["ssm:PutParameter", "ssm:GetParameter"], "Resource": "*"})


def writing(run: str, name: str) -> dict[str, Any]:
    arguments = {"Name": name, "Value": "v", "Type": "String", "Overwrite": True}
    return {"run_id": run, "service": "ssm", "method": "put_parameter", "arguments": arguments}


def test_a_fault_strikes_one_run_and_one_caller_only(bench: Bench, writer: str) -> None:
    faults_client.set_fault(bench.endpoint, "throttle", operation="ssm:PutParameter", count=1, caller=writer[-8:], run="run-1")
    assert bench.invoke(writer, writing("run-10", "/p"))[1] is False
    assert bench.invoke(writer, writing("other-run", "/p"))[1] is False
    bench.client("ssm").put_parameter(Name="/run-1", Value="v", Type="String")
    answer, failed = bench.invoke(writer, writing("run-1", "/p"))
    assert failed
    assert "ThrottlingException" in answer["errorMessage"]
    assert bench.invoke(writer, writing("run-1", "/p"))[1] is False
    (met,) = faults_client.faults(bench.endpoint)["met"]
    assert met["operation"] == "ssm:PutParameter"
    assert met["run"] == "run-1"


def test_a_run_that_only_names_another_is_not_struck_for_it(bench: Bench, writer: str) -> None:
    for caller in (writer[-8:], "states/"):
        faults_client.set_fault(bench.endpoint, "throttle", operation="*", count=0, caller=caller, run="run-1")
    before = {"previous": {"run_id": "run-1"}}
    for event in (
        {**writing("run-2", "/named"), **before},
        {**writing("", "/named"), "run_id": None, "plan": {"run_id": "run-2"}, **before},
    ):
        assert bench.invoke(writer, event)[1] is False
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    state["Arguments"] = {"FunctionName": writer, "Payload": {**writing("run-2", "/named"), **before}}
    definition, role = {"StartAt": "Write", "States": {"Write": state}}, bench.role("states.amazonaws.com", allow("lambda:InvokeFunction"))
    assert bench.run(definition, role, execution="run-2")["status"] == "SUCCEEDED"
    assert faults_client.faults(bench.endpoint)["met"] == []
    assert bench.run(definition, role, execution="run-1")["error"] == "Lambda.TooManyRequestsException"


def test_a_function_is_killed_after_its_call_and_works_again_in_a_new_process(bench: Bench, writer: str) -> None:
    before, _ = bench.invoke(writer, writing("killed-run", "/before"))
    faults_client.set_fault(bench.endpoint, "killed", operation="ssm:PutParameter", run="killed-run")
    answer, failed = bench.invoke(writer, writing("killed-run", "/killed"))
    assert failed
    assert answer["errorType"] == "Runtime.ExitError", json.dumps(answer)
    assert bench.client("ssm").get_parameter(Name="/killed")["Parameter"]["Value"] == "v"
    after, failed = bench.invoke(writer, writing("killed-run", "/after"))
    assert not failed
    assert after["pid"] != before["pid"]
