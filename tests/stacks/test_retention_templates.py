"""What holds data outlives its stack in a protected environment, and a type of resource that nobody has judged yet fails here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.stacks.template_reader import Synthesised

Synthesise = Callable[[EnvironmentSettings], Synthesised]

STATEFUL = {
    "AWS::S3::Bucket": "datasets, records, logs",
    "AWS::KMS::Key": "without it everything encrypted under it is lost",
    "AWS::Logs::LogGroup": "what happened",
    "AWS::SQS::Queue": "events that nobody could be given yet",
    "AWS::Lambda::Version": "the reward that a released model was trained with",
}

STATELESS = {
    "AWS::StepFunctions::StateMachine": "history is in logs and lineage; kept, its name would block a redeploy",
    "AWS::SNS::Topic": "hands on and holds nothing; subscriptions are settings",
    "AWS::CloudTrail::Trail": "its files are in a bucket that stays",
    "AWS::SSM::Parameter": "written anew by each deploy; the released-model pointer is not one of the stack's",
    "AWS::Events::EventBus": "hands on and holds nothing; no archive",
    "AWS::Lambda::LayerVersion": "built from the lock, byte for byte",
    "AWS::CDK::Metadata": "none",
    **dict.fromkeys(
        (
            *("VPC", "Subnet", "RouteTable", "SubnetRouteTableAssociation", "SecurityGroup", "SecurityGroupEgress", "SecurityGroupIngress"),
            *("VPCEndpoint", "FlowLog", "VPCDHCPOptionsAssociation", "NetworkAcl"),
        ),
        "",
    ),
}
STATELESS = {name if "::" in name else f"AWS::EC2::{name}": why or "made again from the template" for name, why in STATELESS.items()}

FAMILIES = ("AWS::IAM::", "AWS::CloudWatch::", "AWS::Lambda::", "AWS::Scheduler::", "AWS::Budgets::", "AWS::Chatbot::")
"""Rules, rights and code: nothing of these holds data, but for the types above."""

POLICIES_AND_RULES = (
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SNS::Subscription",
    "AWS::Events::Rule",
)
MORE = (
    "AWS::Logs::MetricFilter",
    "AWS::Logs::ResourcePolicy",
    "AWS::Logs::QueryDefinition",
    "AWS::KMS::Alias",
    "AWS::Events::EventBusPolicy",
)


def unprotected(resources: dict[str, dict[str, Any]]) -> list[str]:
    """What would be lost with its stack, or what nobody has judged, one line each."""
    found = []
    for name, resource in resources.items():
        kind = resource["Type"]
        if kind in STATEFUL:
            if {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} != {"Retain"}:
                found.append(f"{name} ({kind}) is not kept: {STATEFUL[kind]}")
        elif kind not in STATELESS and kind not in POLICIES_AND_RULES + MORE and not kind.startswith(FAMILIES):
            found.append(f"{name} ({kind}): say in this test whether it holds data")
    return found


@pytest.fixture(scope="module")
def prod(synthesise: Synthesise) -> Synthesised:
    return synthesise(load(ENVIRONMENTS / "prod.toml"))


def test_everything_stateful_in_prod_outlives_its_stack(prod: Synthesised) -> None:
    assert prod.settings.protect
    assert unprotected(prod.all()) == []


def test_prods_stateful_stack_cannot_be_deleted_and_dev_can_be_torn_down(prod: Synthesised, dev: Synthesised) -> None:
    def protected(made: Synthesised) -> dict[str, bool]:
        stacks = [a["properties"] for a in made.manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
        return {stack["stackName"]: stack.get("terminationProtection", False) for stack in stacks}

    assert protected(prod)["rft-prod-foundation"] is True
    assert not protected(dev)["rft-dev-foundation"]
    # The audit bucket stays: nobody can empty it, so nobody could delete it.
    buckets = {name: bucket for name, bucket in dev.of_type("AWS::S3::Bucket").items() if not name.startswith("TrailFiles")}
    assert {bucket["DeletionPolicy"] for bucket in buckets.values()} == {"Delete"}


@pytest.mark.parametrize("kind", [*STATEFUL, "AWS::DynamoDB::Table", "AWS::Events::Archive"])
def test_a_resource_that_would_be_lost_or_is_unknown_is_found(kind: str) -> None:
    assert unprotected({"New": {"Type": kind, "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}})


def test_both_data_buckets_can_lock_and_only_a_setting_makes_them(environment: Synthesised) -> None:
    for part in ("BucketsDatasets", "BucketsRuns"):
        _, bucket = environment.one("AWS::S3::Bucket", part)
        assert bucket["Properties"]["ObjectLockEnabled"] is True
        rule = bucket["Properties"].get("ObjectLockConfiguration", {}).get("Rule")
        assert (rule is not None) == (part == "BucketsDatasets" and environment.settings.retention.locks)


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_a_lock_holds_datasets_by_default_and_final_records_by_the_functions_that_write_them(mode: str, synthesise: Synthesise) -> None:
    shipped = load(ENVIRONMENTS / "dev.toml")
    made = synthesise(attrs.evolve(shipped, retention=attrs.evolve(shipped.retention, lock_mode=mode, lock_days=30)))
    _, datasets = made.one("AWS::S3::Bucket", "BucketsDatasets")
    rule = datasets["Properties"]["ObjectLockConfiguration"]["Rule"]
    assert rule == {"DefaultRetention": {"Mode": mode.upper(), "Days": 30}}
    for function in made.of_type("AWS::Lambda::Function").values():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        if names.ENV_RUNS_BUCKET in variables:
            assert variables[names.ENV_RECORD_LOCK] == f"{mode.upper()}:30"
    lockers = [name for name, statement in made.identity_statements() if "PutObjectRetention" in json.dumps(statement["Action"])]
    assert {locker for locker in ("PrepareRun", "RehearseReward", "Gate", "RecordLineage") if any(locker in name for name in lockers)} == {
        *("PrepareRun", "RehearseReward", "Gate", "RecordLineage")
    }
    assert len(lockers) == 4
    for _, statement in made.identity_statements():
        assert "s3:BypassGovernanceRetention" not in statement["Action"]


def test_no_lock_no_right_to_lock(dev: Synthesised) -> None:
    assert not [name for name, statement in dev.identity_statements() if "Retention" in json.dumps(statement["Action"])]
    assert "RFT_RECORD_LOCK" not in json.dumps(dev.pipeline)
