"""The backup of an environment that has one: what is copied, where to, and what the roles around it may do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.backup.conftest import RESTORER, backed_up
from tests.stacks.template_reader import Synthesised, actions, flat, resources

Synthesise = Callable[[EnvironmentSettings], Synthesised]


@pytest.fixture(scope="module")
def made(synthesise: Synthesise) -> Synthesised:
    return synthesise(backed_up())


def test_prod_has_a_backup_and_dev_has_none(synthesise: Synthesise, dev: Synthesised) -> None:
    prod = synthesise(load(ENVIRONMENTS / "prod.toml"))
    assert prod.one("AWS::S3::Bucket", "BackupBucket") and prod.one("AWS::KMS::Key", "BackupKey")
    assert not [name for name in dev.all() if name.startswith("Backup")]
    assert not any("ReplicationConfiguration" in bucket["Properties"] for bucket in dev.of_type("AWS::S3::Bucket").values())


@pytest.mark.parametrize(("part", "prefixes"), [("BucketsDatasets", names.BACKED_UP_DATASETS), ("BucketsRuns", names.BACKED_UP_RUNS)])
def test_what_cannot_be_made_again_is_copied_and_nothing_else(made: Synthesised, part: str, prefixes: tuple[str, ...]) -> None:
    _, bucket = made.one("AWS::S3::Bucket", part)
    copy, _ = made.one("AWS::S3::Bucket", "BackupBucket")
    key, _ = made.one("AWS::KMS::Key", "BackupKey")
    rules = bucket["Properties"]["ReplicationConfiguration"]["Rules"]
    assert [rule["Filter"]["Prefix"] for rule in rules] == list(prefixes)
    assert len({rule["Priority"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["Status"] == "Enabled" and rule["DeleteMarkerReplication"] == {"Status": "Disabled"}
        assert flat(rule["Destination"]["Bucket"]) == f"${{{copy}.Arn}}"
        assert flat(rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"]) == f"${{{key}.Arn}}"


def test_what_can_be_made_again_is_not_copied() -> None:
    copied = names.BACKED_UP_DATASETS + names.BACKED_UP_RUNS
    assert not set(copied) & {names.STAGED, names.OUTPUT, names.TOKENS, names.INCOMING, names.REJECTED}
    assert len(set(copied)) == len(copied)


def test_the_copies_are_locked_and_under_a_key_of_their_own(made: Synthesised) -> None:
    _, bucket = made.one("AWS::S3::Bucket", "BackupBucket")
    properties = bucket["Properties"]
    assert properties["ObjectLockConfiguration"]["Rule"] == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert flat(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]).startswith("${BackupKey")


def test_nobody_but_s3_writes_copies_and_nobody_deletes_one(made: Synthesised) -> None:
    copy, _ = made.one("AWS::S3::Bucket", "BackupBucket")
    writers = set()
    for name, statement in made.identity_statements():
        if any(copy in resource for resource in resources(statement)):
            assert not [action for action in actions(statement) if "Delete" in action or "Bypass" in action or "PutBucket" in action], name
            if {"s3:PutObject", "s3:ReplicateObject"} & set(actions(statement)):
                writers.add(name)
    assert len(writers) == 1 and next(iter(writers)).startswith("BackupReplicationRole")


def test_the_replication_role_is_s3s_for_this_environments_buckets_only(made: Synthesised) -> None:
    _, role = made.one("AWS::IAM::Role", "BackupReplicationRole")
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "rft-dev-foundation-*" in json.dumps(statement["Condition"]["ArnLike"])
    every = {action for statement in made.statements_of("BackupReplicationRole") for action in actions(statement)}
    assert not {"s3:ReplicateDelete", "s3:ObjectOwnerOverrideToBucketOwner", "s3:PutObject"} & every


def test_the_restore_role_is_for_the_named_and_can_put_back_what_is_copied(made: Synthesised) -> None:
    _, role = made.one("AWS::IAM::Role", "BackupRestoreRole")
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": RESTORER}
    writes = [
        resource
        for statement in made.statements_of("BackupRestoreRole")
        if "s3:PutObject" in actions(statement)
        for resource in resources(statement)
    ]
    assert sorted(write.partition("/")[2] for write in writes) == sorted(
        f"{prefix}*" for prefix in names.BACKED_UP_DATASETS + names.BACKED_UP_RUNS
    )
    every = {action for statement in made.statements_of("BackupRestoreRole") for action in actions(statement)}
    assert not [action for action in every if "Delete" in action or "Bypass" in action or action.startswith(("iam:", "kms:Schedule"))]


def test_without_restorers_there_is_no_restore_role(synthesise: Synthesise) -> None:
    assert not [name for name in synthesise(backed_up(restorers=())).of_type("AWS::IAM::Role") if "Restore" in name]


def test_compliance_reaches_the_copies(synthesise: Synthesise) -> None:
    _, bucket = synthesise(backed_up("compliance", lock="none")).one("AWS::S3::Bucket", "BackupBucket")
    assert bucket["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"


def test_a_protected_environment_keeps_its_backup(synthesise: Synthesise) -> None:
    made = synthesise(attrs.evolve(backed_up(), protect=True))
    found: list[dict[str, Any]] = [made.one("AWS::S3::Bucket", "BackupBucket")[1], made.one("AWS::KMS::Key", "BackupKey")[1]]
    assert {(each["DeletionPolicy"], each["UpdateReplacePolicy"]) for each in found} == {("Retain", "Retain")}


def test_the_command_is_told_where_the_copies_are(made: Synthesised, dev: Synthesised) -> None:
    path = names.parameter("dev", names.PARAM_BACKUP_BUCKET)
    assert [p for p in made.of_type("AWS::SSM::Parameter").values() if p["Properties"]["Name"] == path]
    assert not [p for p in dev.of_type("AWS::SSM::Parameter").values() if p["Properties"]["Name"] == path]
