"""The dashboard: what is drawn of an environment, from `contracts.metrics` and the services' own metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct
from contracts import names
from contracts.metrics import Metric

from stacks.constructs.metric import MINUTE, aws_metric, environment_metric, waiting

OUTCOMES = tuple(metric for metric in Metric if metric.name.startswith("OUTCOME_"))


class Dashboard(Construct):
    """The dashboard of one environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        reward: lambda_.IFunction,
        state_machine: sfn.IStateMachine,
        queues: Mapping[str, sqs.IQueue],
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        function = {"FunctionName": reward.function_name}
        machine = {"StateMachineArn": state_machine.state_machine_arn}
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
                cloudwatch.GraphWidget(title="Undelivered events", width=8, left=[waiting(queue) for queue in queues.values()]),
                cloudwatch.AlarmStatusWidget(title="Alarms", width=16, alarms=list(alarms)),
            ],
        ]
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=names.dashboard(environment), widgets=rows)

    def _graph(
        self, title: str, series: Sequence[tuple[Metric, str]], *, unit_range: bool = False, stacked: bool = False
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            width=8,
            stacked=stacked,
            left=[environment_metric(self._environment, metric, statistic, MINUTE) for metric, statistic in series],
            left_y_axis=cloudwatch.YAxisProps(min=0, max=1) if unit_range else None,
        )
