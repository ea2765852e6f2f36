"""Given the real local cloud, when a job runs in it, then role, bucket, function and event are the deployed ones."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import cloud
from local.bedrock.faults_client import set_fault, set_pace

pytestmark = pytest.mark.cloud

ACCOUNT, REGION = cloud.ACCOUNT, cloud.REGION
GRADER = """
def handler(event, context):
    answers = [sample["metadata"]["reference_answer"].rpartition("####")[2].strip() for sample in event]
    texts = [sample["messages"][-1]["content"] for sample in event]
    return [{"id": s["id"], "aggregate_reward_score": float(t.endswith("#### " + a))} for s, t, a in zip(event, texts, answers)]
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[cloud.Endpoint]:
    with cloud.running(state_dir=tmp_path_factory.mktemp("cloud")) as found:
        set_pace(found, 0)
        yield found


@pytest.fixture(scope="module")
def setting(endpoint: cloud.Endpoint, make_data: Callable[..., bytes]) -> dict[str, str]:
    """Buckets with data, a reward function, a service role with exactly the rights the service needs, a rule on the job event."""
    s3, iam, functions = (endpoint.client(service) for service in ("s3", "iam", "lambda"))
    for bucket in ("standin-datasets", "standin-runs"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="standin-runs", Key="staged/r1/train.jsonl", Body=make_data(128))
    s3.put_object(Bucket="standin-runs", Key="staged/r1/validation.jsonl", Body=make_data(16, 500))
    s3.put_object(Bucket="standin-datasets", Key="datasets/m/0123456789ab/heldout.jsonl", Body=make_data(40, 1000))
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("index.py", GRADER)
    execution = make_role(iam, "reward", "lambda.amazonaws.com", {}, [])
    functions.create_function(
        FunctionName="reward",
        Role=execution,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": source.getvalue()},
        Timeout=30,
    )
    version = functions.publish_version(FunctionName="reward")["FunctionArn"]
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    queue = endpoint.client("sqs").create_queue(QueueName="events", Attributes={"Policy": policy})["QueueUrl"]
    events = endpoint.client("events")
    pattern = {"source": ["aws.bedrock"], "detail": {"jobStatus": ["Completed", "Failed", "Stopped"], "jobName": [{"prefix": "rft-dev-"}]}}
    events.put_rule(Name="jobs", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="jobs", Targets=[{"Id": "q", "Arn": queue_arn}])
    condition = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/*"},
    }
    rights: list[dict[str, Any]] = [
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::standin-runs/staged/*"},
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::standin-runs/output/*"},
        {
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::standin-runs",
            "Condition": {"StringLike": {"s3:prefix": ["staged/*", "output/*"]}},
        },
        {"Action": "lambda:InvokeFunction", "Resource": version},
    ]
    role = make_role(iam, "job", "bedrock.amazonaws.com", condition, rights)
    poor = make_role(iam, "poor", "bedrock.amazonaws.com", condition, rights[:3])
    stranger = make_role(iam, "stranger", "lambda.amazonaws.com", {}, rights)
    return {"version": version, "queue": queue, "role": role, "poor": poor, "stranger": stranger}


@pytest.fixture(scope="module")
def make_data() -> Callable[..., bytes]:
    def made(count: int, first: int = 0) -> bytes:
        lines = []
        for number in range(first, first + count):
            message = {"role": "user", "content": f"Problem {number}: what is {number} + 1?"}
            lines.append(json.dumps({"messages": [message], "reference_answer": f"{number} + 1 = {number + 1}\n#### {number + 1}"}))
        return "\n".join(lines).encode()

    return made


def make_role(iam: Any, name: str, service: str, condition: dict[str, Any], rights: list[dict[str, Any]]) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", "Condition": condition}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))["Role"][
        "Arn"
    ]
    if rights:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **right} for right in rights]}
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
    return str(arn)


def start(endpoint: cloud.Endpoint, setting: dict[str, str], name: str, role: str = "role") -> str:
    hyper = {"epochCount": 6, "batchSize": 32, "learningRate": 1e-4, "trainingSamplePerPrompt": 4, "inferenceMaxTokens": 512}
    answer = endpoint.client("bedrock").create_model_customization_job(
        jobName=name,
        customModelName=name,
        roleArn=setting[role],
        baseModelIdentifier="amazon.nova-2-lite-v1:0:256k",
        customizationType="REINFORCEMENT_FINE_TUNING",
        trainingDataConfig={"s3Uri": "s3://standin-runs/staged/r1/train.jsonl"},
        validationDataConfig={"validators": [{"s3Uri": "s3://standin-runs/staged/r1/validation.jsonl"}]},
        outputDataConfig={"s3Uri": "s3://standin-runs/output/r1/"},
        customizationConfig={
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": setting["version"]}}, "hyperParameters": hyper},
        },
    )
    return str(answer["jobArn"])


def ended(endpoint: cloud.Endpoint, job: str) -> dict[str, Any]:
    bedrock, end = endpoint.client("bedrock"), time.monotonic() + 300
    while time.monotonic() < end:
        found: dict[str, Any] = bedrock.get_model_customization_job(jobIdentifier=job)
        if found["status"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def test_a_job_trains_with_the_deployed_function_and_its_model_is_served(endpoint: cloud.Endpoint, setting: dict[str, str]) -> None:
    arn = start(endpoint, setting, "rft-dev-one")

    job = ended(endpoint, arn)

    assert job["status"] == "Completed", job.get("failureMessage")
    keys = [item["Key"] for item in endpoint.client("s3").list_objects_v2(Bucket="standin-runs", Prefix="output/r1/")["Contents"]]
    assert f"output/r1/model-customization-job-{arn[-12:]}/training_artifacts/step_wise_training_metrics.csv" in keys
    event = event_of(endpoint, setting)
    assert (event["detail-type"], event["resources"]) == ("Model Customization Job State Change", [arn])
    assert event["detail"]["jobStatus"] == "Completed"
    bedrock, runtime = endpoint.client("bedrock"), endpoint.client("bedrock-runtime")
    made = bedrock.create_custom_model_deployment(modelDeploymentName="rft-dev-one", modelArn=job["outputModelArn"])
    deployment = made["customModelDeploymentArn"]
    while bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)["status"] == "Creating":
        time.sleep(0.1)

    right = {deployment: 0, "us.amazon.nova-2-lite-v1:0": 0}
    for model in right:
        for number in range(1000, 1040):
            message = {"role": "user", "content": [{"text": f"Problem {number}: what is {number} + 1?"}]}
            text = runtime.converse(modelId=model, messages=[message])["output"]["message"]["content"][0]["text"]
            right[model] += text.endswith(f"#### {number + 1}")
    assert right[deployment] > right["us.amazon.nova-2-lite-v1:0"] + 8


@pytest.mark.parametrize(
    ("role", "says"),
    [("poor", "lambda:InvokeFunction"), ("stranger", "Could not assume role")],
)
def test_a_role_without_the_rights_fails_the_job(endpoint: cloud.Endpoint, setting: dict[str, str], role: str, says: str) -> None:
    job = ended(endpoint, start(endpoint, setting, f"other-{role}", role))
    assert job["status"] == "Failed"
    assert says in job["failureMessage"]


def test_a_caller_without_passrole_is_refused(endpoint: cloud.Endpoint, setting: dict[str, str]) -> None:
    iam = endpoint.client("iam")
    iam.create_user(UserName="engineer")
    allow = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
    iam.put_user_policy(UserName="engineer", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    key = iam.create_access_key(UserName="engineer")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)

    class AsEngineer:
        def client(self, service: Any) -> Any:
            return session.client(service, endpoint_url=endpoint.url)

    with pytest.raises(ClientError, match=r"AccessDenied.*iam:PassRole"):
        start(AsEngineer(), setting, "rft-dev-two")  # type: ignore[arg-type]


def test_faults_reach_the_stand_in(endpoint: cloud.Endpoint) -> None:
    set_fault(endpoint, "access_denied", operation="ListCustomModels", count=1)
    with pytest.raises(ClientError, match="AccessDenied"):
        endpoint.client("bedrock").list_custom_models()
    with pytest.raises(cloud.CloudError, match="allowed is one of throttle"):
        set_fault(endpoint, "explode")
    assert endpoint.admin("GET", "status")["bedrock"]["stand_in"] is True


def event_of(endpoint: cloud.Endpoint, setting: dict[str, str]) -> dict[str, Any]:
    sqs, end = endpoint.client("sqs"), time.monotonic() + 120
    while time.monotonic() < end:
        found = sqs.receive_message(QueueUrl=setting["queue"]).get("Messages")
        if found:
            event: dict[str, Any] = json.loads(found[0]["Body"])
            return event
        time.sleep(0.1)
    raise AssertionError("no event came")
