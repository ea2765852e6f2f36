"""The perimeter's detective half: finds what was made in the account beside the pipeline, and calls a person."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from contracts import names
from contracts.events import BEDROCK_JOB_STATE_CHANGE, BEDROCK_SOURCE, CLOUDTRAIL_CALL
from contracts.metrics import Metric
from pipeline.foreign import CALLS

from stacks.constructs.alarm import AlarmRule, build_alarm
from stacks.constructs.commons import NAMED_BY_BEDROCK, Commons, customization_jobs, put_events
from stacks.constructs.metric import environment_metric
from stacks.constructs.statements import allow, read_objects, write_key, write_objects
from stacks.constructs.task_function import TaskFunction
from stacks.constructs.triggers import rule, schedule


class Perimeter(Construct):
    """The function that inspects, what calls it, and its alarm.

    Three ways lead to it, since none is sure: the call itself, which says who made it but needs a trail; Bedrock's own event, which
    needs none; and a schedule, because both are delivered best effort.

    Attributes:
        inspect: the function.
        rules: what calls it, for the alarms on rules.
        alarm: goes off when something was found, and stays on while a job of it runs.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, commons: Commons, makers: Mapping[str, TaskFunction], dead_letters: sqs.IQueue
    ) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        self._settings = commons.workshop.settings.perimeter
        self.inspect = self._build_function({name: task.role.role_arn for name, task in makers.items()})
        self.rules = {
            "ForeignCall": rule(
                self,
                "ForeignCall",
                description="A call made something in Bedrock that only the pipeline should make",
                pattern=events.EventPattern(
                    source=[BEDROCK_SOURCE],
                    detail_type=[CLOUDTRAIL_CALL],
                    # A refused call made nothing.
                    detail={"eventSource": ["bedrock.amazonaws.com"], "eventName": sorted(CALLS), "errorCode": [{"exists": False}]},
                ),
                function=self.inspect.function,
                dead_letters=dead_letters,
            ),
            "JobChanged": rule(
                self,
                "JobChanged",
                description="A customization job of this account, of whomever, has a new status",
                pattern=events.EventPattern(source=[BEDROCK_SOURCE], detail_type=[BEDROCK_JOB_STATE_CHANGE]),
                function=self.inspect.function,
                dead_letters=dead_letters,
            ),
        }
        schedule(
            self,
            "Inspection",
            description="Looks through the account's customization jobs",
            expression=f"rate({self._settings.inspection_minutes} minutes)",
            payload={},
            target=self.inspect.function,
            dead_letters=dead_letters,
            key=commons.workshop.keys.data,
        )
        self.alarm = build_alarm(
            self,
            self._alarm_rule(),
            topic=commons.topic,
            runbooks=commons.workshop.settings.notifications.runbooks_url,
        )

    def _build_function(self, makers: Mapping[str, str]) -> TaskFunction:
        commons, stack = self._commons, Stack.of(self)
        key = commons.workshop.keys.data
        stops = self._settings.stop_foreign_jobs
        return commons.function(
            self,
            "inspect_jobs",
            description="Finds customization jobs and models that were made beside the pipeline",
            timeout_seconds=300,
            asynchronous=True,
            variables={**makers, names.ENV_STOP_FOREIGN_JOBS: str(stops).lower()},
            statements=[
                self._list_jobs(stack.region),
                allow(
                    ["bedrock:GetModelCustomizationJob", *(["bedrock:StopModelCustomizationJob"] if stops else [])],
                    [customization_jobs(stack)],
                    because=NAMED_BY_BEDROCK,
                ),
                *read_objects(commons.buckets.runs, names.RECORDS, names.FOREIGN),
                write_objects(commons.buckets.runs, names.FOREIGN),
                write_key(key, stack.region),
                put_events(commons.bus),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(key, stack.region, "sns"),
            ],
        )

    @staticmethod
    def _list_jobs(region: str) -> iam.PolicyStatement:
        return allow(
            ["bedrock:ListModelCustomizationJobs"],
            ["*"],
            {"StringEquals": {"aws:RequestedRegion": region}},
            because="The action knows no resource (service authorization reference, Amazon Bedrock); the Region is all it can be held to.",
        )

    def _alarm_rule(self) -> AlarmRule:
        # Two intervals: while a job runs, each inspection counts it again, and the alarm must not go off between two of them.
        interval = Duration.minutes(self._settings.inspection_minutes)
        metric = environment_metric(self._commons.workshop.settings.name, Metric.FOREIGN_JOBS, "Sum", interval)
        return AlarmRule(
            construct_id="ForeignJobs",
            metric=metric,
            threshold=0,
            of=2,
            breaching=1,
            told="the inspection says what was made, by whom and when.",
            what="A customization job, deployment or model was made in this account outside the pipeline. A job costs money and may train "
            "on data nobody approved.",
            first="read the inspection's message and ask who made it. If nobody can say, treat the credentials as stolen: revoke the "
            "role's sessions and stop the job.",
            quiet_because="Each inspection counts what it found; silence means nothing was, or that the inspection failed, which is in the "
            "dead-letter queue FailedEvents.",
        )
