"""The data perimeter in resource policies: statements that deny, so that no statement added later can open them to outsiders.

Only denials: being inside grants nothing, each role still needs its own permission. AWS services are let through where they act for
this account (`aws:PrincipalIsAWSService`), since their requests carry neither account nor organisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from stacks.perimeter_settings import PerimeterSettings

TOPIC_ACTIONS = (
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
)
"""All that a topic's policy may speak of; SNS refuses one with `sns:*` (SNS developer guide, access policy API permissions)."""

OBJECT_ACTIONS = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketVersions",
)
"""What touches data. Actions on the bucket itself stay open to CloudFormation, which comes through no endpoint of ours."""

KEY_HEADER = "s3:x-amz-server-side-encryption-aws-kms-key-id"
ALGORITHM_HEADER = "s3:x-amz-server-side-encryption"
CUSTOMER_KEY_HEADER = "s3:x-amz-server-side-encryption-customer-algorithm"


def keep_bucket_inside(bucket: s3.Bucket, perimeter: PerimeterSettings) -> None:
    """Denies the bucket to principals from outside, and to AWS services that act for somebody else."""
    for statement in _outsiders(["s3:*"], [bucket.bucket_arn, bucket.arn_for_objects("*")], perimeter):
        bucket.add_to_resource_policy(statement)


def refuse_other_keys(bucket: s3.Bucket, key: kms.IKey) -> None:
    """Denies writes that ask for another key or another kind of encryption than the bucket's own.

    A write that asks for nothing passes and gets the bucket's default. It must: Bedrock sends no header that is documented, least of
    all with `.write_access_check_file.tmp`, its probe of the output prefix (Bedrock user guide, troubleshooting of fine-tuning).
    """
    asked: list[tuple[str, Mapping[str, Any]]] = [
        ("RefuseOtherKeys", {"Null": {KEY_HEADER: "false"}, "ArnNotEquals": {KEY_HEADER: key.key_arn}}),
        ("RefuseOtherEncryption", {"Null": {ALGORITHM_HEADER: "false"}, "StringNotEquals": {ALGORITHM_HEADER: "aws:kms"}}),
        ("RefuseCustomerKeys", {"Null": {CUSTOMER_KEY_HEADER: "false"}}),
    ]
    for sid, condition in asked:
        bucket.add_to_resource_policy(_deny(sid, ["s3:PutObject"], [bucket.arn_for_objects("*")], condition))


def only_through(bucket: s3.Bucket, endpoint_id: str, exceptions: Sequence[str]) -> None:
    """Denies objects to whoever comes by another way than the VPC endpoint, but for the exceptions and AWS services.

    Args:
        bucket: a data bucket.
        endpoint_id: the S3 gateway endpoint's.
        exceptions: patterns of principal ARNs that may come from anywhere.
    """
    bucket.add_to_resource_policy(
        _deny(
            "OnlyThroughTheVpc",
            list(OBJECT_ACTIONS),
            [bucket.bucket_arn, bucket.arn_for_objects("*")],
            {
                "StringNotEqualsIfExists": {"aws:SourceVpce": endpoint_id},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"},
                "ArnNotLikeIfExists": {"aws:PrincipalArn": list(exceptions)},
            },
        )
    )


def roles_at_work(environment: str) -> list[str]:
    """Patterns of the roles under which AWS works on the data from its own network, by how CloudFormation begins their names.

    They name the buckets, so the buckets cannot name them. Bedrock reads and checks a job's data under the job role before the job has
    a network interface of ours, and probes the output prefix; S3 lists what it copies into the backup.
    """
    roles = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/rft-{environment}"
    return [f"{roles}-pipeline-JobRole*", f"{roles}-foundation-BackupReplicationRole*"]


def keep_topic_inside(topic: sns.Topic, perimeter: PerimeterSettings) -> None:
    for statement in _outsiders(TOPIC_ACTIONS, [topic.topic_arn], perimeter):
        topic.add_to_resource_policy(statement)


def keep_queue_inside(queue: sqs.Queue, perimeter: PerimeterSettings) -> None:
    for statement in _outsiders(["sqs:*"], [queue.queue_arn], perimeter):
        queue.add_to_resource_policy(statement)


def keep_bus_inside(bus: events.EventBus, perimeter: PerimeterSettings) -> None:
    for statement in _outsiders(["events:*"], [bus.event_bus_arn], perimeter):
        bus.add_to_resource_policy(statement)


def _outsiders(actions: Sequence[str], resources: Sequence[str], perimeter: PerimeterSettings) -> list[iam.PolicyStatement]:
    accounts = [Aws.ACCOUNT_ID, *perimeter.trusted_accounts]
    # Keys of one operator must all hold for the denial: with an organisation, who is of neither is out.
    principals: dict[str, Any] = {"aws:PrincipalAccount": accounts}
    sources: dict[str, Any] = {"aws:SourceAccount": accounts}
    if perimeter.organization_id:
        principals["aws:PrincipalOrgID"] = perimeter.organization_id
        sources["aws:SourceOrgID"] = perimeter.organization_id
    return [
        # IfExists: a request without the key, an anonymous one, is an outsider's.
        _deny(
            "DenyOutsiders",
            actions,
            resources,
            {"StringNotEqualsIfExists": principals, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
        ),
        # Only where the service says for whom it acts; the statements that let services in say who that must be.
        _deny(
            "DenyServicesActingForOutsiders",
            actions,
            resources,
            {
                "StringNotEqualsIfExists": sources,
                "Null": {"aws:SourceAccount": "false"},
                "Bool": {"aws:PrincipalIsAWSService": "true"},
            },
        ),
    ]


def _deny(sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=list(resources),
        conditions=dict(conditions),
    )
