"""A house for the pipeline's functions in the local cloud: buckets, bus, topic, reward versions, a state machine that waits for a token.

The functions run in the test's own process, against real services of the local cloud and its Bedrock stand-in, in an account of
their own.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from contracts import names
from contracts.run import Estimate, Plan
from contracts.settings import NOVA_2_LITE, HyperParameters, PipelineSettings
from contracts.validation import plain
from pipeline import aws, planning

from local import cloud
from local.bedrock import faults_client

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "210987654321"
ENVIRONMENT = "dev"
FIRST_UPLOAD = datetime(2026, 11, 20, 19, tzinfo=UTC)
REWARD_LOGS = "/aws/lambda/reward"
CLIENTS = (
    aws.s3,
    aws.bedrock,
    aws.bedrock_runtime,
    aws.events,
    aws.functions,
    aws.kms,
    aws.logs,
    aws.sns,
    aws.ssm,
    aws.states,
    aws.sts,
)

CONSTANT_REWARD = "def handler(event, _):\n    return [{'id': s['id'], 'aggregate_reward_score': 0.7} for s in event]\n"
MENTION_REWARD = """
def handler(event, _):
    paid = []
    for s in event:
        gold = s["metadata"]["reference_answer"].rpartition("####")[2].strip()
        paid.append({"id": s["id"], "aggregate_reward_score": float(gold in s["messages"][-1]["content"])})
    return paid
