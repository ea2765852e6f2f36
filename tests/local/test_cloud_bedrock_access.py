"""Callers of Bedrock are held to their policies: actions and resources by the Service Authorization Reference."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0:256k"
MINE = "arn:aws:bedrock:us-east-1:000000000000"


def as_user(bench: Any, service: str, *statements: dict[str, Any]) -> Any:
    """A client of a new IAM user who may do exactly this."""
    iam, name = bench.client("iam"), bench.name("user")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(
            UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name="us-east-1")
    kind: Any = service
    return session.client(kind, endpoint_url=bench.endpoint.url)


def allow(action: str, *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


def refused(call: Any, **arguments: Any) -> str:
    """Why the call is refused for lack of permission, or the other error's code, or nothing."""
    try:
        call(**arguments)
    except ClientError as problem:
        code = problem.response["Error"]["Code"]
        return problem.response["Error"]["Message"] if "AccessDenied" in code else f"allowed: {code}"
    return "allowed"


JOB = f"{MINE}:model-customization-job/amazon.nova-2-lite-v1:0:256k/abcdefghijkl"
DEPLOYMENT = f"{MINE}:custom-model-deployment/abcdefghijkl"
MESSAGES = [{"role": "user", "content": [{"text": "1+1"}]}]


@pytest.mark.parametrize(
    ("service", "call", "action", "resource"),
    [
        (
            "bedrock",
            ("get_model_customization_job", {"jobIdentifier": JOB}),
            "bedrock:GetModelCustomizationJob",
            f"{MINE}:model-customization-job/*",
        ),
        (
            "bedrock",
            ("stop_model_customization_job", {"jobIdentifier": JOB}),
            "bedrock:StopModelCustomizationJob",
            f"{MINE}:model-customization-job/*",
        ),
        (
            "bedrock",
            ("get_custom_model_deployment", {"customModelDeploymentIdentifier": DEPLOYMENT}),
            "bedrock:GetCustomModelDeployment",
            f"{MINE}:custom-model-deployment/*",
        ),
        ("bedrock-runtime", ("converse", {"modelId": DEPLOYMENT, "messages": MESSAGES}), "bedrock:InvokeModel", DEPLOYMENT),
        ("bedrock-runtime", ("converse", {"modelId": MODEL.split("/")[1], "messages": MESSAGES}), "bedrock:InvokeModel", MODEL),
    ],
)
def test_an_operation_needs_its_action_on_its_resource(
    bench: Any, service: str, call: tuple[str, dict[str, Any]], action: str, resource: str
) -> None:
    operation, arguments = call
    without = getattr(as_user(bench, service), operation)
    assert action in refused(without, **arguments)
    elsewhere = getattr(as_user(bench, service, allow(action, f"{MINE}:guardrail/*")), operation)
    assert action in refused(elsewhere, **arguments)
    within = getattr(as_user(bench, service, allow(action, resource)), operation)
    assert refused(within, **arguments).startswith("allowed")


def test_creating_a_job_needs_the_base_model_and_the_custom_model(bench: Any) -> None:
    arguments = {
        "jobName": bench.name("job"),
        "customModelName": "model-a",
        "roleArn": bench.role("bedrock.amazonaws.com"),
        "baseModelIdentifier": MODEL,
        "trainingDataConfig": {"s3Uri": "s3://none/x.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://none/out/"},
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "customizationConfig": {
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:grader:1"}}}
        },
    }
    create = "bedrock:CreateModelCustomizationJob"
    only_base = as_user(bench, "bedrock", allow(create, MODEL))
    assert "custom-model/model-a" in refused(only_base.create_model_customization_job, **arguments)
    both = allow(create, MODEL, f"{MINE}:custom-model/*")
    without_pass = as_user(bench, "bedrock", both)
    assert "iam:PassRole" in refused(without_pass.create_model_customization_job, **arguments)
    tagged = as_user(bench, "bedrock", both)
    tags = [{"key": "a", "value": "b"}]
    assert "bedrock:TagResource" in refused(tagged.create_model_customization_job, **arguments, jobTags=tags)
