"""What the alarms of an environment look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from contracts.metrics import Metric

from stacks.constructs.alarm import between_looks
from stacks.constructs.metric import FIVE_MINUTES, environment_metric
from stacks.constructs.triggers import Trigger
from stacks.settings import EnvironmentSettings


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What is watched besides the project's own metrics.

    Attributes:
        settings: of the environment.
        reward: the function Bedrock calls.
        state_machine: the runs.
        released: what looks at the released model.
        rules: what carries events, by name.
        queues: what could not be delivered, by name.
        copies: where there is a backup: its bucket, and the prefixes copied from each source bucket.
    """

    settings: EnvironmentSettings
    reward: lambda_.IFunction
    state_machine: sfn.IStateMachine
    released: sfn.IStateMachine
    rules: Mapping[str, Trigger]
    queues: Mapping[str, sqs.IQueue]
    backup: s3.IBucket | None = None
    copies: Mapping[s3.IBucket, tuple[str, ...]] = field(default_factory=dict)

    def metric(self, metric: Metric, statistic: str, period: Duration = FIVE_MINUTES) -> cloudwatch.Metric:
        """One of the project's metrics, over all runs."""
        return environment_metric(self.settings.name, metric, statistic, period)

    @property
    def look(self) -> Duration:
        """A period in which TrackTraining looks at a running job at least once."""
        return between_looks(self.settings.training.poll_seconds)
