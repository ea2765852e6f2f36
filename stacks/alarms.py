"""Alarms: what wakes someone, and what that person is to do."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct
from contracts.metrics import Metric

from stacks.constructs.alarm import BELOW, AlarmRule, build_alarm
from stacks.constructs.metric import FIVE_MINUTES, MINUTE, aws_metric, environment_metric, waiting
from stacks.constructs.triggers import Trigger
from stacks.settings import EnvironmentSettings


class Alarms(Construct):
    """The alarms of one environment on trends, grader, runs and what carries events.

    Attributes:
        all: every one of them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        topic: sns.ITopic,
        reward: lambda_.IFunction,
        state_machine: sfn.IStateMachine,
        rules: Mapping[str, Trigger],
        queues: Mapping[str, sqs.IQueue],
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._reward = reward
        self._state_machine = state_machine
        self.all = [
            build_alarm(self, alarm, topic=topic)
            for alarm in [*self._trend(), *self._grader(), *self._lifecycle(), *_undelivered(rules, queues)]
        ]

    def _metric(self, metric: Metric, statistic: str, period: Duration = FIVE_MINUTES) -> cloudwatch.Metric:
        return environment_metric(self._settings.name, metric, statistic, period)

    def _trend(self) -> list[AlarmRule]:
        floors = self._settings.alarms
        return [
            AlarmRule(
                construct_id="RewardBelowFloor",
                metric=self._metric(Metric.REWARD, "Average", MINUTE),
                threshold=floors.reward_floor,
                comparison=BELOW,
                of=15,
                breaching=10,
                advice=f"Mean training reward stayed below {floors.reward_floor:g} for 10 of 15 minutes. Look at the outcomes on the "
                "dashboard: no marker or unparsable points at the prompt, wrong at a task too hard; then stop the run.",
            ),
            AlarmRule(
                construct_id="NoSpread",
                metric=self._metric(Metric.GROUP_SPREAD, "Average", MINUTE),
                threshold=floors.spread_floor,
                comparison=BELOW,
                of=15,
                breaching=10,
                advice="Responses to the same prompt all score alike, so nothing is being learnt. The reward is constant, or the task "
                "is solved or out of reach: stop the run and rehearse the reward.",
            ),
        ]

    def _grader(self) -> list[AlarmRule]:
        function = {"FunctionName": self._reward.function_name}
        limit = self._settings.reward.timeout_seconds * 1000
        return [
            AlarmRule(
                construct_id="GraderFaults",
                metric=self._metric(Metric.GRADER_FAULTS, "Sum"),
                threshold=0,
                advice="Samples scored 0 for a fault of the data or the grader, not of the model. See which outcome rose on the dashboard; "
                "bad gold means the dataset, invalid or internal error the grader's log.",
            ),
            AlarmRule(
                construct_id="RewardErrors",
                metric=aws_metric("AWS/Lambda", "Errors", function),
                threshold=0,
                advice="The reward function failed whole calls; Bedrock gives up on the job after three. Read the function's log.",
            ),
            AlarmRule(
                construct_id="RewardThrottles",
                metric=aws_metric("AWS/Lambda", "Throttles", function),
                threshold=0,
                advice="The reward function was throttled, which Bedrock takes for a failed grader. Raise reward.reserved_concurrency or "
                "the account's concurrency.",
            ),
            AlarmRule(
                construct_id="RewardSlow",
                metric=aws_metric("AWS/Lambda", "Duration", function, statistic="Maximum"),
                threshold=0.8 * limit,
                advice=f"A reward call took more than 80 % of its {self._settings.reward.timeout_seconds} s. Raise reward.timeout_seconds "
                "or reward.memory_mb before calls are cut off.",
            ),
        ]

    def _lifecycle(self) -> list[AlarmRule]:
        machine = {"StateMachineArn": self._state_machine.state_machine_arn}
        return [
            AlarmRule(
                construct_id="DatasetRejected",
                metric=self._metric(Metric.DATASET_REJECTED, "Sum"),
                threshold=0,
                advice="An upload was refused and stays where it was. Its report lies under rejected/ in the datasets bucket: mend the "
                "file and upload it again.",
            ),
            AlarmRule(
                construct_id="RunRefused",
                metric=self._metric(Metric.RUN_REFUSED, "Sum"),
                threshold=0,
                advice="A run request was refused before anything was started. `rft run show` names the key, its value and what is "
                "allowed.",
            ),
            AlarmRule(
                construct_id="RunFailed",
                metric=self._metric(Metric.RUN_FAILED, "Sum"),
                threshold=0,
                advice="A run ended by a fault of job, deployment or pipeline. `rft run show` gives state and reason; what cost money is "
                "already cleaned up.",
            ),
            AlarmRule(
                construct_id="RunTimedOut",
                metric=aws_metric("AWS/States", "ExecutionsTimedOut", machine),
                threshold=0,
                advice="A run hit the state machine's own time limit, so its cleaning up did not happen. Stop its Bedrock job and delete "
                "its deployment by hand; both carry the run's id in their name.",
            ),
        ]


def _undelivered(rules: Mapping[str, Trigger], queues: Mapping[str, sqs.IQueue]) -> list[AlarmRule]:
    alarms = [
        AlarmRule(
            construct_id=f"{name}NotEmpty",
            metric=waiting(queue),
            threshold=0,
            advice="An event could not be handled and waits in a dead-letter queue for 14 days. Read the message, mend the cause, then "
            "start what it asked for by hand and delete it.",
        )
        for name, queue in queues.items()
    ]
    for name, rule in rules.items():
        alarms += [
            AlarmRule(
                construct_id=f"{name}RuleFailing",
                metric=aws_metric("AWS/Events", "FailedInvocations", rule.dimensions),
                threshold=0,
                advice="EventBridge could not invoke the rule's function and will not try again. Check that the function exists and "
                "lets events.amazonaws.com call it.",
            )
        ]
    return alarms
