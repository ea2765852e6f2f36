"""Calls of Bedrock as EventBridge hears of them: only with a trail, with who made them, refused ones with the error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

MODEL = "amazon.nova-2-lite-v1:0:256k"


@pytest.fixture
def calls(bench: Any) -> str:
    """A queue that a rule gives every call of Bedrock; its URL."""
    url, arn = bench.queue("events.amazonaws.com")
    name = bench.name("rule")
    pattern = {"source": ["aws.bedrock"], "detail-type": ["AWS API Call via CloudTrail"]}
    bench.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
    bench.client("events").put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    return str(url)


@pytest.fixture
def trail(bench: Any) -> Iterator[str]:
    name = bench.name("trail")
    bench.client("cloudtrail").create_trail(Name=name, S3BucketName="log-archive")
    bench.client("cloudtrail").start_logging(Name=name)
    yield name
    bench.client("cloudtrail").delete_trail(Name=name)


def create_job(bench: Any, client: Any) -> Any:
    name = bench.name("job")
    bench.client("s3").create_bucket(Bucket=name)
    grader = {"graderConfig": {"lambdaGrader": {"lambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:reward:1"}}}
    return client.create_model_customization_job(
        jobName=name,
        customModelName=name,
        roleArn=bench.role("bedrock.amazonaws.com"),
        baseModelIdentifier=MODEL,
        customizationType="REINFORCEMENT_FINE_TUNING",
        trainingDataConfig={"s3Uri": f"s3://{name}/train.jsonl"},
        outputDataConfig={"s3Uri": f"s3://{name}/out/"},
        customizationConfig={"rftConfig": grader},
    )


def test_a_call_that_changes_something_is_heard_with_who_made_it(bench: Any, calls: str, trail: str) -> None:
    bedrock = bench.client("bedrock")
    made = create_job(bench, bedrock)
    bedrock.list_model_customization_jobs()
    detail = json.loads(bench.received(calls)["Body"])["detail"]
    assert (detail["eventSource"], detail["eventName"]) == ("bedrock.amazonaws.com", "CreateModelCustomizationJob")
    assert detail["responseElements"]["jobArn"] == made["jobArn"]
    assert detail["requestParameters"]["baseModelIdentifier"] == MODEL
    assert detail["userIdentity"]["type"] == "Root" and "errorCode" not in detail


def test_a_refused_call_is_heard_with_the_error(bench: Any, calls: str, trail: str) -> None:
    with pytest.raises(ClientError):
        bench.client("bedrock").stop_model_customization_job(jobIdentifier="no-such-job")
    detail = json.loads(bench.received(calls)["Body"])["detail"]
    assert (detail["errorCode"], detail["responseElements"]) == ("ResourceNotFoundException", None)


def test_without_a_trail_nothing_is_heard(bench: Any, calls: str, trail: str) -> None:
    bench.client("cloudtrail").stop_logging(Name=trail)
    create_job(bench, bench.client("bedrock"))
    with pytest.raises(AssertionError):
        bench.received(calls, 1)


@pytest.mark.parametrize(("pattern", "heard"), [([{"exists": False}], True), ([{"exists": True}], False)])
def test_a_rule_can_leave_out_refused_calls(bench: Any, trail: str, pattern: list[Any], heard: bool) -> None:
    url, arn = bench.queue("events.amazonaws.com")
    name, detail = bench.name("rule"), {"eventName": ["CreateModelCustomizationJob"], "errorCode": pattern}
    wanted = {"source": ["aws.bedrock"], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}
    bench.client("events").put_rule(Name=name, EventPattern=json.dumps(wanted))
    bench.client("events").put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    create_job(bench, bench.client("bedrock"))
    if heard:
        assert bench.received(url)
    else:
        with pytest.raises(AssertionError):
            bench.received(url, 1)
