"""The trail of every environment: what it records, who can read or delete it, and which calls wake somebody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names

from local.emulator import filter_patterns
from stacks.audit import TAMPERING
from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.stacks.template_reader import Synthesised, actions, flat, listed


def trail_arn(environment: Synthesised) -> str:
    region, name = environment.settings.region, environment.settings.name
    return f"arn:${{AWS::Partition}}:cloudtrail:{region}:${{AWS::AccountId}}:trail/rft-{name}"


def bucket_statements(environment: Synthesised) -> list[dict[str, Any]]:
    _, policy = environment.one("AWS::S3::BucketPolicy", "TrailFiles")
    return list(policy["Properties"]["PolicyDocument"]["Statement"])


def selectors(environment: Synthesised) -> list[dict[str, dict[str, list[str]]]]:
    _, trail = environment.one("AWS::CloudTrail::Trail", "Trail")
    return [
        {
            field["Field"]: {
                operator: [flat(value) for value in listed(values)] for operator, values in field.items() if operator != "Field"
            }
            for field in selector["FieldSelectors"]
        }
        for selector in trail["Properties"]["AdvancedEventSelectors"]
    ]


def test_the_trail_is_complete_validated_and_encrypted(environment: Synthesised) -> None:
    _, trail = environment.one("AWS::CloudTrail::Trail", "Trail")
    properties = trail["Properties"]
    assert (properties["TrailName"], properties["IsLogging"]) == (names.trail(environment.settings.name), True)
    for switch in ("EnableLogFileValidation", "IsMultiRegionTrail", "IncludeGlobalServiceEvents"):
        assert properties[switch] is True, switch
    assert flat(properties["KMSKeyId"]) == f"${{{environment.one('AWS::KMS::Key', 'TrailKey')[0]}.Arn}}"
    assert flat(properties["CloudWatchLogsLogGroupArn"]).startswith("${TrailEvents")


def test_it_records_every_management_event_and_who_touched_data_and_reward(environment: Synthesised) -> None:
    found = selectors(environment)
    assert {"eventCategory": {"Equals": ["Management"]}} in found
    objects = [s for s in found if s.get("resources.type") == {"Equals": ["AWS::S3::Object"]} and "eventName" not in s]
    (recorded,) = [s["resources.ARN"]["StartsWith"] for s in objects]
    assert len(recorded) == 2 and all(arn.endswith("/") for arn in recorded)
    assert "Datasets" in recorded[0] and "Runs" in recorded[1]
    (invoked,) = [s["resources.ARN"]["StartsWith"] for s in found if s.get("resources.type") == {"Equals": ["AWS::Lambda::Function"]}]
    stack, function = f"rft-{environment.settings.name}-pipeline-", environment.one("AWS::Lambda::Function", "RewardGrader")[0]
    assert f"{stack}{function}".startswith(invoked[0].rpartition(":")[2])


def test_a_delivery_is_no_event_of_its_own(environment: Synthesised) -> None:
    bucket, _ = environment.one("AWS::S3::Bucket", "TrailFiles")
    (own,) = [s for s in selectors(environment) if s.get("resources.ARN", {}).get("StartsWith", [""])[0].startswith(f"${{{bucket}")]
    assert own["eventName"] == {"NotEquals": ["PutObject"]}


def test_log_files_are_locked_from_the_moment_they_are_written(environment: Synthesised) -> None:
    _, bucket = environment.one("AWS::S3::Bucket", "TrailFiles")
    properties, settings = bucket["Properties"], environment.settings.audit
    assert properties["ObjectLockEnabled"] is True
    retention = properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Days": settings.retention_days, "Mode": settings.mode}
    (expiry,) = [rule["ExpirationInDays"] for rule in properties["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    assert expiry > settings.retention_days
    assert bucket["DeletionPolicy"] == "Retain"
    if environment.settings.name == "prod":
        assert settings.mode == "COMPLIANCE"


def test_nobody_deletes_and_only_a_deployment_changes_the_buckets_settings(environment: Synthesised) -> None:
    by_sid = {statement.get("Sid"): statement for statement in bucket_statements(environment)}
    nobody = by_sid["NobodyDeletes"]
    assert (nobody["Effect"], nobody["Principal"]) == ("Deny", {"AWS": "*"})
    assert "Condition" not in nobody
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:DeleteBucket"} <= set(actions(nobody))
    settings = by_sid["OnlyDeploymentsChangeSettings"]
    assert {"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"} <= set(
        actions(settings)
    )
    assert [flat(arn) for arn in listed(settings["Condition"]["ArnNotLike"]["aws:PrincipalArn"])] == [
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-*-cfn-exec-role-*"
    ]


def test_cloudtrail_writes_and_encrypts_for_this_trail_alone(environment: Synthesised) -> None:
    _, key = environment.one("AWS::KMS::Key", "TrailKey")
    let_in = [s for s in [*bucket_statements(environment), *key["Properties"]["KeyPolicy"]["Statement"]] if "Service" in s["Principal"]]
    assert len(let_in) == 4
    for statement in let_in:
        assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert flat(statement["Condition"]["StringEquals"]["aws:SourceArn"]) == trail_arn(environment)
    (encrypts,) = [s for s in let_in if "kms:GenerateDataKey" in actions(s)]
    assert flat(encrypts["Condition"]["StringLike"]["kms:EncryptionContext:aws:cloudtrail:arn"]).endswith(":trail/*")


def call(source: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "eventType": "AwsApiCall",
        "userIdentity": {"type": "Role"},
        **more,
    }


BY_DEPLOYMENT = {"type": "AssumedRole", "invokedBy": "cloudformation.amazonaws.com"}


@pytest.mark.parametrize(
    ("event", "woken"),
    [
        (call("cloudtrail", "StopLogging"), ["TrailChanged"]),
        (call("cloudtrail", "LookupEvents"), []),
        (call("s3", "PutBucketPolicy"), ["BucketOpened"]),
        (call("s3", "PutBucketPolicy", userIdentity=BY_DEPLOYMENT), []),
        (call("s3", "GetBucketPolicy"), []),
        (call("kms", "ScheduleKeyDeletion"), ["KeyEndangered"]),
        (call("kms", "Decrypt"), []),
        (call("s3", "ListBuckets", userIdentity={"type": "Root"}), ["RootUsed"]),
        (call("s3", "GetObject", userIdentity={"type": "Root", "invokedBy": "AWS Internal"}), []),
    ],
)
def test_the_filters_wake_somebody_for_tampering_and_for_nothing_else(event: dict[str, Any], woken: list[str]) -> None:
    assert [kind.name for kind in TAMPERING if filter_patterns.compile_pattern(kind.pattern)(json.dumps(event))] == woken


def test_every_filter_has_its_alarm_and_somebody_to_tell(environment: Synthesised) -> None:
    alarms = {name: a["Properties"] for name, a in environment.audit["Resources"].items() if a["Type"] == "AWS::CloudWatch::Alarm"}
    filters = [r["Properties"] for r in environment.audit["Resources"].values() if r["Type"] == "AWS::Logs::MetricFilter"]
    made = {f["MetricTransformations"][0]["MetricName"] for f in filters}
    assert made == {alarm["MetricName"] for alarm in alarms.values()} == {kind.name for kind in TAMPERING}
    assert all(alarm["AlarmActions"] for alarm in alarms.values())


def test_the_pager_is_told_of_tampering_too(furnished: Synthesised) -> None:
    subscribed = [r["Properties"] for r in furnished.audit["Resources"].values() if r["Type"] == "AWS::SNS::Subscription"]
    assert [each["Endpoint"] for each in subscribed] == ["ml-team@example.com", "pager@example.com"]
    (topic,) = [name for name, r in furnished.audit["Resources"].items() if r["Type"] == "AWS::SNS::Topic"]
    assert {each["TopicArn"]["Ref"] for each in subscribed} == {topic}


def test_an_environment_of_an_organisation_with_a_trail_makes_none(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> None:
    settings = load(ENVIRONMENTS / "dev.toml")
    without = synthesise(attrs.evolve(settings, audit=attrs.evolve(settings.audit, trail=False)))
    assert without.audit == {}
    assert not without.of_type("AWS::CloudTrail::Trail")
