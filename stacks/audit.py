"""The audit stack: what was done and by whom, and an alarm when somebody touches the record of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs import perimeter
from stacks.constructs.alarm import AlarmRule, build_alarm
from stacks.constructs.trail import Trail
from stacks.foundation import FoundationStack
from stacks.notifications import Notifications
from stacks.settings import EnvironmentSettings

NAMESPACE = "RFT/Audit"
"""Metrics made from the trail's events by metric filters; no code emits them."""


@dataclass(frozen=True, kw_only=True)
class Tampering:
    """A kind of call that wakes somebody.

    Attributes:
        name: of filter, metric and alarm.
        pattern: CloudWatch Logs' filter over one CloudTrail event.
        what: what happened.
        first: what to do first.
    """

    name: str
    pattern: str
    what: str
    first: str


_NOT_DEPLOYED = '($.userIdentity.invokedBy NOT EXISTS || $.userIdentity.invokedBy != "cloudformation.amazonaws.com")'
"""A deployment does such things for the stacks; who else does them is the question."""


def _calls(source: str, *actions: str) -> str:
    either = " || ".join(f"($.eventName = {action})" for action in actions)
    return f'{{ ($.eventSource = "{source}.amazonaws.com") && ({either}) && {_NOT_DEPLOYED} }}'


TAMPERING = (
    Tampering(
        name="TrailChanged",
        pattern=_calls("cloudtrail", "StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors"),
        what="A trail of this account was stopped, deleted or changed, and not by a deployment: somebody may want not to be seen.",
        first="look at who in the last files of the audit bucket, and start the trail again.",
    ),
    Tampering(
        name="BucketOpened",
        pattern=_calls(
            "s3",
            "PutBucketPolicy",
            "DeleteBucketPolicy",
            "PutBucketAcl",
            "PutBucketPublicAccessBlock",
            "DeleteBucketPublicAccessBlock",
            "PutBucketVersioning",
            "PutBucketEncryption",
            "DeleteBucketEncryption",
            "PutBucketLifecycle",
            "PutBucketReplication",
            "DeleteBucket",
        ),
        what="A bucket's policy, versioning, encryption or lifecycle was changed, and not by a deployment.",
        first="compare it with its template: drift detection of the stack, or cdk diff.",
    ),
    Tampering(
        name="KeyEndangered",
        pattern=_calls("kms", "ScheduleKeyDeletion", "DisableKey", "PutKeyPolicy", "DeleteImportedKeyMaterial"),
        what="A key was scheduled for deletion or disabled, or its policy changed; the signing key's decides who may sign records.",
        first="cancel a deletion, which waits 30 days: aws kms cancel-key-deletion.",
    ),
    Tampering(
        name="RootUsed",
        pattern='{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != "AwsServiceEvent") }',
        what="The account's root user did something. Nothing here needs it.",
        first="ask its holder, and lock it if nobody answers for it.",
    ),
)


class AuditStack(Stack):
    """The trail and what watches it. It outlives the pipeline and needs nothing of it.

    Attributes:
        trail: files, log group and the trail itself.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: EnvironmentSettings, foundation: FoundationStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=settings.protect, **kwargs)
        self.trail = Trail(
            self,
            "Trail",
            environment=settings.name,
            settings=settings.audit,
            data_buckets=[foundation.buckets.datasets, foundation.buckets.runs],
            logs_key=foundation.keys.logs,
            log_days=settings.retention.log_days,
            protect=settings.protect,
        )
        # The pipeline's composite alarm knows nothing of this stack, which outlives it: so the pager is told of tampering directly.
        told = dict.fromkeys([*settings.notifications.emails, *settings.notifications.on_call])
        self.notifications = Notifications(self, "Tampering", key=foundation.keys.data, emails=list(told))
        perimeter.keep_bucket_inside(self.trail.bucket, settings.perimeter)
        perimeter.keep_topic_inside(self.notifications.topic, settings.perimeter)
        self._runbooks = settings.notifications.runbooks_url
        for kind in TAMPERING:
            self._alarm(kind)

    def _alarm(self, kind: Tampering) -> None:
        logs.CfnMetricFilter(
            self,
            f"{kind.name}Filter",
            log_group_name=self.trail.log_group.log_group_name,
            filter_pattern=kind.pattern,
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(metric_namespace=NAMESPACE, metric_name=kind.name, metric_value="1")
            ],
        )
        rule = AlarmRule(
            construct_id=kind.name,
            metric=cloudwatch.Metric(namespace=NAMESPACE, metric_name=kind.name, statistic="Sum"),
            threshold=0,
            ends=False,
            what=kind.what,
            first=kind.first,
            quiet_because="The filter writes a point for each call it finds; silence means there was none. A trail that was stopped "
            "says so with its last event.",
        )
        build_alarm(self, rule, topic=self.notifications.topic, runbooks=self._runbooks)
