"""Spend: the sweep for what costs money and belongs to no run."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from contracts import names
from contracts.metrics import Metric

from stacks.constructs.alarm import AlarmRule, build_alarm
from stacks.constructs.commons import (
    NAMED_BY_BEDROCK,
    NAMED_BY_THE_RUN,
    Commons,
    custom_models,
    customization_jobs,
    deployments,
    executions_arn,
    state_machine_arn,
)
from stacks.constructs.metric import environment_metric
from stacks.constructs.statements import allow, arn, write_key
from stacks.constructs.task_function import TaskFunction
from stacks.constructs.triggers import schedule


class Spend(Construct):
    """A function that looks for orphans on a schedule, and the alarm on what it finds.

    Attributes:
        sweep: the function.
        alarm: goes off while orphans are found.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        settings = commons.workshop.settings
        self.sweep = self._build_sweep()
        schedule(
            self,
            "Schedule",
            description="Looks for what costs money and belongs to no run",
            expression=f"rate({settings.sweep.hours} hour{'s' if settings.sweep.hours > 1 else ''})",
            payload={},
            target=self.sweep.function,
            dead_letters=dead_letters,
            key=commons.workshop.keys.data,
        )
        self.alarm = build_alarm(
            self,
            self._orphans(settings.name, settings.sweep.hours),
            topic=commons.topic,
            runbooks=settings.notifications.runbooks_url,
        )

    def _build_sweep(self) -> TaskFunction:
        commons, stack = self._commons, Stack.of(self)
        environment = commons.workshop.settings.name
        pointer = arn(stack, "ssm", f"parameter{names.parameter(environment, names.PARAM_RELEASED_MODEL)}")
        removing = [
            allow(["bedrock:StopModelCustomizationJob"], [customization_jobs(stack)], because=NAMED_BY_BEDROCK),
            allow(["bedrock:DeleteCustomModelDeployment"], [deployments(stack)], because=NAMED_BY_BEDROCK),
        ]
        return commons.function(
            self,
            "sweep",
            description="Finds jobs, deployments and throughput that cost money and belong to no run",
            timeout_seconds=300,
            asynchronous=True,
            statements=[
                allow(
                    [
                        "bedrock:ListModelCustomizationJobs",
                        "bedrock:ListCustomModelDeployments",
                        "bedrock:ListProvisionedModelThroughputs",
                    ],
                    ["*"],
                    {"StringEquals": {"aws:RequestedRegion": stack.region}},
                    because="Bedrock's List calls know no resource (service authorization reference, Amazon Bedrock); they are held to the "
                    "Region.",
                ),
                allow(["bedrock:GetCustomModel"], [custom_models(stack)], because=NAMED_BY_BEDROCK),
                *(removing if commons.workshop.settings.sweep.remove else []),
                allow(
                    ["states:DescribeExecution", "states:GetExecutionHistory"],
                    [executions_arn(stack, environment)],
                    because=NAMED_BY_THE_RUN,
                ),
                allow(["states:ListExecutions"], [state_machine_arn(stack, environment)]),
                # What the pointer names is in use.
                allow(["ssm:GetParameter"], [pointer]),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(commons.workshop.keys.data, stack.region, "sns"),
            ],
        )

    @staticmethod
    def _orphans(environment: str, hours: int) -> AlarmRule:
        return AlarmRule(
            construct_id="OrphansFound",
            metric=environment_metric(environment, Metric.ORPHANS, "Maximum", Duration.hours(hours)),
            threshold=0,
            told="the sweep names each, its price per hour and whether it was removed.",
            what="Something costs money and belongs to no run.",
            first="read the sweep's message, remove by hand what is still there, then find out which run lost it.",
            quiet_because="Each sweep sends a figure, 0 included; a sweep that failed is in the dead-letter queue FailedEvents.",
        )
