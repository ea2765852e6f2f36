"""CDK's own custom resources whose providers are Node functions.

Their code needs the AWS SDK for JavaScript, which is not installed here, so what they would do is done in the launcher.
"""

from __future__ import annotations

from typing import Any

import botocore.exceptions

from local.emulator import cloudformation as cfn
from local.emulator import not_emulated

Properties = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def register() -> None:
    """Register them."""
    cfn.add("Custom::VpcRestrictDefaultSG", _restrict_default_group, lambda _id, _properties: None)
    cfn.add("Custom::S3AutoDeleteObjects", _mark_for_emptying, _empty_bucket)
    cfn.add("Custom::LogRetention", _log_retention, lambda _id, _properties: None)


def _done_here(kind: str) -> None:
    not_emulated.record(kind, "done by the launcher; the deployed provider function is not run")


def _restrict_default_group(logical_id: str, properties: Properties, stack: str) -> Result:
    """Take every rule from the VPC's default security group, as CDK's provider does."""
    _done_here("Custom::VpcRestrictDefaultSG")
    ec2 = cfn.api("ec2")
    group_id = properties["DefaultSecurityGroupId"]
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    if group.get("IpPermissions"):
        ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=group["IpPermissions"])
    if group.get("IpPermissionsEgress"):
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])
    return cfn.name_of({}, "", logical_id, stack), {}


def _mark_for_emptying(_logical_id: str, properties: Properties, _stack: str) -> Result:
    _done_here("Custom::S3AutoDeleteObjects")
    return properties["BucketName"], {}


def _empty_bucket(bucket: str, _properties: Properties) -> None:
    """Delete every version of every object."""
    s3 = cfn.api("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [
                {"Key": each["Key"], "VersionId": each["VersionId"]} for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            ]
            for first in range(0, len(found), 1000):
                s3.delete_objects(Bucket=bucket, Delete={"Objects": found[first : first + 1000], "Quiet": True})
    except botocore.exceptions.ClientError as problem:
        if problem.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _log_retention(_logical_id: str, properties: Properties, _stack: str) -> Result:
    _done_here("Custom::LogRetention")
    logs = cfn.api("logs")
    name = properties["LogGroupName"]
    if not any(each["logGroupName"] == name for each in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]):
        logs.create_log_group(logGroupName=name)
    if properties.get("RetentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    return name, {"LogGroupName": name}
