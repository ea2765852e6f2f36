"""The data perimeter of the deployed environment, tried by someone whose own policy allows everything."""

from __future__ import annotations

import json
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError
from contracts import names
from contracts.events import RunEvent

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def administrator(endpoint):
    """A client factory of a user who may do everything: the root user is not held to resource policies."""
    iam, name = endpoint.client("iam"), f"admin-{uuid.uuid4().hex[:6]}"
    iam.create_user(UserName=name)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="everything", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=endpoint.environ()["AWS_ENDPOINT_URL"])


@pytest.mark.parametrize(
    "asked",
    [
        {"ServerSideEncryption": "AES256"},
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:999988887777:key/11111111-2222-3333-4444-555555555555"},
    ],
)
def test_a_write_with_another_encryption_is_refused_and_one_that_asks_for_none_passes(dev, administrator, asked):
    bucket, key = dev.parameter(names.PARAM_RUNS_BUCKET), f"{names.OUTPUT}x/.write_access_check_file.tmp"
    with pytest.raises(ClientError) as refused:
        administrator("s3").put_object(Bucket=bucket, Key=key, Body=b"", **asked)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    administrator("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    dev.s3.delete_object(Bucket=bucket, Key=key)


def test_nobody_decrypts_with_a_key_directly_and_the_account_can_look_after_it(dev, endpoint, administrator):
    resources = endpoint.client("cloudformation").list_stack_resources(StackName="rft-dev-foundation")["StackResourceSummaries"]
    (key,) = [r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"].startswith("KeysData")]
    kms = administrator("kms")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    with pytest.raises(ClientError) as refused:
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


@pytest.fixture(scope="module")
def trail(endpoint):
    """The account's trail is logging, without which EventBridge hears of no call."""
    trails = endpoint.client("cloudtrail")
    trails.create_trail(Name="management", S3BucketName="a-log-archive")
    trails.start_logging(Name="management")
    yield
    trails.delete_trail(Name="management")


def request_like(dev, run_id, **changes):
    """What the pipeline asked Bedrock for in a run, under another name and with these changes."""
    job = dev.bedrock.get_model_customization_job(jobIdentifier=dev.jobs(run_id)[0]["jobArn"])
    name = f"beside-{uuid.uuid4().hex[:6]}"
    copied = ("roleArn", "customizationType", "customizationConfig", "trainingDataConfig", "validationDataConfig", "outputDataConfig")
    asked = {key: job[key] for key in copied}
    # The run's own copy of the data went when it ended; whoever works beside the pipeline brings theirs.
    plan = dev.record(run_id, "plan.json")
    bucket, runs = dev.parameter(names.PARAM_DATASETS_BUCKET), dev.parameter(names.PARAM_RUNS_BUCKET)
    data = names.split_key(plan["dataset"], plan["dataset_version"], names.SPLIT_TRAIN)
    staged = names.staged_key(name, names.SPLIT_TRAIN)
    dev.s3.copy_object(Bucket=runs, Key=staged, CopySource={"Bucket": bucket, "Key": data})
    asked |= {"trainingDataConfig": {"s3Uri": f"s3://{runs}/{staged}"}, "validationDataConfig": {"validators": []}}
    return {
        "jobName": name,
        "customModelName": name,
        "baseModelIdentifier": job["baseModelArn"],
        "customModelKmsKeyId": job["outputModelKmsKeyArn"],
        "vpcConfig": job["vpcConfig"],
        **asked,
        **changes,
    }


def the_function(dev):
    functions = [f for page in dev.lambda_.get_paginator("list_functions").paginate() for f in page["Functions"]]
    return next(f for f in functions if f["Handler"] == "pipeline.inspect_jobs.handler")


def inspected(dev, event=None):
    """What the deployed function answers; without an event, to the schedule."""
    answer = dev.lambda_.invoke(FunctionName=the_function(dev)["FunctionName"], Payload=json.dumps(event or {}))
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def alarm(endpoint):
    pages = endpoint.client("cloudwatch").get_paginator("describe_alarms").paginate()
    (state,) = [a["StateValue"] for page in pages for a in page["MetricAlarms"] if a.get("MetricName") == "ForeignJobs"]
    return state


def test_the_pipelines_own_job_raises_nothing(dev, endpoint, trail, first_run):
    assert dev.jobs(first_run.run_id)
    assert inspected(dev)["foreign"] == []
    ended = dev.ended(dev.start("not-foreign", hyperparameters={"learning_rate": 1e-7, "epoch_count": 1}))
    assert dev.jobs(ended.run_id)
    answer = inspected(dev)
    assert answer["looked_at"] >= 2 and answer["foreign"] == []
    assert dev.keys(names.PARAM_RUNS_BUCKET, names.FOREIGN) == []
    assert alarm(endpoint) != "ALARM"


def test_a_job_started_beside_the_pipeline_is_found_and_told_with_who_made_it(dev, endpoint, trail, administrator, first_run):
    request = request_like(dev, first_run.run_id)
    dev.fault("stall", step=1, job=request["jobName"])
    arn = administrator("bedrock").create_model_customization_job(**request)["jobArn"]

    made_by = administrator("sts").get_caller_identity()["Arn"]
    event = dev.heard(RunEvent.FOREIGN_JOB_FOUND, arn=arn, who=made_by)
    assert "no run of this pipeline planned the job" in event["detail"]["reasons"]
    dev.eventually(lambda: alarm(endpoint) == "ALARM" or None, "the alarm")
    (key,) = [k for k in dev.keys(names.PARAM_RUNS_BUCKET, names.FOREIGN) if arn.rpartition("/")[2] in k]
    assert dev.read(names.PARAM_RUNS_BUCKET, key)["name"] == request["jobName"]
    # As it ships, dev only raises the alarm. Looked at again, the job is found again and not told again.
    assert dev.bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress"
    again = inspected(dev)
    assert len(again["foreign"]) == 1 and again["told"] == []
    dev.bedrock.stop_model_customization_job(jobIdentifier=arn)


def test_where_settings_say_so_the_job_is_stopped(dev, endpoint, administrator, first_run):
    function = the_function(dev)
    variables = function["Environment"]["Variables"]
    may_stop = {"Effect": "Allow", "Action": "bedrock:StopModelCustomizationJob", "Resource": "*"}
    endpoint.client("iam").put_role_policy(
        RoleName=function["Role"].rsplit("/", 1)[-1],
        PolicyName="as-with-the-setting",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may_stop]}),
    )
    dev.lambda_.update_function_configuration(
        FunctionName=function["FunctionName"], Environment={"Variables": {**variables, names.ENV_STOP_FOREIGN_JOBS: "true"}}
    )
    try:
        # No trail, another network and no key: Bedrock's own event is enough.
        request = request_like(dev, first_run.run_id)
        del request["customModelKmsKeyId"], request["vpcConfig"]
        dev.fault("stall", step=1, job=request["jobName"])
        arn = administrator("bedrock").create_model_customization_job(**request)["jobArn"]
        inspected(dev)
        stopped = lambda: dev.bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Stopped" or None  # noqa: E731
        dev.eventually(stopped, "the job to be stopped")
        # Another look, at the event of the job's end, may tell of it too, and before this one.
        event = dev.heard(RunEvent.FOREIGN_JOB_FOUND, arn=arn, done="the job was told to stop")
        assert any("no key of ours" in reason for reason in event["detail"]["reasons"])
        assert any("subnets" in reason for reason in event["detail"]["reasons"])
    finally:
        dev.lambda_.update_function_configuration(FunctionName=function["FunctionName"], Environment={"Variables": variables})
