"""The trail: who called what in this account, and who touched the data, the reward function and the keys."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct
from contracts import names

from stacks.audit_settings import AuditSettings
from stacks.constructs.audit_bucket import AuditBucket, trail_key
from stacks.constructs.log_group import log_group
from stacks.constructs.role import role
from stacks.constructs.statements import allow, arn, for_service

Selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
Field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty


class Trail(Construct):
    """A multi-Region trail with log-file validation, into a locked bucket and an encrypted log group.

    Management events are complete, reads and KMS included: a Decrypt is a read, and who used a key is what a reviewer asks. The first
    copy of an account's management events is free, and bucket keys keep KMS's few.

    Attributes:
        bucket: where the files are.
        log_group: the same events within minutes, for the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        settings: AuditSettings,
        data_buckets: Sequence[s3.IBucket],
        logs_key: kms.IKey,
        log_days: int,
        protect: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        name = names.trail(environment)
        trail_arn = arn(stack, "cloudtrail", f"trail/{name}")
        key = trail_key(self, "Key", trail_arn=trail_arn, protect=protect)
        kept = AuditBucket(self, "Files", key=key, trail_arn=trail_arn, settings=settings)
        self.bucket = kept.bucket
        removal = RemovalPolicy.RETAIN if protect else RemovalPolicy.DESTROY
        self.log_group = log_group(self, "Events", key=logs_key, days=log_days, removal_policy=removal)
        delivery = _delivery_role(self, trail_arn, self.log_group)
        self.trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name,
            s3_bucket_name=self.bucket.bucket_name,
            kms_key_id=key.key_arn,
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            cloud_watch_logs_log_group_arn=self.log_group.log_group_arn,
            cloud_watch_logs_role_arn=delivery.role_arn,
            advanced_event_selectors=[
                Selector(name="Every management event", field_selectors=[Field(field="eventCategory", equal_to=["Management"])]),
                _data(
                    "Objects of the data buckets",
                    "AWS::S3::Object",
                    Field(field="resources.ARN", starts_with=[bucket.arn_for_objects("") for bucket in data_buckets]),
                ),
                _data(
                    "Objects of this trail's own bucket, but for its deliveries",
                    "AWS::S3::Object",
                    Field(field="resources.ARN", starts_with=[self.bucket.arn_for_objects("")]),
                    Field(field="eventName", not_equals=["PutObject"]),
                ),
                # By the beginning of its generated name, because the function lives in a stack that may come and go.
                _data(
                    "Invocations of the reward function",
                    "AWS::Lambda::Function",
                    Field(
                        field="resources.ARN", starts_with=[arn(stack, "lambda", f"function:{names.reward_function_prefix(environment)}")]
                    ),
                ),
            ],
        )
        # CloudTrail checks that it may deliver when the trail is made.
        policy = self.bucket.policy
        for needed in (policy, delivery):
            if needed is not None:
                self.trail.node.add_dependency(needed)


def _data(name: str, kind: str, *fields: Field) -> Selector:
    return Selector(
        name=name,
        field_selectors=[Field(field="eventCategory", equal_to=["Data"]), Field(field="resources.type", equal_to=[kind]), *fields],
    )


def _delivery_role(scope: Construct, trail_arn: str, group: logs.LogGroup) -> iam.IRole:
    # CloudTrail names its streams by account and Region (user guide, cloudtrail-required-policy-for-cloudwatch-logs).
    streams = arn(Stack.of(scope), "logs", f"log-group:{group.log_group_name}:log-stream:{Aws.ACCOUNT_ID}_CloudTrail_*")
    statement = allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [streams],
        because="CloudTrail names a stream by account and Region and adds numbers of its own; all are in this one log group.",
    )
    return role(
        scope,
        "DeliveryRole",
        assumed_by=for_service("cloudtrail.amazonaws.com", [trail_arn]),
        description="CloudTrail's events to CloudWatch Logs",
        statements=[statement],
    )
