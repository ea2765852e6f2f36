"""One alarm on the stage: what the product's own code, and AWS's services, make it see."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from contracts import names
from contracts.metrics import NAMESPACE
from pipeline import trend_record
from pipeline.trend import Step

from tests.alarms.engine import Engine
from tests.alarms.services import Services
from tests.alarms.templates import ACCOUNT, Alarm, Deployed
from tests.released.looking import Model

RUN = "maths-2026-01"
RIGHT, WRONG, UNMARKED = "#### 42", "#### 41", "forty-two"
GROUP = 4
"""Responses to one prompt in a batch."""

_KIND_OF = {
    "EventBusName": "AWS::Events::EventBus",
    "FunctionName": "AWS::Lambda::Function",
    "DestinationBucket": "AWS::S3::Bucket",
    "QueueName": "AWS::SQS::Queue",
    "RuleName": "AWS::Events::Rule",
    "SourceBucket": "AWS::S3::Bucket",
    "StateMachineArn": "AWS::StepFunctions::StateMachine",
}
"""What the dimensions of AWS's metrics name; one of S3's names a rule of replication."""

Play = Callable[["Scene"], None]


class Scene:
    """An alarm, its environment, and the ways data comes to it.

    Attributes:
        engine: the alarm engine, with the alarm loaded.
        deployed: the environment it is in.
        alarm: the alarm itself.
        services: AWS as the steps see it.
    """

    def __init__(self, engine: Engine, deployed: Deployed, alarm: Alarm, patch: pytest.MonkeyPatch) -> None:
        self.engine, self.deployed, self.alarm = engine, deployed, alarm
        self.services = Services()
        self.services.install(patch)
        self._patch = patch

    @property
    def alarm_arn(self) -> str:
        return f"arn:aws:cloudwatch:{self.deployed.settings.region}:{ACCOUNT}:alarm:{self.alarm.name}"

    @property
    def periods(self) -> int:
        """How many the alarm looks at."""
        return int(self.alarm.properties["EvaluationPeriods"])

    @property
    def breaching(self) -> int:
        """How many of them must breach."""
        return int(self.alarm.properties.get("DatapointsToAlarm", self.periods))

    @property
    def period(self) -> int:
        """Seconds; of an expression the longest of its metrics."""
        return _period(self.alarm)

    def afresh(self) -> None:
        """Forgets what the steps stored: what happens again happens to another run."""
        self.services.forget()

    # --- time ---------------------------------------------------------------------------------------------------------

    def quiet(self, periods: int) -> None:
        self.engine.advance(periods * self.period)

    def each_period(self, count: int, play: Play) -> None:
        """Plays at the beginning of each of so many periods."""
        for _ in range(count):
            play(self)
            self.engine.advance(self.period)

    # --- the grader ---------------------------------------------------------------------------------------------------

    def grade(self, answers: Sequence[str], *, reference: object = "42", split: str = names.SPLIT_TRAIN, padding: int = 0) -> None:
        """A batch through the reward function: each answer is one response, `GROUP` in a row to the same prompt."""
        samples = [
            {
                "id": f"s-{place}",
                "messages": [{"role": "assistant", "content": "x" * padding + " " + answer}],
                "metadata": {
                    "reference_answer": reference,
                    names.META_RUN_ID: RUN,
                    names.META_SPLIT: split,
                    names.META_RECORD_ID: f"p-{place // GROUP}",
                },
            }
            for place, answer in enumerate(answers)
        ]
        self.call("reward.handler", samples)

    # --- the pipeline's steps -----------------------------------------------------------------------------------------

    def step(self, name: str, event: dict[str, Any]) -> None:
        """A step of the pipeline, by its module's name. An error it ends in is no matter here: the state machine's."""
        with contextlib.suppress(ValueError):
            self.call(f"pipeline.{name}", event)

    def call(self, module: str, event: object) -> None:
        """A function as Lambda runs it: with its variables from the template, and its output going to its log group."""
        variables = self.deployed.variables(f"{module}.handler")
        with self._patch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
            for name, value in {**variables, "AWS_REGION": self.deployed.settings.region}.items():
                patch.setenv(name, value)
            try:
                importlib.import_module(module).handler(event, None)
            finally:
                for line in out.getvalue().splitlines():
                    self.engine.log(f"/{module}", line)

    def recorded(self, steps: Sequence[Step]) -> None:
        """The steps of the run's job so far, as TrackTraining's last look left them in its record; the grader's log has none since."""
        bucket = self.deployed.variables("pipeline.track_training.handler")[names.ENV_RUNS_BUCKET]
        record = {"steps": list(steps), "settled": len(steps)}
        self.services.objects[bucket, names.record_key(RUN, trend_record.FILE)] = json.dumps(record).encode()

    # --- the released model ---------------------------------------------------------------------------------------------

    def look(self, model: Model) -> None:
        """A look at the released model, by the state machine of the template; each figure reaches CloudWatch."""
        name = names.released_watch(self.deployed.settings.name)
        machines = self.deployed.of("AWS::StepFunctions::StateMachine").values()
        (machine,) = [found for found in machines if found["StateMachineName"] == name]
        definition = json.loads(self.deployed.resolved(machine["DefinitionString"]))
        for point in model.look(definition, datetime.fromtimestamp(self.engine.now, UTC)):
            dimensions = {each["Name"]: each["Value"] for each in point["Dimensions"]}
            self.engine.publish(NAMESPACE, point["MetricName"], point["Value"], dimensions)

    # --- AWS ----------------------------------------------------------------------------------------------------------

    def publish(self, namespace: str, metric: str, value: float) -> None:
        """A service publishes a value of the resource the alarm watches; of several the last."""
        self.engine.publish(namespace, metric, value, self._dimensions(namespace, metric))

    def trail(self, event: dict[str, Any]) -> None:
        """CloudTrail writes an event to the trail's log group, through the environment's metric filters."""
        for name, found in self.deployed.of("AWS::Logs::MetricFilter").items():
            self.engine.filter("/trail", name, found["FilterPattern"], found["MetricTransformations"])
        self.engine.log("/trail", json.dumps(event))

    def _dimensions(self, namespace: str, metric: str) -> dict[str, str]:
        """Those the alarm watches the metric with, each of which must name something that is there."""
        found = [each for each in _metrics(self.alarm) if (each["Namespace"], each["MetricName"]) == (namespace, metric)]
        assert found, f"{self.alarm.construct_id} does not watch {namespace} {metric}"
        dimensions = [{each["Name"]: each["Value"] for each in one.get("Dimensions", [])} for one in found]
        for name, value in itertools.chain.from_iterable(each.items() for each in dimensions):
            assert value in self._named(name), f"{self.alarm.construct_id} watches {name} {value}, and there is none"
        return dimensions[-1]

    def _named(self, dimension: str) -> list[str]:
        """What a dimension may say: names and ARNs of resources, and ids of replication rules."""
        if dimension == "RuleId":
            buckets = self.deployed.of("AWS::S3::Bucket").values()
            return [rule["Id"] for bucket in buckets for rule in bucket.get("ReplicationConfiguration", {}).get("Rules", [])]
        resources = self.deployed.of(_KIND_OF.get(dimension, ""))
        return [name for each in resources for name in (self.deployed.name(each), self.deployed.arn(each))]


def _period(alarm: Alarm) -> int:
    if "Period" in alarm.properties:
        return int(alarm.properties["Period"])
    return max(int(query["MetricStat"]["Period"]) for query in alarm.properties["Metrics"] if "MetricStat" in query)


def _metrics(alarm: Alarm) -> list[dict[str, Any]]:
    if "MetricName" in alarm.properties:
        return [alarm.properties]
    return [query["MetricStat"]["Metric"] for query in alarm.properties.get("Metrics", []) if "MetricStat" in query]