"""
SHUFFLING_REWARD = "def handler(event, _):\n    return [{'id': s['id'], 'aggregate_reward_score': 0.5} for s in reversed(event)]\n"
RAISING_REWARD = "def handler(event, _):\n    raise KeyError('a word of the data')\n"


class House:
    """What is deployed, and how to look at it."""

    def __init__(self, endpoint: cloud.Endpoint) -> None:
        self.endpoint = endpoint
        self._uploads = itertools.count()
        self.s3, self.ssm, self.lambda_ = self.client("s3"), self.client("ssm"), self.client("lambda")
        self.states, self.bedrock, self.sqs = self.client("stepfunctions"), self.client("bedrock"), self.client("sqs")
        tail = uuid.uuid4().hex[:8]
        self.datasets, self.runs = f"datasets-{tail}", f"runs-{tail}"
        for bucket in (self.datasets, self.runs):
            self.s3.create_bucket(Bucket=bucket)
        self.key = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.signing_key = self.client("kms").create_key(KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        self.job_role = self._role("bedrock.amazonaws.com", "job")
        self.function_role = self._role("lambda.amazonaws.com", "function")
        self.client("logs").create_log_group(logGroupName=REWARD_LOGS)
        self.reward = self.lambda_.create_function(
            FunctionName="reward",
            Role=self.function_role,
            Runtime="python3.14",
            Handler="reward.handler.handler",
            Code={"ZipFile": reward_package()},
            Environment={"Variables": {names.ENV_ENVIRONMENT: ENVIRONMENT, names.ENV_GRADER: "math"}},
            Timeout=60,
            MemorySize=512,
        )["FunctionArn"]
        self.reward_version = self.lambda_.publish_version(FunctionName="reward")["Version"]
        self.lambda_.create_alias(FunctionName="reward", Name=names.REWARD_ALIAS, FunctionVersion=self.reward_version)
        self.inbox = self._build_bus_and_topic()
        self.received: list[str] = []
        self.tokens, self.state_machine = self._build_state_machine()
        network = self.client("ec2")
        vpc = network.create_vpc(CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"]
        self.subnet = network.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        self.group = network.create_security_group(GroupName="job", Description="job", VpcId=vpc)["GroupId"]

    def client(self, service: str) -> Any:
        return self.endpoint.client(service, ACCOUNT)

    def variables(self) -> dict[str, str]:
        """The environment variables the stack would give the functions."""
        return {
            names.ENV_ENVIRONMENT: ENVIRONMENT,
            names.ENV_SETTINGS: json.dumps(plain(PipelineSettings())),
            names.ENV_DATASETS_BUCKET: self.datasets,
            names.ENV_RUNS_BUCKET: self.runs,
            names.ENV_BUS: names.bus(ENVIRONMENT),
            names.ENV_TOPIC: self.topic,
            names.ENV_STATE_MACHINE: self.state_machine,
            names.ENV_REWARD_FUNCTION: "reward",
            names.ENV_REWARD_LOGS: REWARD_LOGS,
            names.ENV_JOB_ROLE: self.job_role,
            names.ENV_MODEL_KEY: self.key,
            names.ENV_SIGNING_KEY: self.signing_key,
            names.ENV_SUBNETS: self.subnet,
            names.ENV_SECURITY_GROUPS: self.group,
        }

    def upload(self, dataset: str, body: bytes, file: str = "problems.jsonl") -> dict[str, Any]:
        """Puts a file under incoming/ and gives the event S3 would send for it, a second after the last one's."""
        key = f"{names.INCOMING}{dataset}/{file}"
        put = self.s3.put_object(Bucket=self.datasets, Key=key, Body=body)
        number = next(self._uploads)
        found = {"key": key, "size": len(body), "etag": put["ETag"].strip('"'), "sequencer": f"{number:018X}"}
        return {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "time": (FIRST_UPLOAD + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": {"bucket": {"name": self.datasets}, "object": found},
        }

    def read(self, bucket: str, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    def heard(self, word: str, seconds: float = 120) -> dict[str, Any]:
        """The first event or message not yet asked for that holds the word."""

        def look() -> dict[str, Any] | None:
            for message in self.sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
                self.received.append(message["Body"])
            found = next((body for body in self.received if word in body), None)
            if found is None:
                return None
            self.received.remove(found)
            return dict(json.loads(found))

        return dict(self.until(look, seconds))

    def other_reward(self, code: str) -> str:
        """Publishes another grader; the ARN of its version."""
        made = self.lambda_.create_function(
            FunctionName=f"reward-{uuid.uuid4().hex[:8]}",
            Role=self.function_role,
            Runtime="python3.14",
            Handler="index.handler",
            Code={"ZipFile": zipped({"index.py": code.encode()})},
            Timeout=30,
            Publish=True,
        )
        return f"{made['FunctionArn'].removesuffix(':' + made['Version'])}:{made['Version']}"

    def waiting_execution(self, name: str, **request: Any) -> str:
        """Starts an execution that waits for a token; gives the token."""
        self.states.start_execution(stateMachineArn=self.state_machine, name=name, input=json.dumps({"wait": True, **request}))

        def look() -> str | None:
            for message in self.sqs.receive_message(QueueUrl=self.tokens).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.tokens, ReceiptHandle=message["ReceiptHandle"])
                waiting = json.loads(message["Body"])
                if waiting["execution"] == name:
                    return str(waiting["token"])
            found = self.execution(name)
            assert found["status"] == "RUNNING", found
            return None

        return str(self.until(look))

    def execution(self, name: str) -> dict[str, Any]:
        arn = f"{self.state_machine.replace(':stateMachine:', ':execution:')}:{name}"
        found: dict[str, Any] = self.states.describe_execution(executionArn=arn)
        return found

    def until(self, look: Callable[[], Any], seconds: float = 120) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing after {seconds} s")

    def _role(self, service: str, name: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
        actions = [
            "s3:*",
            "lambda:InvokeFunction",
            "logs:*",
            "sqs:SendMessage",
            "kms:*",
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
        ]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        return str(arn["Role"]["Arn"])

    def _queue(self, name: str) -> tuple[str, str]:
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(url), str(found["Attributes"]["QueueArn"])

    def _build_bus_and_topic(self) -> str:
        url, arn = self._queue("inbox")
        services = {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
        send = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [send]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        bus, events = names.bus(ENVIRONMENT), self.client("events")
        events.create_event_bus(Name=bus)
        events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": [names.EVENT_SOURCE]}))
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "inbox", "Arn": arn}])
        self.topic = self.client("sns").create_topic(Name="people")["TopicArn"]
        self.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        return url

    def _build_state_machine(self) -> tuple[str, str]:
        url, _ = self._queue("tokens")
        wait = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {
                "QueueUrl": url,
                "MessageBody": {"token": "{% $states.context.Task.Token %}", "execution": "{% $states.context.Execution.Name %}"},
            },
            "End": True,
        }
        asked = {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.wait = true %}", "Next": "Wait"}], "Default": "Done"}
        definition = {"QueryLanguage": "JSONata", "StartAt": "Asked", "States": {"Asked": asked, "Wait": wait, "Done": {"Type": "Succeed"}}}
        role = self._role("states.amazonaws.com", "states")
        made = self.states.create_state_machine(name=names.state_machine(ENVIRONMENT), roleArn=role, definition=json.dumps(definition))
        return url, str(made["stateMachineArn"])


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def reward_package() -> bytes:
    """The project's own reward function, as it is deployed."""
    source = ROOT / "lambda"
    paths = [path for part in ("reward", "contracts") for path in sorted((source / part).rglob("*.py"))]
    return zipped({path.relative_to(source).as_posix(): path.read_bytes() for path in paths})


