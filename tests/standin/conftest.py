"""A local cloud in memory: S3, a reward function, events. The stand-in under test is the real one, behind real boto3 clients."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError
from contracts.settings import NOVA_2_LITE

from local.bedrock import StandIn, mount

ACCOUNT, REGION = "111122223333", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
REWARD = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:reward:3"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"

Sample = dict[str, Any]
Event = list[Sample]


def pay_right_answers(event: Event) -> Any:
    """What a strict maths grader does: one marker line, on it nothing but the right number."""
    scores = []
    for sample in event:
        gold = sample["metadata"]["reference_answer"].rpartition("####")[2].strip()
        marked = re.findall(r"^#### *\**\$?(-?[\d,]+)\**$", sample["messages"][-1]["content"], re.MULTILINE)
        lines = sample["messages"][-1]["content"].count("####")
        right = lines == 1 and len(marked) == 1 and marked[0].replace(",", "") == gold
        scores.append({"id": sample["id"], "aggregate_reward_score": float(right)})
    return scores


class FakeS3:
    def __init__(self, cloud: FakeCloud, role: bool) -> None:
        self.cloud = cloud
        self.role = role

    def _check(self, action: str, bucket: str) -> None:
        self.cloud.s3_calls.append((action, self.role))
        if self.role and action in self.cloud.denied:
            raise _error("AccessDenied", action)
        if bucket not in self.cloud.buckets:
            raise _error("NoSuchBucket", action)

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": [{"Name": name} for name in self.cloud.buckets]}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:  # noqa: N803
        self._check("ListObjectsV2", Bucket)
        found = [{"Key": k, "ETag": str(hash(v))} for k, v in self.cloud.buckets[Bucket].items() if k.startswith(Prefix)]
        return {"Contents": found[:MaxKeys], "IsTruncated": False}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self._check("GetObject", Bucket)
        if Key not in self.cloud.buckets[Bucket]:
            raise _error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.cloud.buckets[Bucket][Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self._check("PutObject", Bucket)
        self.cloud.buckets[Bucket][Key] = Body


class FakeLambda:
    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert (FunctionName, InvocationType) == (REWARD, "RequestResponse")
        event = json.loads(Payload)
        with self.cloud.lock:
            self.cloud.reward_events.append(event)
        return self.cloud.invoke(event)


class FakeKms:
    def describe_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803
        if KeyId != KEY:
            raise _error("NotFoundException", "DescribeKey")
        return {"KeyMetadata": {"Arn": KEY, "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT"}}


class FakeEc2:
    def describe_subnets(self, *, SubnetIds: list[str]) -> None:  # noqa: N803
        if SubnetIds != ["subnet-1"]:
            raise _error("InvalidSubnetID.NotFound", "DescribeSubnets")

    def describe_security_groups(self, *, GroupIds: list[str]) -> None:  # noqa: N803
        assert GroupIds == ["sg-1"]


class FakeCloud:
    """Implements `local.bedrock.ports.Cloud`."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.place = (ACCOUNT, REGION)
        self.buckets: dict[str, dict[str, bytes]] = {"data": {}, "runs": {}}
        self.reward: Callable[[Event], Any] = pay_right_answers
        self.invoke: Callable[[Event], dict[str, Any]] = self._run_reward
        self.reward_events: list[Event] = []
        self.events: list[dict[str, Any]] = []
        self.s3_calls: list[tuple[str, bool]] = []
        self.denied: set[str] = set()
        self.trusted = True
        self.may_pass = True
        self.lock = threading.Lock()

    def account(self) -> str:
        return self.place[0]

    def region(self) -> str:
        return self.place[1]

    def assume(self, role_arn: str, *, account: str, region: str) -> dict[str, str]:
        if not self.trusted:
            raise PermissionError(role_arn)
        return {"AccessKeyId": role_arn, "SecretAccessKey": account, "SessionToken": region}

    def client(self, service: str, *, account: str, region: str, credentials: dict[str, str] | None = None) -> Any:
        assert credentials is None or credentials["AccessKeyId"] == ROLE
        if service == "s3":
            return FakeS3(self, credentials is not None)
        return {"lambda": FakeLambda(self), "kms": FakeKms(), "ec2": FakeEc2()}[service]

    def put_event(self, **event: Any) -> None:
        self.events.append(event)

    def caller_may(self, action: str, resource: str, context: dict[str, str]) -> bool:
        assert (action, resource, context) == ("iam:PassRole", ROLE, {"iam:PassedToService": "bedrock.amazonaws.com"})
        return self.may_pass

    def _run_reward(self, event: Event) -> dict[str, Any]:
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(self.reward(event)).encode())}


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "a secret of the data"}}, operation)


