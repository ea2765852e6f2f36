"""Backup: what cannot be made again is copied, as it is written, into a bucket that nobody here may write to or empty.

S3 replication and not AWS Backup: docs/decisions/0010-backup-by-replication.md. Deletions are not copied.
"""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct
from contracts import names

from stacks.backup_settings import BackupSettings
from stacks.constructs import key_policy
from stacks.constructs.acknowledge import Answer, Owner, acknowledge, acknowledge_patterns
from stacks.constructs.buckets import REPLICATION_FINDINGS, Buckets
from stacks.constructs.keys import Keys
from stacks.constructs.statements import (
    allow,
    for_service,
    read_objects,
    read_versions,
    write_key,
    write_objects,
)
from stacks.settings import EnvironmentSettings

_IS_THE_REPLICA = Answer(
    reason="This bucket is itself the replica of what cannot be made again; a replica of the replica would guard against nothing more.",
    owner=Owner.SECURITY,
    review="2027-11-30",
)
_NEWER_KEYS = "The folder of a dataset or run is named after the stacks are deployed; the prefix is what is backed up."


class Backup(Construct):
    """A bucket with a key and a lock of its own, the role S3 copies with, and the role people restore with.

    Attributes:
        bucket: holds the copies, under the same keys as the originals: the prefixes of the two source buckets do not meet.
        key: encrypts them, so that the loss of the data key is not the loss of both.
        restore_role: None without `restorers`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: EnvironmentSettings, buckets: Buckets, keys: Keys) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._buckets, self._keys = settings, buckets, keys
        self._stack = Stack.of(self)
        self._sources = {buckets.datasets: names.BACKED_UP_DATASETS, buckets.runs: names.BACKED_UP_RUNS}
        self.key = kms.Key(
            self,
            "Key",
            description="RFT: backup of datasets and records",
            policy=iam.PolicyDocument(
                statements=[key_policy.administration(), key_policy.use_through(self._stack.region, ["s3"], *key_policy.COPYING)]
            ),
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            pending_window=Duration.days(30),
            removal_policy=self._removal,
        )
        self.bucket = self._build_bucket(settings.backup)
        role = self._build_replication_role()
        for source, prefixes in self._sources.items():
            self._replicate(source, prefixes, role)
        self.restore_role = self._build_restore_role() if settings.backup.restorers else None

    @property
    def _removal(self) -> RemovalPolicy:
        return RemovalPolicy.RETAIN if self._settings.protect else RemovalPolicy.DESTROY

    def _build_bucket(self, backup: BackupSettings) -> s3.Bucket:
        days = Duration.days(backup.lock_days)
        locks = {"governance": s3.ObjectLockRetention.governance, "compliance": s3.ObjectLockRetention.compliance}
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self._buckets.access_logs,
            server_access_logs_prefix="backup/",
            object_lock_enabled=True,
            object_lock_default_retention=locks[backup.lock_mode](days),
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="housekeeping",
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(backup.noncurrent_days),
                )
            ],
            removal_policy=self._removal,
        )
        acknowledge(bucket, *REPLICATION_FINDINGS, answer=_IS_THE_REPLICA)
        return bucket

    def _build_replication_role(self) -> iam.IRole:
        # The buckets name this role, so it cannot name them; their generated names begin with the stack's.
        own = f"arn:{self._stack.partition}:s3:::{self._stack.stack_name}-*"
        reading = [
            *("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
            *("s3:GetObjectRetention", "s3:GetObjectLegalHold"),
        ]
        via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{self._stack.region}.amazonaws.com"}}
        statements = [
            allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], [source.bucket_arn for source in self._sources]),
            allow(reading, [source.arn_for_objects(f"{prefix}*") for source, prefixes in self._sources.items() for prefix in prefixes],
                  because=_NEWER_KEYS),
            # No s3:ReplicateDelete: what is deleted at the source stays here.
            allow(["s3:ReplicateObject", "s3:ReplicateTags"], self._copies(), because=_NEWER_KEYS),
            allow(["kms:Decrypt"], [self._keys.data.key_arn], via_s3),
            allow(["kms:Encrypt", "kms:GenerateDataKey"], [self.key.key_arn], via_s3),
        ]  # fmt: skip
        return self._role(
            "ReplicationRole",
            iam.Role(
                self,
                "ReplicationRole",
                assumed_by=for_service("s3.amazonaws.com", [own]),
                description="S3 copies datasets and records into the backup",
            ),
            statements,
        )

    def _copies(self) -> list[str]:
        return [self.bucket.arn_for_objects(f"{prefix}*") for prefixes in self._sources.values() for prefix in prefixes]

    def _replicate(self, source: s3.Bucket, prefixes: tuple[str, ...], role: iam.IRole) -> None:
        resource = source.node.default_child
        assert isinstance(resource, s3.CfnBucket)  # noqa: S101 - narrows the type; the L2 has no other child
        on = "Enabled"
        resource.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=role.role_arn,
            rules=[
                s3.CfnBucket.ReplicationRuleProperty(
                    id=names.replication_rule(prefix),
                    status=on,
                    priority=priority,
                    filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=prefix),
                    delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Disabled"),
                    source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
                        sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status=on)
                    ),
                    destination=s3.CfnBucket.ReplicationDestinationProperty(
                        bucket=self.bucket.bucket_arn,
                        encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(replica_kms_key_id=self.key.key_arn),
                        metrics=s3.CfnBucket.MetricsProperty(status=on),
                    ),
                )
                for priority, prefix in enumerate(prefixes, start=1)
            ],
        )

    def _build_restore_role(self) -> iam.IRole:
        """For `rft backup`: reads every version and every copy, writes a new version of the original, deletes nothing."""
        settings, stack = self._settings, self._stack
        statements: list[iam.PolicyStatement] = []
        for bucket, prefixes in self._sources.items():
            statements += [
                *read_objects(bucket, *prefixes),
                read_versions(bucket, *prefixes),
                self._list_versions(bucket, prefixes),
                write_objects(bucket, *prefixes),
            ]
        every = tuple(prefix for prefixes in self._sources.values() for prefix in prefixes)
        statements += [
            *read_objects(self.bucket, *every),
            read_versions(self.bucket, *every),
            self._list_versions(self.bucket, every),
            write_key(self._keys.data, stack.region),
            allow(["kms:Decrypt"], [self.key.key_arn], {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}}),
            allow(
                ["ssm:GetParameter", "ssm:GetParameters"],
                [self._parameter(name) for name in (*names.PARAMS_OF_BACKUP, names.PARAM_RELEASED_MODEL)],
            ),
            allow(["ssm:PutParameter"], [self._parameter(names.PARAM_RELEASED_MODEL)]),
            allow(
                ["bedrock:GetCustomModelDeployment"],
                [f"arn:{stack.partition}:bedrock:{stack.region}:{stack.account}:custom-model-deployment/*"],
                because="The id of a deployment is Bedrock's and comes with a run; reading its status tells nothing of its content.",
            ),
        ]
        return self._role(
            "RestoreRole",
            iam.Role(
                self,
                "RestoreRole",
                role_name=names.restore_role(settings.name),
                assumed_by=iam.CompositePrincipal(*(iam.ArnPrincipal(arn) for arn in settings.backup.restorers)),
                max_session_duration=Duration.hours(1),
                description="People restore datasets, records and the released-model pointer",
            ),
            statements,
        )

    def _list_versions(self, bucket: s3.IBucket, prefixes: tuple[str, ...]) -> iam.PolicyStatement:
        below = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
        return allow(["s3:ListBucketVersions"], [bucket.bucket_arn], below)

    def _parameter(self, name: str) -> str:
        path = names.parameter(self._settings.name, name)
        return f"arn:{self._stack.partition}:ssm:{self._stack.region}:{self._stack.account}:parameter{path}"

    def _role(self, name: str, made: iam.Role, statements: list[iam.PolicyStatement]) -> iam.IRole:
        # Not `stacks.constructs.role`: there the role names its policy, here the policy names the role, because the policy names buckets
        # that are themselves given the role.
        policy = iam.ManagedPolicy(self, f"{name}Policy", statements=statements, roles=[made])
        acknowledge_patterns(policy, statements)
        return made.without_policy_updates()
