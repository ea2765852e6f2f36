"""IAM statements, written out action by action.

CDK's grants are not used: they widen to patterns such as `s3:GetObject*`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


def allow(actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=dict(conditions or {}))


def read_objects(bucket: s3.IBucket, *prefixes: str) -> list[iam.PolicyStatement]:
    """Reads objects under the prefixes, and may list them, so that a missing object is 404 and not 403."""
    return [allow(["s3:GetObject"], _keys(bucket, prefixes)), list_objects(bucket, *prefixes)]


def list_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    # A read of a missing object is a listing that may carry no prefix; refused, S3 would answer 403 instead of 404.
    # Without a prefix only names of keys can be listed, which hold nothing but names of datasets and runs.
    return allow(["s3:ListBucket"], [bucket.bucket_arn], {"StringLikeIfExists": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}})


def write_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    return allow(["s3:PutObject"], _keys(bucket, prefixes))


def delete_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Hides the objects: the bucket keeps their versions for as long as its lifecycle says."""
    return allow(["s3:DeleteObject"], _keys(bucket, prefixes))


def use_key(key: kms.IKey, region: str, service: str, *actions: str) -> iam.PolicyStatement:
    """The key for nothing but what `service` does for the caller."""
    return allow(actions, [key.key_arn], {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}})


def read_key(key: kms.IKey, region: str, service: str = "s3") -> iam.PolicyStatement:
    return use_key(key, region, service, "kms:Decrypt")


def write_key(key: kms.IKey, region: str, service: str = "s3") -> iam.PolicyStatement:
    # Decrypt as well: S3 needs it for multipart uploads, SNS and SQS to check the data key.
    return use_key(key, region, service, "kms:Decrypt", "kms:GenerateDataKey")


def for_service(service: str, source_arns: Sequence[str]) -> iam.ServicePrincipal:
    """A service principal that acts only for this account's own resources (the confused-deputy guard)."""
    return iam.ServicePrincipal(
        service,
        conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": list(source_arns)}},
    )


def arn(scope: Stack, service: str, resource: str, *, account: bool = True) -> str:
    """An ARN in the stack's Region, and account unless AWS owns the resource."""
    return f"arn:{Aws.PARTITION}:{service}:{scope.region}:{Aws.ACCOUNT_ID if account else ''}:{resource}"


def _keys(bucket: s3.IBucket, prefixes: Sequence[str]) -> list[str]:
    return [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]
