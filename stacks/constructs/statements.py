"""IAM statements, written out action by action.

CDK's grants are not used: they widen to patterns such as `s3:GetObject*`. A pattern of resources says why beside it: `because`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


class Statement(iam.PolicyStatement):
    """A statement that knows why it names a pattern of resources.

    Attributes:
        patterns: its resources with a `*`.
        because: why nothing narrower can be written; for the acknowledgement of the finding each pattern is.
    """

    def __init__(
        self, *, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None, because: str = ""
    ) -> None:
        super().__init__(actions=list(actions), resources=list(resources), conditions=dict(conditions or {}))
        self.patterns = [resource for resource in resources if "*" in resource]
        self.because = because


def allow(
    actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None, *, because: str = ""
) -> iam.PolicyStatement:
    return Statement(actions=actions, resources=resources, conditions=conditions, because=because)


def in_region(region: str) -> dict[str, dict[str, str]]:
    """The condition for actions that know no resource: they can be held to the Region at least."""
    return {"StringEquals": {"aws:RequestedRegion": region}}


def read_objects(bucket: s3.IBucket, *prefixes: str) -> list[iam.PolicyStatement]:
    """Reads objects under the prefixes, and may list them, so that a missing object is 404 and not 403."""
    return [get_objects(bucket, *prefixes), list_objects(bucket, *prefixes)]


def get_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Reads objects under the prefixes, without listing them."""
    return allow(["s3:GetObject"], _keys(bucket, prefixes), because=_below(prefixes))


def read_versions(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Reads a named version of objects under the prefixes."""
    return allow(["s3:GetObjectVersion"], _keys(bucket, prefixes), because=_below(prefixes))


def list_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    # A read of a missing object is a listing that may carry no prefix; refused, S3 would answer 403 instead of 404.
    # Without a prefix only names of keys can be listed, which hold nothing but names of datasets and runs.
    return allow(["s3:ListBucket"], [bucket.bucket_arn], {"StringLikeIfExists": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}})


def write_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    return allow(["s3:PutObject"], _keys(bucket, prefixes), because=_below(prefixes))


def lock_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Puts an Object Lock on what it writes; lifting one takes s3:BypassGovernanceRetention, which no role of the pipeline has."""
    return allow(["s3:PutObjectRetention"], _keys(bucket, prefixes), because=_below(prefixes))


def delete_objects(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Hides the objects: the bucket keeps their versions for as long as its lifecycle says."""
    return allow(["s3:DeleteObject"], _keys(bucket, prefixes), because=_below(prefixes))


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


def budgets_arn(resource: str) -> str:
    """An ARN of AWS Budgets, which knows no Region."""
    return f"arn:{Aws.PARTITION}:budgets::{Aws.ACCOUNT_ID}:{resource}"


def _keys(bucket: s3.IBucket, prefixes: Sequence[str]) -> list[str]:
    return [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]


def _below(prefixes: Sequence[str]) -> str:
    return (
        f"Below {', '.join(prefixes)} each dataset or run has a folder of its own, named after the stacks are deployed; "
        "the prefix is the part of the bucket that this role's task is about."
    )
