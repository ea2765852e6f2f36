"""EventBridge in the local cloud: S3 events, target permissions, dead-letter queues, schedules."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

RECORD = """
import boto3
def handler(event, context):
    boto3.client("ssm").put_parameter(Name="/seen/" + context.function_name, Value=event.get("at", "1"), Type="String", Overwrite=True)
"""
MAY_RECORD = {"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"}


def rule(bench: Any, pattern: dict[str, Any], target: dict[str, Any]) -> str:
    name = str(bench.name("rule"))
    arn = bench.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    assert not bench.client("events").put_targets(Rule=name, Targets=[{"Id": "t", **target}])["FailedEntryCount"]
    return str(arn)


def send(bench: Any, detail_type: str) -> None:
    bench.client("events").put_events(Entries=[{"Source": "rft", "DetailType": detail_type, "Detail": "{}"}])


def seen(bench: Any, function: str) -> bool:
    # By its name: a listing comes in pages, and other tests of the session leave parameters as well.
    ssm = bench.client("ssm")
    try:
        ssm.get_parameter(Name="/seen/" + function.rsplit(":", 1)[1])
    except ssm.exceptions.ParameterNotFound:
        return False
    return True


def test_an_uploaded_object_reaches_a_function_through_the_default_bus(bench: Any, waiting: Callable[..., Any]) -> None:
    bucket, function = bench.name("bucket"), bench.function(RECORD, MAY_RECORD)
    bench.client("s3").create_bucket(Bucket=bucket)
    bench.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"wildcard": "in/*.jsonl"}]}},
    }
    arn = rule(bench, pattern, {"Arn": function})
    bench.client("lambda").add_permission(
        FunctionName=function, StatementId="e", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=arn
    )
    bench.client("s3").put_object(Bucket=bucket, Key="in/x.jsonl", Body=b"{}")
    waiting(lambda: seen(bench, function))


def test_an_event_about_a_versioned_object_names_its_version(bench: Any) -> None:
    bucket, s3 = bench.name("bucket"), bench.client("s3")
    url, queue = bench.queue("events.amazonaws.com")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    rule(bench, {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}, {"Arn": queue})
    put = [s3.put_object(Bucket=bucket, Key="x", Body=body)["VersionId"] for body in (b"1", b"2")]
    heard = [json.loads(bench.received(url)["Body"])["detail"]["object"] for _ in put]
    assert {one["version-id"] for one in heard} == set(put)
    assert heard[0]["sequencer"] != heard[1]["sequencer"]


def test_a_function_whose_policy_does_not_let_the_rule_in_is_not_run_and_the_event_is_kept(bench: Any) -> None:
    url, queue = bench.queue("events.amazonaws.com")
    function, kind = bench.function(RECORD, MAY_RECORD), bench.name("kind")
    arn = rule(bench, {"detail-type": [kind]}, {"Arn": function, "DeadLetterConfig": {"Arn": queue}})
    send(bench, kind)
    message = bench.received(url)
    assert json.loads(message["Body"])["detail-type"] == kind
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert (attributes["RULE_ARN"], attributes["TARGET_ARN"], attributes["RETRY_ATTEMPTS"]) == (arn, function, "0")
    assert not seen(bench, function)


def test_a_state_machine_target_is_started_as_the_targets_role(bench: Any, waiting: Callable[..., Any]) -> None:
    states = bench.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    machine = states.create_state_machine(name=bench.name("sm"), roleArn=bench.role("states.amazonaws.com"), definition=definition)[
        "stateMachineArn"
    ]
    url, queue = bench.queue("events.amazonaws.com")
    refused, allowed = bench.name("kind"), bench.name("kind")
    may = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine}
    dead = {"DeadLetterConfig": {"Arn": queue}}
    rule(bench, {"detail-type": [refused]}, {"Arn": machine, "RoleArn": bench.role("events.amazonaws.com"), **dead})
    rule(bench, {"detail-type": [allowed]}, {"Arn": machine, "RoleArn": bench.role("events.amazonaws.com", may), **dead})
    send(bench, refused)
    assert bench.received(url)["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert states.list_executions(stateMachineArn=machine)["executions"] == []
    send(bench, allowed)
    waiting(lambda: states.list_executions(stateMachineArn=machine)["executions"])


def test_nobody_may_send_events_in_the_name_of_aws(bench: Any) -> None:
    answer = bench.client("events").put_events(Entries=[{"Source": "aws.bedrock", "DetailType": "x", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 1


def test_a_schedule_runs_its_target_as_the_schedules_role(bench: Any, waiting: Callable[..., Any]) -> None:
    function = bench.function(RECORD, MAY_RECORD)
    role = bench.role("scheduler.amazonaws.com", {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function})
    at = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    bench.client("scheduler").create_schedule(
        Name=bench.name("schedule"),
        ScheduleExpression=f"at({at})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": function, "RoleArn": role, "Input": '{"at": "<aws.scheduler.scheduled-time>"}'},
    )
    waiting(lambda: seen(bench, function))
    due = bench.client("ssm").get_parameter(Name="/seen/" + function.rsplit(":", 1)[1])["Parameter"]["Value"]
    assert datetime.fromisoformat(at + "Z") <= datetime.fromisoformat(due) <= datetime.now(UTC), "Scheduler fills in when it was due"
