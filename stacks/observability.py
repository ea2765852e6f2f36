"""Observability: who is told, what is drawn, what wakes someone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct
from contracts import names
from contracts.metrics import DIMENSION_ENVIRONMENT, NAMESPACE, Metric

from stacks.constructs.acknowledge import Answer, Owner, acknowledge
from stacks.constructs.alarm import BELOW, AlarmRule, aws_metric, build_alarm
from stacks.constructs.statements import arn
from stacks.constructs.triggers import Trigger
from stacks.settings import EnvironmentSettings

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)

_EMAIL_HAS_NO_QUEUE = Answer(
    reason="A queue for undelivered e-mail would be announced by an alarm that goes out by the same e-mail. SNS retries for hours, every "
    "address gets its own copy, and what is told stays where it is: approvals under tokens/, outcomes in the run's record.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)

OUTCOMES = tuple(metric for metric in Metric if metric.name.startswith("OUTCOME_"))


class Notifications(Construct):
    """The topic that tells people: encrypted, TLS-only, written to by this account's alarms and roles.

    Attributes:
        topic: subscribed to by the environment's addresses.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, emails: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": arn(self.topic.stack, "cloudwatch", "alarm:*")},
                },
            )
        )
        for email in emails:
            subscription = self.topic.add_subscription(subscriptions.EmailSubscription(email))
            acknowledge(subscription, "Serverless-SNSRedrivePolicy", answer=_EMAIL_HAS_NO_QUEUE)


class Observability(Construct):
    """The dashboard and the alarms of one environment, drawn from `contracts.metrics` and the services' own metrics."""

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
        self.alarms = [
            build_alarm(self, alarm, topic=topic)
            for alarm in [*self._trend(), *self._grader(), *self._lifecycle(), *_undelivered(rules, queues)]
        ]
        self._build_dashboard(queues)

    def _metric(self, metric: Metric, statistic: str, period: Duration = FIVE_MINUTES) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.metric_name,
            dimensions_map={DIMENSION_ENVIRONMENT: self._settings.name},
            statistic=statistic,
            period=period,
        )

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

    def _build_dashboard(self, queues: Mapping[str, sqs.IQueue]) -> None:
        function = {"FunctionName": self._reward.function_name}
        machine = {"StateMachineArn": self._state_machine.state_machine_arn}
        rows: list[list[cloudwatch.IWidget]] = [
            [
                self._graph("Reward", [(Metric.REWARD, "Average"), (Metric.VALIDATION_REWARD, "Average")], unit_range=True),
                self._graph("Spread within groups", [(Metric.GROUP_SPREAD, "Average")]),
                self._graph("Response length", [(Metric.RESPONSE_LENGTH, "Average"), (Metric.RESPONSE_LENGTH, "p90")]),
            ],
            [
                self._graph("Outcomes", [(metric, "Sum") for metric in OUTCOMES], stacked=True),
                self._graph("Responses graded", [(Metric.SAMPLES_GRADED, "Sum"), (Metric.GRADER_FAULTS, "Sum")]),
                self._graph("Grader time", [(Metric.GRADER_LATENCY, "p50"), (Metric.GRADER_LATENCY, "p99")]),
            ],
            [
                self._graph("Requests to the judge model", [(Metric.JUDGE_CALLS, "Sum"), (Metric.JUDGE_ERRORS, "Sum")]),
                self._graph("Time of a request to the judge", [(Metric.JUDGE_LATENCY, "p50"), (Metric.JUDGE_LATENCY, "p99")]),
                self._graph("The judge's tokens", [(Metric.JUDGE_INPUT_TOKENS, "Sum"), (Metric.JUDGE_OUTPUT_TOKENS, "Sum")]),
            ],
            [
                self._graph("Held-out and rehearsal", [(Metric.EVALUATION_REWARD, "Average"), (Metric.REHEARSAL_REWARD, "Average")]),
                self._graph("Candidate minus base", [(Metric.CANDIDATE_GAIN, "Average")]),
                self._graph(
                    "Job hours; dollars estimated, so far, and the judge's",
                    [
                        (Metric.JOB_HOURS, "Maximum"),
                        (Metric.SPEND_ESTIMATED, "Maximum"),
                        (Metric.SPEND_SO_FAR, "Maximum"),
                        (Metric.JUDGE_COST, "Sum"),
                    ],
                ),
            ],
            [
                self._graph(
                    "Runs",
                    [
                        (metric, "Sum")
                        for metric in (
                            Metric.RUN_REQUESTED,
                            Metric.RUN_REFUSED,
                            Metric.RUN_RELEASED,
                            Metric.RUN_REJECTED,
                            Metric.RUN_FAILED,
                            Metric.APPROVAL_REQUESTED,
                            Metric.GUARD_RAIL,
                            Metric.ORPHANS,
                            Metric.FOREIGN_JOBS,
                        )
                    ],
                ),
                self._graph("Datasets", [(Metric.DATASET_REGISTERED, "Sum"), (Metric.DATASET_REJECTED, "Sum")]),
                cloudwatch.GraphWidget(
                    title="Reward function and state machine",
                    width=8,
                    left=[
                        *(aws_metric("AWS/Lambda", name, function) for name in ("Invocations", "Errors", "Throttles")),
                        *(aws_metric("AWS/States", name, machine) for name in ("ExecutionsStarted", "ExecutionsFailed")),
                    ],
                ),
            ],
            [
                cloudwatch.GraphWidget(title="Undelivered events", width=8, left=[_waiting(queue) for queue in queues.values()]),
                cloudwatch.AlarmStatusWidget(title="Alarms", width=16, alarms=list(self.alarms)),
            ],
        ]
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=names.dashboard(self._settings.name), widgets=rows)

    def _graph(
        self, title: str, series: Sequence[tuple[Metric, str]], *, unit_range: bool = False, stacked: bool = False
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            width=8,
            stacked=stacked,
            left=[self._metric(metric, statistic, MINUTE) for metric, statistic in series],
            left_y_axis=cloudwatch.YAxisProps(min=0, max=1) if unit_range else None,
        )


def _undelivered(rules: Mapping[str, Trigger], queues: Mapping[str, sqs.IQueue]) -> list[AlarmRule]:
    alarms = [
        AlarmRule(
            construct_id=f"{name}NotEmpty",
            metric=_waiting(queue),
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
                metric=aws_metric("AWS/Events", "FailedInvocations", dict(rule.dimensions)),
                threshold=0,
                advice="EventBridge could not invoke the rule's function and will not try again. Check that the function exists and "
                "lets events.amazonaws.com call it.",
            )
        ]
    return alarms


def _waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    return aws_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.queue_name}, statistic="Maximum")
