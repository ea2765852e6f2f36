"""What tests of the local cloud build in it: roles, functions, state machines, queues, each under a name of its own."""

from __future__ import annotations

import io
import json
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from local import cloud

PATIENCE_SECONDS = 120
"""How long to wait for what must come; only a slow machine and a failing test wait as long."""


class Bench:
    """Makes resources in a local cloud and waits for what they do."""

    def __init__(self, endpoint: cloud.Endpoint) -> None:
        self.endpoint = endpoint

    def client(self, service: str) -> Any:
        return self.endpoint.client(service)

    def name(self, label: str = "t") -> str:
        return f"{label}-{uuid.uuid4().hex[:8]}"

    def role(self, service: str, *statements: dict[str, Any], condition: dict[str, Any] | None = None) -> str:
        """A role that `service` may assume, with these policy statements; its ARN."""
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        if condition:
            trust["Condition"] = condition
        iam, name = self.client("iam"), self.name("role")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))["Role"][
            "Arn"
        ]
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        return str(arn)

    def function(self, code: str, *statements: dict[str, Any], **more: Any) -> str:
        """A Python function with this source in `index.py`, its handler named `handler`; its ARN."""
        made = self.client("lambda").create_function(
            FunctionName=self.name("fn"),
            Role=self.role("lambda.amazonaws.com", *statements),
            Runtime="python3.14",
            Handler="index.handler",
            Code={"ZipFile": zipped({"index.py": textwrap.dedent(code)})},
            **{"Timeout": 60, "MemorySize": 256, **more},
        )
        return str(made["FunctionArn"])

    def invoke(self, function: str, payload: Any) -> tuple[Any, bool]:
        """The function's answer and whether it is an error."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload))
        return json.loads(answer["Payload"].read()), "FunctionError" in answer

    def queue(self, *services: str) -> tuple[str, str]:
        """A queue's URL and ARN; its policy lets these service principals send."""
        url = self.client("sqs").create_queue(QueueName=self.name("q"))["QueueUrl"]
        arn = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        if services:
            statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sqs:SendMessage", "Resource": arn}
            self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
        return url, arn

    def received(self, url: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The next message of a queue."""

        def take() -> Any:
            answer = self.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=0)
            return answer.get("Messages")

        messages = wait_for(take, seconds)
        found: dict[str, Any] = messages[0]
        self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
        return found

    def run(
        self, definition: dict[str, Any], role: str, given: Any = None, seconds: float = PATIENCE_SECONDS, execution: str | None = None
    ) -> dict[str, Any]:
        """Run a JSONata state machine to its end and describe the execution, of this name or any."""
        states = self.client("stepfunctions")
        machine = states.create_state_machine(
            name=self.name("sm"), roleArn=role, definition=json.dumps({"QueryLanguage": "JSONata", **definition})
        )["stateMachineArn"]
        name = execution or self.name("run")
        arn = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given or {}))["executionArn"]

        def ended() -> Any:
            found = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        described: dict[str, Any] = wait_for(ended, seconds)
        return described


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def wait_for(check: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true answer of `check`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing after {seconds} s")


@pytest.fixture
def bench(bare_cloud: cloud.Endpoint) -> Bench:
    return Bench(bare_cloud)


@pytest.fixture
def waiting() -> Callable[..., Any]:
    return wait_for


@pytest.fixture
def allowing() -> Callable[..., dict[str, Any]]:
    return allow


@pytest.fixture
def zipping() -> Callable[[dict[str, str]], bytes]:
    return zipped
