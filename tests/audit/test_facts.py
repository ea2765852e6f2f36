"""Each fact is seen to fail on a template that contradicts it: a fact that cannot fail is no evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.facts import facts

Templates = dict[str, Any]
Change = Callable[[Templates], None]
Planted = Callable[[Change], dict[str, Any]]


def resources(templates: Templates, kind: str) -> list[dict[str, Any]]:
    return [found for template in templates.values() for found in template["Resources"].values() if found["Type"] == kind]


def first(kind: str, change: Callable[[dict[str, Any]], None]) -> Change:
    """Changes the properties of the first resource of a kind."""
    return lambda templates: change(resources(templates, kind)[0].setdefault("Properties", {}))


def every(kind: str, change: Callable[[dict[str, Any]], None]) -> Change:
    def apply(templates: Templates) -> None:
        for found in resources(templates, kind):
            change(found["Properties"])

    return apply


def add(stack: str, kind: str, **properties: Any) -> Change:
    return lambda templates: templates[stack]["Resources"].update({"Planted": {"Type": kind, "Properties": properties}})


def without(kind: str) -> Change:
    def apply(templates: Templates) -> None:
        for template in templates.values():
            template["Resources"] = {name: found for name, found in template["Resources"].items() if found["Type"] != kind}

    return apply


def allow(*actions: str, resource: Any = "*", condition: Any = None, of: str = "Training/") -> Change:
    """Adds a statement to the policy of the first role whose description or id fits."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, "Condition": condition or {}}

    def apply(templates: Templates) -> None:
        for template in templates.values():
            for name, found in template["Resources"].items():
                if found["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} and name.startswith(of.replace("/", "")):
                    found["Properties"]["PolicyDocument"]["Statement"].append(statement)
                    return
        raise AssertionError(f"no policy of {of}")

    return apply


OPEN_ENDPOINT = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
BUCKET_OF_DATASETS = "arn:aws:s3:::anything"

FAULTS: dict[str, Change] = {
    "no_way_out": add("foundation", "AWS::EC2::NatGateway"),
    "functions_private": first("AWS::Lambda::Function", lambda found: found.pop("VpcConfig")),
    "endpoints_restricted": first("AWS::EC2::VPCEndpoint", lambda found: found.update(PolicyDocument=OPEN_ENDPOINT)),
    "traffic_logged": without("AWS::EC2::FlowLog"),
    "ingress_closed": first(
        "AWS::EC2::SecurityGroup", lambda found: found.update(SecurityGroupIngress=[{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}])
    ),
    "customer_keys": first("AWS::Logs::LogGroup", lambda found: found.pop("KmsKeyId")),
    "tls_enforced": without("AWS::S3::BucketPolicy"),
    "keys_rotate": first("AWS::KMS::Key", lambda found: found.update(EnableKeyRotation=False, KeySpec="SYMMETRIC_DEFAULT")),
    "logs_expire": first("AWS::Logs::LogGroup", lambda found: found.pop("RetentionInDays")),
    "versions_kept": first("AWS::S3::Bucket", lambda found: found.pop("VersioningConfiguration")),
    "data_outlives_stack": lambda templates: resources(templates, "AWS::S3::Bucket")[0].update(DeletionPolicy="Delete"),
    "roles_bounded": add("pipeline", "AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": []}),
    "trust_bound": add(
        "pipeline",
        "AWS::IAM::Role",
        AssumeRolePolicyDocument={
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        },
    ),
    "actions_spelt_out": allow("s3:*"),
    "pass_role_exact": allow("iam:PassRole"),
    "one_starts_jobs": allow("bedrock:CreateModelCustomizationJob", of="ReleaseCleanUp"),
    "reward_isolated": allow("s3:GetObject", resource=BUCKET_OF_DATASETS, of="RewardGrader"),
    "alarms_tell": every("AWS::CloudWatch::Alarm", lambda found: found.pop("AlarmActions", None)),
    "trail_kept": without("AWS::CloudTrail::Trail"),
    "data_events": without("AWS::CloudTrail::Trail"),
    "trail_locked": without("AWS::CloudTrail::Trail"),
    "outsiders_denied": without("AWS::S3::BucketPolicy"),
    "records_signed": allow("kms:Sign", of="EvaluationGate"),
    "copied_apart": every("AWS::S3::Bucket", lambda found: found.pop("ReplicationConfiguration", None)),
    "runtime_current": first("AWS::Lambda::Function", lambda found: found.update(Runtime="python3.9")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_breaks_the_fact_and_is_named(planted: Planted, name: str) -> None:
    fact = planted(FAULTS[name])["facts"][name]
    assert not fact["holds"]
    assert fact["exceptions"]


def test_held_out_prompts_within_the_jobs_reach_are_seen(prod: dict[str, Any]) -> None:
    jobs = next(role["actor"] for role in prod["roles"] if role["trust"][0]["principals"] == ["bedrock.amazonaws.com"])
    reach = {"source": jobs, "verb": "read", "target": "Buckets/Datasets datasets/", "actions": ["s3:GetObject"]}
    assert facts(prod)["heldout_apart"].holds
    assert not facts({**prod, "flows": [*prod["flows"], reach]})["heldout_apart"].holds


def test_a_wrong_answer_of_the_access_matrix_is_seen(planted: Planted) -> None:
    # The reward function may read any object: a question about it must turn.
    evidence = planted(allow("s3:GetObject", of="RewardGrader"))
    wrong = [row for row in evidence["access"] if not row["as_expected"]]
    assert "Can the reward function read the dataset?" in {row["question"] for row in wrong}
    assert all(row["allowed"] for row in wrong if row["expected"] == "denied")
    assert not evidence["facts"]["access_as_expected"]["holds"]


def test_a_library_without_licence_is_seen(prod: dict[str, Any]) -> None:
    assert not facts({**prod, "software": [{"name": "stray", "licences": ["not stated"]}]})["licences_known"].holds


def test_an_unprotected_stack_is_seen(packs: dict[str, dict[str, Any]]) -> None:
    # Dev is meant to be torn down, so its pack has to say so.
    assert not packs["dev"]["facts"]["stateful_protected"]["holds"]
    assert packs["prod"]["facts"]["stateful_protected"]["holds"]


def test_every_fact_has_been_seen_to_fail(prod: dict[str, Any]) -> None:
    assert set(prod["facts"]) == {*FAULTS, "access_as_expected", "heldout_apart", "licences_known", "stateful_protected"}