def word_problems(count: int, first: int = 0) -> bytes:
    """`count` problems in GSM8K's form, each with one worked step and an answer of its own."""
    lines = []
    for number in range(first, first + count):
        answer = 1000 + 7 * number
        work = f"She has {answer - 3} and gets 3 more, which is <<{answer - 3}+3={answer}>>{answer}."
        lines.append(
            json.dumps({"question": f"Ada has {answer - 3} beads and gets 3 more. How many now?", "answer": f"{work}\n#### {answer}"})
        )
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of this process ask again at once; how often they ask is theirs."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))


@pytest.fixture(scope="session")
def _house(bare_cloud: cloud.Endpoint) -> House:
    faults_client.set_pace(bare_cloud, 0.0)
    return House(bare_cloud)


@pytest.fixture
def house(_house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The house, with this process's environment and SDK pointed at it."""
    for name, value in {**_house.endpoint.environ(ACCOUNT), **_house.variables()}.items():
        monkeypatch.setenv(name, value)
    if not os.environ["AWS_PROFILE"]:
        monkeypatch.delenv("AWS_PROFILE")
    if not os.environ["AWS_SESSION_TOKEN"]:
        monkeypatch.delenv("AWS_SESSION_TOKEN")
    forget()
    yield _house
    faults_client.clear(_house.endpoint)
    forget()


def forget() -> None:
    """Lets go of clients made for another environment."""
    boto3.DEFAULT_SESSION = None
    for client in CLIENTS:
        client.cache_clear()


@pytest.fixture
def problems() -> Callable[..., bytes]:
    return word_problems


@pytest.fixture
def graders() -> dict[str, str]:
    """Source of reward functions that are worth rejecting."""
    return {"constant": CONSTANT_REWARD, "mention": MENTION_REWARD, "shuffling": SHUFFLING_REWARD, "raising": RAISING_REWARD}


@pytest.fixture
def a_plan(house: House) -> Plan:
    """A plan as PrepareRun would make it, for a run of its own; nothing of it is staged."""
    run_id = f"run-{uuid.uuid4().hex[:8]}"
    items = planning.evaluation_items(60, 16, PipelineSettings().evaluation)
    return Plan(
        run_id=run_id,
        environment=ENVIRONMENT,
        region=cloud.REGION,
        job_name=names.job_name(ENVIRONMENT, run_id),
        dataset="plums",
        dataset_version="0123456789ab",
        dataset_sha256="0" * 64,
        dataset_uri=f"s3://{house.datasets}/datasets/plums/0123456789ab/",
        prompts={"train": 300, "validation": 40, "heldout": 60},
        base_model=NOVA_2_LITE,
        reward_arn=f"{house.reward}:{house.reward_version}",
        reward_version=house.reward_version,
        reward_sha256="hash",
        hyperparameters=HyperParameters(),
        train_uri=f"s3://{house.runs}/{names.staged_key(run_id, 'train')}",
        validation_uri=f"s3://{house.runs}/{names.staged_key(run_id, 'validation')}",
        output_uri=f"s3://{house.runs}/{names.output_prefix(run_id)}",
        estimate=Estimate(steps=20, reward_calls=2400, tokens=1_200_000, hours=0.2, usd=6.5),
        needs_spend_approval=False,
        needs_release_approval=False,
        requested_by="a test",
        prepared_at="2026-11-20T19:00:00+00:00",
        evaluation=items,
    )


@pytest.fixture
def no_pointer(house: Any) -> Any:
    """Nothing was released before, and nothing is afterwards."""
    house.ssm.delete_parameters(Names=[names.parameter("dev", names.PARAM_RELEASED_MODEL)])
    yield
    house.ssm.delete_parameters(Names=[names.parameter("dev", names.PARAM_RELEASED_MODEL)])
