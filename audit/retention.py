"""How long things are kept, what keeps them, and what happens to them when their stack is deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from audit.assembly import Assembly
from audit.words import Words


@attrs.frozen(kw_only=True)
class Kept:
    """Something that holds data and how long.

    Attributes:
        how_long: each rule in words; `for ever` where nothing ends it.
        versions: whether replaced and deleted objects are kept as versions.
        lock: object lock or vault lock, or an empty text.
        when_deleted: what CloudFormation does with it when the stack, or the resource in it, is deleted.
    """

    kind: str
    place: str
    stack: str
    how_long: list[str]
    versions: bool
    lock: str
    when_deleted: str


def retention(assembly: Assembly) -> list[Kept]:
    """Everything that holds data, by kind and place."""
    words = Words(assembly)
    found: list[Kept] = []
    for stack, name, resource in assembly.resources(*_READERS):
        kind, read = _READERS[resource["Type"]]
        properties = resource.get("Properties", {})
        rules = read(properties)
        found.append(
            Kept(
                kind=kind,
                place=words.place(stack, name),
                stack=stack,
                how_long=rules or ["for ever"],
                versions=properties.get("VersioningConfiguration", {}).get("Status") == "Enabled",
                lock=_lock(properties),
                when_deleted={"Retain": "kept", "RetainExceptOnCreate": "kept", "Snapshot": "kept as a snapshot"}.get(
                    resource.get("DeletionPolicy", "Delete"), "deleted" if resource["Type"] != "AWS::S3::Bucket" else "deleted if empty"
                ),
            )
        )
    return sorted(found, key=lambda kept: (kept.kind, kept.place))


def backups(assembly: Assembly) -> list[str]:
    """Backup plans, replication and what they cover, in words; empty where the templates hold none."""
    words = Words(assembly)
    plans = [
        f"{words.place(stack, name)}: {rule.get('RuleName', 'rule')}, {rule.get('ScheduleExpression', 'default schedule')}, "
        f"kept {rule.get('Lifecycle', {}).get('DeleteAfterDays', 'for ever')} days"
        for stack, name, resource in assembly.resources("AWS::Backup::BackupPlan")
        for rule in resource["Properties"]["BackupPlan"]["BackupPlanRule"]
    ]
    replicas = [
        f"{words.place(stack, name)}: replicated to {words.text(stack, rule['Destination']['Bucket'])}"
        for stack, name, resource in assembly.resources("AWS::S3::Bucket")
        for rule in resource["Properties"].get("ReplicationConfiguration", {}).get("Rules", [])
    ]
    return [*plans, *replicas]


def _bucket(properties: Mapping[str, Any]) -> list[str]:
    return sorted(text for rule in properties.get("LifecycleConfiguration", {}).get("Rules", []) for text in _lifecycle(rule))


def _lifecycle(rule: Mapping[str, Any]) -> Iterator[str]:
    if rule.get("Status") != "Enabled":
        return
    where = f"{rule['Prefix']}: " if rule.get("Prefix") else ""
    if "ExpirationInDays" in rule:
        yield f"{where}objects {rule['ExpirationInDays']} days"
    if "NoncurrentVersionExpiration" in rule:
        yield f"{where}replaced and deleted versions {rule['NoncurrentVersionExpiration']['NoncurrentDays']} days"
    if "AbortIncompleteMultipartUpload" in rule:
        yield f"{where}unfinished uploads {rule['AbortIncompleteMultipartUpload']['DaysAfterInitiation']} days"
    for transition in rule.get("Transitions", []):
        yield f"{where}to {transition['StorageClass']} after {transition.get('TransitionInDays', 0)} days"


def _log_group(properties: Mapping[str, Any]) -> list[str]:
    return [f"{properties['RetentionInDays']} days"] if "RetentionInDays" in properties else []


def _queue(properties: Mapping[str, Any]) -> list[str]:
    return [f"messages {int(properties.get('MessageRetentionPeriod', 345_600)) / 86_400:g} days"]


def _archive(properties: Mapping[str, Any]) -> list[str]:
    return [f"{properties['RetentionDays']} days"] if properties.get("RetentionDays") else []


_READERS: dict[str, tuple[str, Any]] = {
    "AWS::S3::Bucket": ("bucket", _bucket),
    "AWS::Logs::LogGroup": ("log group", _log_group),
    "AWS::SQS::Queue": ("queue", _queue),
    "AWS::Events::Archive": ("event archive", _archive),
    "AWS::DynamoDB::Table": ("table", lambda _: []),
    "AWS::Backup::BackupVault": ("backup vault", lambda _: []),
    "AWS::KMS::Key": ("key", lambda properties: [f"{properties.get('PendingWindowInDays', 30)} days after its deletion is asked for"]),
}


def _lock(properties: Mapping[str, Any]) -> str:
    default = properties.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    if default:
        years = f"{default['Years']} years" if "Years" in default else f"{default.get('Days')} days"
        return f"object lock, {str(default.get('Mode', '')).lower()} mode, {years}"
    if properties.get("ObjectLockEnabled"):
        return "object lock, set object by object"
    vault = properties.get("LockConfiguration", {})
    return f"vault lock, at least {vault.get('MinRetentionDays')} days" if vault else ""
