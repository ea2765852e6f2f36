"""Given something wrong with permissions, data or the reward function, then the job fails and says what, where and how to mend it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.bedrock import grader

SECRET = "walnut"
TRAIN = "s3://data/staged/one/train.jsonl"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grader.Grader.__init__, "__kwdefaults__", {"backoff": 0.001})


def failure(bench: Any, make_request: Any, **changes: Any) -> str:
    bench.bedrock.create_model_customization_job(**make_request(**changes))
    job = bench.finished()
    assert job["status"] == "Failed"
    assert bench.statuses() == ["InProgress", "Failed"]
    message: str = job["failureMessage"]
    assert bench.cloud.events[-1]["detail"]["failureMessage"] == message
    assert "outputModelArn" not in job
    return message


def test_a_role_that_does_not_trust_bedrock(bench: Any, make_request: Any) -> None:
    bench.cloud.trusted = False
    message = failure(bench, make_request)
    assert "Could not assume role arn:aws:iam::111122223333:role/job" in message
    assert "sts:AssumeRole" in message


@pytest.mark.parametrize(
    ("denied", "phase", "says"),
    [
        ("PutObject", "validationDetails", "Could not write to output location s3://runs/output/one/"),
        ("GetObject", "dataProcessingDetails", f"Could not read training data at {TRAIN}"),
        ("ListObjectsV2", "validationDetails", "s3:ListBucket"),
    ],
)
def test_a_role_without_rights_in_s3(bench: Any, make_request: Any, denied: str, phase: str, says: str) -> None:
    bench.cloud.denied.add(denied)
    message = failure(bench, make_request)
    assert says in message
    assert "role arn:aws:iam::111122223333:role/job (AccessDenied)" in message
    assert bench.bedrock.get_model_customization_job(jobIdentifier="rft-dev-one")["statusDetails"][phase]["status"] == "Failed"


def test_training_data_that_is_not_there(bench: Any, make_request: Any) -> None:
    bench.cloud.buckets["data"].clear()
    assert "NoSuchKey" in failure(bench, make_request)


def test_a_subnet_that_does_not_exist(bench: Any, make_request: Any) -> None:
    message = failure(bench, make_request, vpcConfig={"subnetIds": ["subnet-9"], "securityGroupIds": ["sg-1"]})
    assert "subnets subnet-9" in message
    assert "ec2:DescribeSubnets" in message


@pytest.mark.parametrize("count", [99, 20_001])
def test_too_few_or_too_many_prompts(bench: Any, make_request: Any, make_problems: Any, count: int) -> None:
    bench.cloud.buckets["data"]["staged/one/train.jsonl"] = make_problems(count)
    assert f"holds {count} prompts; allowed is 100 to 20000" in failure(bench, make_request)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"messages": [{"role": "user", "content": "walnut"', "is not JSON"),
        ('["walnut"]', "is not a JSON object"),
        ('{"prompt": "walnut"}', "messages must be a list"),
        ('{"messages": []}', "messages must be a list of at least one"),
        ('{"messages": [{"role": "walnut", "content": "x"}]}', "role must be one of"),
        ('{"messages": [{"role": "user", "content": {"walnut": 1}}]}', "messages[0].content must be text"),
        ('{"messages": [{"role": "user", "content": ""}]}', "messages[0].content must be text"),
        ('{"messages": [{"role": "assistant", "content": "walnut"}]}', "must hold a user turn"),
        ('{"messages": [{"role": "user", "content": "x"}, {"role": "system", "content": "walnut"}]}', "must come first"),
        ('{"messages": [{"role": "user", "content": "x"}], "reference_answer": ["walnut"]}', "reference_answer must be"),
    ],
)
def test_a_broken_line_is_named_by_number_and_never_quoted(bench: Any, make_request: Any, make_problems: Any, line: str, says: str) -> None:
    bench.cloud.buckets["data"]["staged/one/train.jsonl"] = make_problems(120) + line.encode() + b"\n"
    message = failure(bench, make_request)
    assert "line 121: " in message
    assert says in message
    assert TRAIN in message
    assert SECRET not in message


def test_data_that_is_not_utf8(bench: Any, make_request: Any, make_problems: Any) -> None:
    bench.cloud.buckets["data"]["staged/one/train.jsonl"] = make_problems(120) + b"\xff\n"
    assert "is not UTF-8" in failure(bench, make_request)


def test_prompts_over_the_limit_are_left_out_and_counted(bench: Any, make_request: Any, make_problems: Any) -> None:
    long = json.dumps({"messages": [{"role": "user", "content": "word " * 2000}], "reference_answer": "1"}).encode()
    bench.cloud.buckets["data"]["staged/one/train.jsonl"] = make_problems(110) + (long + b"\n") * 3
    bench.bedrock.create_model_customization_job(**make_request())
    assert bench.finished()["status"] == "Completed"
    assert bench.standin.status()["jobs"][0]["prompts_filtered"] == 3
    assert not any("word word" in item["messages"][0]["content"] for event in bench.cloud.reward_events for item in event)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda event: {"statusCode": 200, "body": []}, "must be a JSON array"),
        (lambda event: [{"id": item["id"]} for item in event], "finite number"),
        (lambda event: [{"id": item["id"], "aggregate_reward_score": "1"} for item in event], "finite number"),
        (lambda event: [{"id": item["id"], "aggregate_reward_score": float("nan")} for item in event], "finite number"),
        (lambda event: [{"id": item["id"], "aggregate_reward_score": 1} for item in event[1:]], "1 are missing"),
        (lambda event: [{"id": "walnut", "aggregate_reward_score": 1} for item in event], "id of one sample, once"),
        (lambda event: None, "must be a JSON array"),
    ],
    ids=["wrapped", "no score", "text score", "nan", "id missing", "ids repeated", "null"],
)
def test_an_answer_of_the_reward_function_that_is_not_the_documented_shape(bench: Any, make_request: Any, answer: Any, says: str) -> None:
    bench.cloud.reward = answer
    message = failure(bench, make_request)
    assert "arn:aws:lambda:us-east-1:111122223333:function:reward:3 is not usable" in message
    assert says in message
    assert SECRET not in message


def test_a_reward_function_that_always_fails_is_called_four_times_a_batch(bench: Any, make_request: Any) -> None:
    body = json.dumps({"errorType": "KeyError", "errorMessage": SECRET}).encode()
    bench.cloud.invoke = lambda event: {"FunctionError": "Unhandled", "Payload": io.BytesIO(body)}
    message = failure(bench, make_request)
    assert "after 4 calls: the function ended with an error (KeyError)" in message
    assert "lambda:InvokeFunction" in message
    assert SECRET not in message


def test_a_throttled_reward_function_is_tried_again(bench: Any, make_request: Any) -> None:
    straight, left = bench.cloud.invoke, [3]

    def flaky(event: Any) -> Any:
        with bench.cloud.lock:
            left[0] -= 1
            if left[0] >= 0:
                raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "Invoke")
        return straight(event)

    bench.cloud.invoke = flaky
    bench.bedrock.create_model_customization_job(**make_request())
    assert bench.finished()["status"] == "Completed"
    assert left[0] < 0


def test_a_role_that_may_not_invoke_fails_without_retries(bench: Any, make_request: Any) -> None:
    calls = []

    def refuse(event: Any) -> Any:
        calls.append(1)
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Invoke")

    bench.cloud.invoke = refuse
    message = failure(bench, make_request)
    assert "after 1 calls: AccessDeniedException" in message
    assert len(calls) <= 2
