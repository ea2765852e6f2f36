"""The three buckets: datasets, runs, and the access logs of both."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct
from contracts import names

from stacks.constructs.acknowledge import Answer, Owner, acknowledge
from stacks.settings import RetentionSettings

REPLICATION_FINDINGS = (
    "NIST.800.53.R5-S3BucketReplicationEnabled",
    "HIPAA.Security-S3BucketReplicationEnabled",
    "PCI.DSS.321-S3BucketReplicationEnabled",
)
_KMS_ENCRYPTION = ("NIST.800.53.R5-S3DefaultEncryptionKMS", "HIPAA.Security-S3DefaultEncryptionKMS", "PCI.DSS.321-S3DefaultEncryptionKMS")

_NO_BACKUP = Answer(
    reason="The environment's settings have no backup (backup.enabled): what it holds can be made again, or is kept long enough by its "
    "versions, for retention.noncurrent_days. Where a backup is set, the bucket is replicated and this answer is not given.",
    owner=Owner.SECURITY,
    review="2027-11-30",
)
_LOGS_HAVE_NO_REPLICA = Answer(
    reason="The bucket holds server access logs, a second record beside the audit trail: versioned, expiring by retention.access_log_days, "
    "and needed by nothing that must survive the Region.",
    owner=Owner.SECURITY,
    review="2027-11-30",
)
_SSE_S3_ONLY = Answer(
    reason="S3 delivers server access logs only to buckets encrypted with SSE-S3 (S3 user guide, enable-server-access-logging); a line "
    "holds the key's name and the requester, never content.",
    owner=Owner.SECURITY,
    review="2027-11-30",
)


class Buckets(Construct):
    """Private, encrypted, versioned, TLS 1.2 and nothing else, owned by the bucket's account.

    `replicated` says that `stacks.backup` copies the data buckets.
    Without `protect` a bucket goes with its stack, but only when empty: nothing here ever deletes an object for a deploy.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, retention: RetentionSettings, protect: bool, replicated: bool = False
    ) -> None:
        super().__init__(scope, construct_id)
        self._removal = RemovalPolicy.RETAIN if protect else RemovalPolicy.DESTROY
        self._retention, self._replicated = retention, replicated
        self.access_logs = self._build_access_logs()
        # Everything in the datasets bucket is to stay, so the lock is the bucket's default. In the runs bucket Bedrock writes what it
        # likes and clean-up deletes: there the functions lock a run's final records one by one (lambda/pipeline/store.py).
        self.datasets = self._build("Datasets", key, [], default_lock=self._lock())
        self.runs = self._build(
            "Runs", key, [self._expiry("staged", names.STAGED, retention.staged_days), self._expiry("tokens", names.TOKENS, 90)]
        )
        self._announce_objects(self.datasets)

    def _build(
        self, construct_id: str, key: kms.IKey, rules: list[s3.LifecycleRule], default_lock: s3.ObjectLockRetention | None = None
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            lifecycle_rules=[self._housekeeping(), *rules],
            # Always able to lock: adding this to a bucket would replace it, adding a rule later does not.
            object_lock_enabled=True,
            object_lock_default_retention=default_lock,
            removal_policy=self._removal,
        )
        if not self._replicated:
            acknowledge(bucket, *REPLICATION_FINDINGS, answer=_NO_BACKUP)
        return bucket

    def _build_access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            # S3 delivers access logs to buckets with SSE-S3 only (S3 user guide, enable-server-access-logging).
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                self._housekeeping(),
                s3.LifecycleRule(id="expire", expiration=Duration.days(self._retention.access_log_days)),
            ],
            removal_policy=self._removal,
        )
        acknowledge(bucket, *REPLICATION_FINDINGS, answer=_LOGS_HAVE_NO_REPLICA)
        acknowledge(bucket, *_KMS_ENCRYPTION, answer=_SSE_S3_ONLY)
        return bucket

    def _lock(self) -> s3.ObjectLockRetention | None:
        days = Duration.days(self._retention.lock_days)
        locks = {"governance": s3.ObjectLockRetention.governance, "compliance": s3.ObjectLockRetention.compliance}
        return locks[self._retention.lock_mode](days) if self._retention.locks else None

    def _housekeeping(self) -> s3.LifecycleRule:
        return s3.LifecycleRule(
            id="housekeeping",
            abort_incomplete_multipart_upload_after=Duration.days(7),
            noncurrent_version_expiration=Duration.days(self._retention.noncurrent_days),
        )

    def _expiry(self, rule_id: str, prefix: str, days: int) -> s3.LifecycleRule:
        return s3.LifecycleRule(id=rule_id, prefix=prefix, expiration=Duration.days(days))

    @staticmethod
    def _announce_objects(bucket: s3.Bucket) -> None:
        # The native property; `event_bridge_enabled` of the L2 deploys a custom resource with a function of its own.
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)  # noqa: S101 - narrows the type; the L2 has no other child
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