def _headers(given: dict[str, str]) -> Any:
    return HeadersDict(given)


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Aimed:
    """A real boto3 client whose requests go to one stand-in, not to a socket. The clients behind it are shared: they are slow to make."""

    _clients: ClassVar[dict[str, Any]] = {}
    _target: ClassVar[dict[str, Aimed]] = {}

    def __init__(self, standin: StandIn, service: str, *, decoded_paths: bool = False) -> None:
        self.standin = standin
        self.service = service
        self.decoded_paths = decoded_paths

    def __getattr__(self, name: str) -> Any:
        Aimed._target[self.service] = self
        if self.service not in Aimed._clients:
            Aimed._clients[self.service] = _client(self.service)
        return getattr(Aimed._clients[self.service], name)

    @staticmethod
    def send(service: str, request: Any) -> AWSResponse:
        aimed = Aimed._target[service]
        parts = urlsplit(request.url)
        path = unquote(parts.path) if aimed.decoded_paths else parts.path
        handler = aimed.standin.control if service == "bedrock" else aimed.standin.runtime
        headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
        status, out, body = asyncio.run(handler(request.method, path, headers, request.body, parse_qs(parts.query)))
        return AWSResponse(request.url, status, _headers(out), _Raw(body))


def _client(service: str) -> Any:
    client = botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"max_attempts": 0}, parameter_validation=False),
    )

    def send(request: Any, **_: Any) -> Any:
        return Aimed.send(service, request)

    client.meta.events.register(f"before-send.{service}", send)
    return client


def problems(count: int, first: int = 0) -> bytes:
    """GSM8K-like records with 1 to 6 worked steps and different answers."""
    lines = []
    for number in range(first, first + count):
        answer = 1000 + 7 * number
        work = "\n".join(f"Step {step}: {step}+1 = <<{step}+1={step + 1}>>{step + 1}" for step in range(number % 6))
        work = f"{work}\nSo it is {answer}.".strip()
        prompt = f"Problem {number}: what is {answer - 1} + 1? End with #### and the number."
        record = {"messages": [{"role": "user", "content": prompt}], "reference_answer": f"{work}\n#### {answer}", "tier": number % 3}
        lines.append(json.dumps(record))
    return ("\n".join(lines) + "\n").encode()


def request(**changes: Any) -> dict[str, Any]:
    """A valid CreateModelCustomizationJob request; a change to None leaves the member out."""
    body: dict[str, Any] = {
        "jobName": "rft-dev-one",
        "customModelName": "rft-dev-one",
        "roleArn": ROLE,
        "clientRequestToken": "token-one",
        "baseModelIdentifier": NOVA_2_LITE,
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "trainingDataConfig": {"s3Uri": "s3://data/staged/one/train.jsonl"},
        "validationDataConfig": {"validators": [{"s3Uri": "s3://data/staged/one/validation.jsonl"}]},
        "outputDataConfig": {"s3Uri": "s3://runs/output/one/"},
        "customizationConfig": {
            "rftConfig": {
                "graderConfig": {"lambdaGrader": {"lambdaArn": REWARD}},
                "hyperParameters": {
                    "epochCount": 2,
                    "batchSize": 32,
                    "learningRate": 5e-5,
                    "maxPromptLength": 1024,
                    "trainingSamplePerPrompt": 4,
                    "inferenceMaxTokens": 768,
                    "reasoningEffort": "low",
                    "evalInterval": 5,
                },
            }
        },
    }
    return {key: value for key, value in (body | changes).items() if value is not None}


class Bench:
    """A stand-in on a cloud in memory, with data for a job in place."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.standin = mount(cloud)
        self.standin.admin("POST", "/_rft/pace", {"seconds_per_step": 0})
        self.bedrock = Aimed(self.standin, "bedrock")
        self.runtime = Aimed(self.standin, "bedrock-runtime")

    def fault(self, name: str, **params: Any) -> None:
        self.standin.admin("POST", "/_rft/faults", {"name": name, **params})

    def finished(self, job: str = "rft-dev-one", within: float = 120.0) -> dict[str, Any]:
        """The job's description once it has ended."""
        return self.until(lambda found: found["status"] in ("Completed", "Failed", "Stopped"), job, within)

    def until(self, true: Callable[[dict[str, Any]], bool], job: str = "rft-dev-one", within: float = 120.0) -> dict[str, Any]:
        end = time.monotonic() + within
        while time.monotonic() < end:
            found: dict[str, Any] = self.bedrock.get_model_customization_job(jobIdentifier=job)
            if true(found):
                return found
            time.sleep(0.02)
        raise AssertionError(f"still {found['status']} after {within} s")

    def statuses(self) -> list[str]:
        """`jobStatus` of the events so far, once those of an ended job have been sent."""
        for thread in self.standin.runner.threads.values():
            thread.join(120)
        return [event["detail"]["jobStatus"] for event in self.cloud.events]


@pytest.fixture
def cloud(tmp_path: Path) -> FakeCloud:
    found = FakeCloud(tmp_path)
    found.buckets["data"] = {"staged/one/train.jsonl": problems(128), "staged/one/validation.jsonl": problems(24, 500)}
    return found


@pytest.fixture
def bench(cloud: FakeCloud) -> Iterator[Bench]:
    made = Bench(cloud)
    yield made
    made.standin.shutdown()


@pytest.fixture
def make_request() -> Callable[..., dict[str, Any]]:
    return request


@pytest.fixture
def reopen() -> Callable[[FakeCloud], Bench]:
    """Mounts another stand-in on the same cloud, as after a restart."""
    return Bench


@pytest.fixture
def make_problems() -> Callable[..., bytes]:
    return problems


@pytest.fixture
def decoded_client() -> Callable[[StandIn], Any]:
    """A client whose requests reach the stand-in with the path decoded, as some front ends hand it on."""
    return lambda standin: Aimed(standin, "bedrock", decoded_paths=True)
