"""One local cloud with the dev environment deployed by the real CDK CLI, and someone who operates it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import names
from contracts.events import Outcome

from local import cloud
from local.bedrock import faults_client
from rft import deploy
from rft.output import Output, Progress

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "dev"
DATASET = "word-problems"
PACE_SECONDS = 0.02
"""Least time of a training step: tests wait for outcomes, not for a chart."""

RUN_SECONDS = 900
PATIENCE_SECONDS = 300
"""How long to wait for what must come. Nobody waits once it is there, so that the length matters to a slow machine and to a failing test
alone."""

ALARM_TYPES: tuple[Any, ...] = ("MetricAlarm", "CompositeAlarm")


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a run ended: the outcome, its reason, and the lineage record it left."""

    run_id: str
    code: str
    reason: str
    lineage: dict[str, Any]


class Operator:
    """Does what a user does, through the `rft` command, and looks at what came of it through the AWS APIs."""

    def __init__(self, endpoint: cloud.Endpoint, inbox: str, mail: dict[str, str]) -> None:
        self.endpoint = endpoint
        self.s3 = endpoint.client("s3")
        self.ssm = endpoint.client("ssm")
        self.states = endpoint.client("stepfunctions")
        self.bedrock = endpoint.client("bedrock")
        self.sqs = endpoint.client("sqs")
        self.lambda_ = endpoint.client("lambda")
        self.cloudwatch = endpoint.client("cloudwatch")
        self._inbox, self._mail = inbox, mail
        self.events: list[dict[str, Any]] = []
        self.mail: list[tuple[str, dict[str, Any]]] = []

    def rft(self, *arguments: str, code: int = 0, standard_input: str | None = None) -> Any:
        """Runs `rft … --local --json` and gives its answer."""
        done = subprocess.run(
            [ROOT / ".venv/bin/rft", *arguments, "--local", "--json"],
            env={**os.environ, cloud.STATE_VARIABLE: str(self.endpoint.state_dir)},
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == code, f"rft {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def parameter(self, name: str) -> str:
        return str(self.ssm.get_parameter(Name=names.parameter(ENVIRONMENT, name))["Parameter"]["Value"])

    def start(self, run_id: str, **request: Any) -> str:
        """Starts a run as any caller of the state machine may, under a name of the test's choosing."""
        body = {"dataset": DATASET, "requested_by": "a test", **request}
        self.states.start_execution(stateMachineArn=self.parameter(names.PARAM_STATE_MACHINE), name=run_id, input=json.dumps(body))
        return run_id

    def execution(self, run_id: str) -> dict[str, Any]:
        arn = self.parameter(names.PARAM_STATE_MACHINE).replace(":stateMachine:", ":execution:")
        described: dict[str, Any] = self.states.describe_execution(executionArn=f"{arn}:{run_id}")
        return described

    def ended(self, run_id: str, seconds: float = RUN_SECONDS) -> Ended:
        """Waits for the end of a run."""

        def look() -> dict[str, Any] | None:
            try:
                found = self.execution(run_id)
            except self.states.exceptions.ExecutionDoesNotExist:
                return None  # what asked for it is still on its way
            return found if found["status"] != "RUNNING" else None

        found = self.eventually(look, f"the end of run {run_id}", seconds)
        code = Outcome.RELEASED.value if found["status"] == "SUCCEEDED" else found.get("error", found["status"])
        if found["status"] == "ABORTED":
            # It never came to its own record; that is made after the end.
            record = names.record_key(run_id, names.ATTESTATION)
            self.eventually(lambda: self.keys(names.PARAM_RUNS_BUCKET, record) or None, f"the record of run {run_id}")
        return Ended(run_id, code, found.get("cause", ""), self.record(run_id, "lineage.json"))

    def record(self, run_id: str, file: str) -> Any:
        return self.read(names.PARAM_RUNS_BUCKET, names.record_key(run_id, file))

    def read(self, bucket_parameter: str, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket=self.parameter(bucket_parameter), Key=key)["Body"].read())

    def keys(self, bucket_parameter: str, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.parameter(bucket_parameter), Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def jobs(self, run_id: str) -> list[dict[str, Any]]:
        return self._named("list_model_customization_jobs", "modelCustomizationJobSummaries", run_id)

    def deployments(self, run_id: str) -> list[dict[str, Any]]:
        return self._named("list_custom_model_deployments", "modelDeploymentSummaries", run_id)

    def _named(self, operation: str, member: str, run_id: str) -> list[dict[str, Any]]:
        pages = self.bedrock.get_paginator(operation).paginate(nameContains=names.job_name(ENVIRONMENT, run_id))
        return [found for page in pages for found in page[member]]

    def runs(self) -> set[str]:
        """Ids of all runs so far."""
        pages = self.states.get_paginator("list_executions").paginate(stateMachineArn=self.parameter(names.PARAM_STATE_MACHINE))
        return {execution["name"] for page in pages for execution in page["executions"]}

    def heard(self, detail_type: str, **detail: str) -> dict[str, Any]:
        """Waits for an event on the environment's bus whose detail has these values."""

        def look() -> dict[str, Any] | None:
            for message in self.sqs.receive_message(QueueUrl=self._inbox, MaxNumberOfMessages=10).get("Messages", []):
                self.events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self._inbox, ReceiptHandle=message["ReceiptHandle"])
            wanted = detail.items()
            return next((e for e in self.events if e["detail-type"] == detail_type and wanted <= e["detail"].items()), None)

        return self.eventually(look, f"event {detail_type} {detail}")

    def told(self, *words: str, topic: str = names.PARAM_TOPIC) -> dict[str, Any]:
        """Waits for what a subscriber of a topic gets and whose subject or message holds these words."""

        def look() -> dict[str, Any] | None:
            for message in self.sqs.receive_message(QueueUrl=self._mail[topic], MaxNumberOfMessages=10).get("Messages", []):
                self.mail.append((topic, json.loads(message["Body"])))
                self.sqs.delete_message(QueueUrl=self._mail[topic], ReceiptHandle=message["ReceiptHandle"])
            for to, letter in self.mail:
                if to == topic and all(word in f"{letter.get('Subject')}\n{letter['Message']}" for word in words):
                    return letter
            return None

        letter: dict[str, Any] = self.eventually(look, f"a message with {words} to {topic}")
        return letter

    def alarm(self, construct_id: str) -> str:
        """Name of the alarm with this construct id."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=list(ALARM_TYPES))
        found = [each["AlarmName"] for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for each in page[kind]]
        (name,) = [each for each in found if re.search(rf"{construct_id}(?:Alarm)?[0-9A-F]{{8}}(?:-|$)", each)]
        return str(name)

    def went(self, construct_id: str) -> list[str]:
        """The states an alarm has gone to, in order."""
        pages = self.cloudwatch.get_paginator("describe_alarm_history").paginate(
            AlarmName=self.alarm(construct_id), HistoryItemType="StateUpdate", ScanBy="TimestampAscending", AlarmTypes=list(ALARM_TYPES)
        )
        return [json.loads(item["HistoryData"])["newState"]["stateValue"] for page in pages for item in page["AlarmHistoryItems"]]

    def raised(self, construct_id: str) -> None:
        """Waits for an alarm to go off, unless it has."""
        self.eventually(lambda: "ALARM" in self.went(construct_id) or None, f"the alarm {construct_id}")

    def cleared(self, construct_id: str) -> None:
        """Waits for an alarm that went off to be over."""
        self.raised(construct_id)
        self.eventually(lambda: self.went(construct_id)[-1] == "OK" or None, f"the end of the alarm {construct_id}")

    def eventually(self, look: Any, what: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """Calls `look` until it gives something, and fails saying what was waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(0.2)
        raise AssertionError(f"waited {seconds:g} s for {what}")

    def state(self, run_id: str) -> str:
        """The state a run is in, as the command shows it."""
        return str(self.rft("run", "show", run_id)["state"])

    def pace(self, seconds: float = PACE_SECONDS) -> None:
        """The least time a training step takes from now on."""
        faults_client.set_pace(self.endpoint, seconds)

    def no_more_faults(self) -> None:
        faults_client.clear(self.endpoint)

    def fault(self, name: str, **parameters: Any) -> None:
        faults_client.set_fault(self.endpoint, name, **parameters)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs with faults come last: they release other models, raise every alarm, and take the places of all jobs."""
    items.sort(key=lambda item: item.path.name == "test_faults.py")


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[cloud.Endpoint]:
    with cloud.running(state_dir=tmp_path_factory.mktemp("cloud")) as running:
        faults_client.set_pace(running, PACE_SECONDS)
        progress = Progress(Output(as_json=True), None)
        variables, log = running.environ(), tmp_path_factory.mktemp("deploy") / "deploy.log"
        deploy.bootstrap(account=cloud.ACCOUNT, region=cloud.REGION, variables=variables, log=log, progress=progress)
        deploy.deploy(environment=ENVIRONMENT, variables=variables, log=log, progress=progress)
        yield running


def _queue(endpoint: cloud.Endpoint, name: str, service: str) -> tuple[str, str]:
    """URL and ARN of a new queue that a service may send to."""
    sqs = endpoint.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [policy]})})
    return str(url), str(arn)


def _subscribed(endpoint: cloud.Endpoint, topic: str) -> str:
    """URL of a queue that gets what is published to one of the environment's topics."""
    url, arn = _queue(endpoint, topic, "sns.amazonaws.com")
    topic_arn = endpoint.client("ssm").get_parameter(Name=names.parameter(ENVIRONMENT, topic))["Parameter"]["Value"]
    endpoint.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    return url


