"""Object Lock and replication of buckets, which ministack's S3 has and its CloudFormation leaves out."""

from __future__ import annotations

from typing import Any

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from local.emulator import cloudformation as cfn
from local.emulator import not_emulated

Properties = dict[str, Any]


def register() -> None:
    """Complete what creating and updating a bucket does."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update = handler["create"], handler["update"]

    def created(logical_id: str, properties: Properties, stack: str) -> Any:
        made = create(logical_id, properties, stack)
        _configure(str(made[0]), properties, {})
        return made

    def updated(physical_id: str, old: Properties, new: Properties, *more: Any) -> Any:
        made = update(physical_id, old, new, *more)
        _configure(str(made[0]), new, old)
        return made

    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"] = {**handler, "create": created, "update": updated}


def _configure(bucket: str, properties: Properties, before: Properties) -> None:
    # Into the service's own tables, as ministack's handler does: a request would wait for the loop that this runs on.
    if cfn.plain(properties.get("ObjectLockEnabled")) is True:
        retention = properties.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
        default = {"Mode": retention["Mode"], "Days": int(retention["Days"])} if retention else None
        s3._bucket_object_lock[bucket] = {"enabled": True, "default_retention": default}
    if replication := properties.get("ReplicationConfiguration"):
        not_emulated.record("S3 replication", "objects are copied at once, whatever the replication role may do and whichever key it names")
        s3._bucket_replication[bucket] = {"Role": replication["Role"], "Rules": [_rule(rule) for rule in cfn.plain(replication["Rules"])]}
    elif before.get("ReplicationConfiguration"):
        s3._bucket_replication.pop(bucket, None)


def _rule(rule: Properties) -> Properties:
    """A rule with the names and numbers the API has where CloudFormation has others."""
    made = {("ID" if key == "Id" else key): value for key, value in rule.items()}
    return {**made, "Priority": int(made["Priority"])} if "Priority" in made else made
