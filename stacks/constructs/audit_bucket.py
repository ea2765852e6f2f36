"""The bucket of the trail's log files: written by CloudTrail, read by reviewers, emptied by nobody."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.audit_settings import COMPLIANCE, AuditSettings
from stacks.constructs import key_policy
from stacks.constructs.acknowledge import Answer, Owner, acknowledge

DEPLOYER = "cdk-*-cfn-exec-role-*"
"""The role CloudFormation acts under after `cdk bootstrap`: the only one that may change the bucket's own policy and settings."""

_WEEK_AFTER = 7
_ITS_OWN_TRAIL = Answer(
    reason="Reads and deletes of this bucket's objects are data events of the trail it holds, with the caller's identity, which server "
    "access logs lack; its own deliveries are left out, as logging them would never end (CloudTrail user guide, logging-data-events).",
    owner=Owner.SECURITY,
    review="2027-11-30",
)
_LOCKED_IN_PLACE = Answer(
    reason="Log files stay in one Region, locked by Object Lock for audit.retention_days, so that no replica is needed against deletion; "
    "an organisation that wants a copy in another account has its own trail for that (audit.trail = false).",
    owner=Owner.SECURITY,
    review="2027-11-30",
)
_ACCESS_LOGS = (
    "AwsSolutions-S1",
    "NIST.800.53.R5-S3BucketLoggingEnabled",
    "HIPAA.Security-S3BucketLoggingEnabled",
    "PCI.DSS.321-S3BucketLoggingEnabled",
)
_REPLICATION = (
    "NIST.800.53.R5-S3BucketReplicationEnabled",
    "HIPAA.Security-S3BucketReplicationEnabled",
    "PCI.DSS.321-S3BucketReplicationEnabled",
)


class AuditBucket(Construct):
    """Object Lock on every file from the moment it is written, and a policy that refuses every way around it.

    It is kept when its stack is deleted, in every environment: what nobody can empty, nobody can delete.

    Attributes:
        bucket: where CloudTrail delivers.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, trail_arn: str, settings: AuditSettings) -> None:
        super().__init__(scope, construct_id)
        days = Duration.days(settings.retention_days)
        lock = s3.ObjectLockRetention.compliance(days) if settings.mode == COMPLIANCE else s3.ObjectLockRetention.governance(days)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=lock,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire",
                    expiration=Duration.days(settings.retention_days + _WEEK_AFTER),
                    noncurrent_version_expiration=Duration.days(_WEEK_AFTER),
                    abort_incomplete_multipart_upload_after=Duration.days(_WEEK_AFTER),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(self.bucket, *_ACCESS_LOGS, answer=_ITS_OWN_TRAIL)
        acknowledge(self.bucket, *_REPLICATION, answer=_LOCKED_IN_PLACE)
        self._let_cloudtrail_deliver(trail_arn)
        self._refuse_deletion()
        self._refuse_other_settings()

    def _let_cloudtrail_deliver(self, trail_arn: str) -> None:
        # CloudTrail user guide, create-s3-bucket-policy-for-cloudtrail: these two, for this trail alone.
        cloudtrail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        source = {"aws:SourceArn": trail_arn, "aws:SourceAccount": Aws.ACCOUNT_ID}
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudTrailLooks",
                principals=[cloudtrail],
                actions=["s3:GetBucketAcl"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringEquals": source},
            )
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudTrailDelivers",
                principals=[cloudtrail],
                actions=["s3:PutObject"],
                resources=[self.bucket.arn_for_objects(f"AWSLogs/{Aws.ACCOUNT_ID}/*")],
                conditions={"StringEquals": {**source, "s3:x-amz-acl": "bucket-owner-full-control"}},
            )
        )

    def _refuse_deletion(self) -> None:
        # Lifecycle is S3's own and is not asked; it never removes a version whose lock still holds.
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NobodyDeletes",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[
                    "s3:DeleteObject",
                    "s3:DeleteObjectVersion",
                    "s3:BypassGovernanceRetention",
                    "s3:PutObjectRetention",
                    "s3:PutObjectLegalHold",
                    "s3:DeleteBucket",
                ],
                resources=[self.bucket.bucket_arn, self.bucket.arn_for_objects("*")],
            )
        )

    def _refuse_other_settings(self) -> None:
        deployer = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{DEPLOYER}"
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyDeploymentsChangeSettings",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[
                    "s3:PutBucketPolicy",
                    "s3:DeleteBucketPolicy",
                    "s3:PutBucketAcl",
                    "s3:PutBucketOwnershipControls",
                    "s3:PutBucketPublicAccessBlock",
                    "s3:PutBucketVersioning",
                    "s3:PutBucketObjectLockConfiguration",
                    "s3:PutEncryptionConfiguration",
                    "s3:PutLifecycleConfiguration",
                    "s3:PutReplicationConfiguration",
                    "s3:PutBucketLogging",
                ],
                resources=[self.bucket.bucket_arn],
                conditions={"ArnNotLike": {"aws:PrincipalArn": deployer}},
            )
        )


def trail_key(scope: Construct, construct_id: str, *, trail_arn: str, protect: bool) -> kms.Key:
    """The key of the trail's files: CloudTrail encrypts with it for this trail alone; who reads needs kms:Decrypt of its own."""
    key = kms.Key(
        scope,
        construct_id,
        description="RFT: audit trail",
        policy=iam.PolicyDocument(statements=[key_policy.administration(), key_policy.use_through(Stack.of(scope).region, ["s3"])]),
        enable_key_rotation=True,
        rotation_period=Duration.days(365),
        pending_window=Duration.days(30),
        removal_policy=RemovalPolicy.RETAIN if protect else RemovalPolicy.DESTROY,
    )
    # CloudTrail user guide, create-kms-key-policy-for-cloudtrail. Decrypt as well: the bucket uses an S3 Bucket Key.
    cloudtrail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
    source = {"aws:SourceArn": trail_arn, "aws:SourceAccount": Aws.ACCOUNT_ID}
    context = f"arn:{Aws.PARTITION}:cloudtrail:{Stack.of(scope).region}:{Aws.ACCOUNT_ID}:trail/*"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudTrailEncrypts",
            principals=[cloudtrail],
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=["*"],
            conditions={"StringEquals": source, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": context}},
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudTrailLooks",
            principals=[cloudtrail],
            actions=["kms:DescribeKey"],
            resources=["*"],
            conditions={"StringEquals": source},
        )
    )
    return key