@pytest.fixture(scope="session")
def dev(endpoint: cloud.Endpoint) -> Operator:
    """The dev environment, with the shipped dataset registered and its first run under way."""
    bus, events = names.bus(ENVIRONMENT), endpoint.client("events")
    inbox, arn = _queue(endpoint, "bus-inbox", "events.amazonaws.com")
    events.put_rule(Name="everything", EventBusName=bus, EventPattern=json.dumps({"source": [names.EVENT_SOURCE]}))
    events.put_targets(Rule="everything", EventBusName=bus, Targets=[{"Id": "inbox", "Arn": arn}])
    operator = Operator(endpoint, inbox, {topic: _subscribed(endpoint, topic) for topic in (names.PARAM_TOPIC, names.PARAM_ON_CALL)})
    operator.rft("dataset", "add", str(ROOT / "datasets" / f"{DATASET}.jsonl"), "--name", DATASET)
    return operator


@pytest.fixture(scope="session")
def version(dev: Operator) -> str:
    """The registered version of the shipped dataset."""
    return str(dev.read(names.PARAM_DATASETS_BUCKET, names.latest_key(DATASET))["version"])


@pytest.fixture(scope="session")
def failed_grader(dev: Operator) -> None:
    """The reward function was called with what it cannot read, once."""
    function = dev.parameter(names.PARAM_REWARD_FUNCTION)
    answer = dev.lambda_.invoke(FunctionName=function, Qualifier=names.REWARD_ALIAS, Payload=b'"no samples"')
    assert answer["FunctionError"]


@pytest.fixture(scope="session")
def first_run(dev: Operator, version: str) -> Ended:
    """The run that the registration itself started."""
    return dev.ended(names.run_id_for(DATASET, version))
