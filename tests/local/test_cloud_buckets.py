"""Object Lock and replication of buckets that a template makes: what they keep, and from whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def template(tail: str, mode: str, *, replicated: bool = True) -> dict[str, Any]:
    role = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    rule = {
        "Id": "kept",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": "kept/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {"Bucket": {"Fn::GetAtt": ["Copy", "Arn"]}, "Metrics": {"Status": "Enabled"}},
    }
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}, "ObjectLockEnabled": True}
    replication = {"ReplicationConfiguration": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Rules": [rule]}}
    return {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": role}},
            "Copy": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"copy-{tail}", **versioned}},
            "Data": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": f"data-{tail}",
                    **versioned,
                    "ObjectLockConfiguration": {
                        "ObjectLockEnabled": "Enabled",
                        "Rule": {"DefaultRetention": {"Mode": mode, "Days": 1}},
                    },
                    **(replication if replicated else {}),
                },
            },
        }
    }


@pytest.fixture
def deploy(bench: Any, waiting: Callable[..., Any]) -> Callable[..., str]:
    cloudformation = bench.client("cloudformation")

    def run(name: str, body: dict[str, Any], *, update: bool = False) -> str:
        (cloudformation.update_stack if update else cloudformation.create_stack)(
            StackName=name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"]
        )

        def ended() -> Any:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

        return str(waiting(ended, 30)["StackStatus"])

    return run


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_locked_version_outlives_its_deletion_and_only_governance_can_be_bypassed(bench: Any, deploy: Any, mode: str) -> None:
    s3, tail = bench.client("s3"), mode.lower()
    assert deploy(f"lock-{tail}", template(tail, mode)) == "CREATE_COMPLETE"
    kept = s3.put_object(Bucket=f"data-{tail}", Key="kept/one", Body=b"first")["VersionId"]
    s3.delete_object(Bucket=f"data-{tail}", Key="kept/one")
    with pytest.raises(ClientError, match="object lock"):
        s3.delete_object(Bucket=f"data-{tail}", Key="kept/one", VersionId=kept)
    assert s3.get_object(Bucket=f"data-{tail}", Key="kept/one", VersionId=kept)["Body"].read() == b"first"
    bypass = {"Bucket": f"data-{tail}", "Key": "kept/one", "VersionId": kept, "BypassGovernanceRetention": True}
    if mode == "COMPLIANCE":
        with pytest.raises(ClientError, match="object lock"):
            s3.delete_object(**bypass)
    else:
        s3.delete_object(**bypass)


def test_writes_under_the_prefix_are_copied_and_deletions_are_not(bench: Any, deploy: Any) -> None:
    s3, tail = bench.client("s3"), "copies"
    assert deploy(f"lock-{tail}", template(tail, "GOVERNANCE")) == "CREATE_COMPLETE"
    s3.put_object(Bucket=f"data-{tail}", Key="kept/one", Body=b"first")
    s3.put_object(Bucket=f"data-{tail}", Key="kept/one", Body=b"second")
    s3.put_object(Bucket=f"data-{tail}", Key="other/two", Body=b"never")
    s3.delete_object(Bucket=f"data-{tail}", Key="kept/one")
    found = s3.list_object_versions(Bucket=f"copy-{tail}")
    assert {version["Key"] for version in found["Versions"]} == {"kept/one"} and len(found["Versions"]) == 2
    assert "DeleteMarkers" not in found
    assert s3.get_object(Bucket=f"copy-{tail}", Key="kept/one")["Body"].read() == b"second"
    assert "S3 replication" in {each["what"] for each in bench.endpoint.admin("GET", "status")["not_emulated"]}

    assert deploy(f"lock-{tail}", template(tail, "GOVERNANCE", replicated=False), update=True) == "UPDATE_COMPLETE"
    s3.put_object(Bucket=f"data-{tail}", Key="kept/three", Body=b"later")
    assert "Contents" not in s3.list_objects_v2(Bucket=f"copy-{tail}", Prefix="kept/three")
