"""Object Lock and replication of buckets, which ministack's S3 has and its CloudFormation leaves out."""

from __future__ import annotations

from typing import Any

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
    s3 = cfn.api("s3")
    if cfn.plain(properties.get("ObjectLockEnabled")) is True:
        retention = properties.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
        rule = {"Rule": {"DefaultRetention": {**retention, "Days": int(retention["Days"])}}} if retention else {}
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule})
    if replication := properties.get("ReplicationConfiguration"):
        not_emulated.record("S3 replication", "objects are copied at once, whatever the replication role may do and whichever key it names")
        rules = [_rule(rule) for rule in cfn.plain(replication["Rules"])]
        s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": replication["Role"], "Rules": rules})
    elif before.get("ReplicationConfiguration"):
        s3.delete_bucket_replication(Bucket=bucket)


def _rule(rule: Properties) -> Properties:
    """A rule with the numbers and names the API has where CloudFormation has text."""
    made = {("ID" if key == "Id" else key): value for key, value in rule.items()}
    if "Priority" in made:
        made["Priority"] = int(made["Priority"])
    destination = made["Destination"]
    if "Metrics" in destination:
        # CloudFormation takes metrics without a time threshold; the API's shape allows that as well.
        made["Destination"] = {**destination, "Metrics": {"Status": destination["Metrics"]["Status"]}}
    return made
