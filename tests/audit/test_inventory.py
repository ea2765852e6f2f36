"""The inventories say what the templates say, whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from audit.assembly import Assembly
from audit.encryption import keys, stores
from audit.flows import flows, verb
from audit.inventory import roles
from audit.network import network
from audit.resource_policies import resource_policies
from audit.retention import retention

Evidence = dict[str, Any]


def test_every_role_is_listed_with_every_statement(assembly: Assembly) -> None:
    found = roles(assembly)
    assert len(found) == len(list(assembly.resources("AWS::IAM::Role"))) > 10
    inline = sum(
        len(policy["PolicyDocument"]["Statement"])
        for _, _, role in assembly.resources("AWS::IAM::Role")
        for policy in role["Properties"].get("Policies", [])
    )
    attached = sum(
        len(policy["Properties"]["PolicyDocument"]["Statement"]) * len(policy["Properties"].get("Roles", []))
        for _, _, policy in assembly.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    )
    # A managed policy may be attached from the role's side too.
    assert sum(len(role.statements) for role in found) >= inline + attached


def test_a_role_says_what_runs_under_it(assembly: Assembly) -> None:
    by_place = {role.place: role for role in roles(assembly)}
    assert by_place["Training/StartTraining"].used_by == ["Lambda function Training/StartTraining"]
    (job,) = [role for role in by_place.values() if any("bedrock.amazonaws.com" in statement.principals for statement in role.trust)]
    assert job.used_by == ["bedrock.amazonaws.com, passed by Training/StartTraining"]
    assert not [role.place for role in by_place.values() if not role.used_by]


def test_wildcards_carry_the_reason_written_beside_the_policy(prod: Evidence) -> None:
    wildcards = [wildcard for role in prod["roles"] for wildcard in role["wildcards"]]
    assert wildcards
    answered = {known["reason"] for known in prod["findings"]["acknowledgements"]}
    for wildcard in wildcards:
        if wildcard["reason"]:
            assert wildcard["reason"] in answered


def test_what_the_job_may_touch(prod: Evidence) -> None:
    job = next(role["actor"] for role in prod["roles"] if role["trust"][0]["principals"] == ["bedrock.amazonaws.com"])
    touched = {(flow["verb"], flow["target"]) for flow in prod["flows"] if flow["source"] == job}
    assert ("read", "Buckets/Runs staged/") in touched
    assert ("write", "Buckets/Runs output/") in touched
    assert ("invoke", "Reward/Grader") in touched
    assert not [target for _, target in touched if target.startswith("Buckets/Datasets")]


def test_verbs_of_actions() -> None:
    assert [
        verb(action) for action in ("s3:GetObject", "s3:PutObject", "lambda:InvokeFunction", "iam:PassRole", "states:StartExecution")
    ] == [
        "read",
        "write",
        "invoke",
        "pass",
        "invoke",
    ]


def test_flows_name_only_what_the_templates_hold_or_a_service(assembly: Assembly) -> None:
    places = {path.removesuffix("/Function").removesuffix("/Role") for path in assembly.paths.values()}
    for flow in flows(assembly):
        first, _, kind = flow.target.partition(" ")
        assert first in places or (re.fullmatch(r"[a-z0-9-]+", first) and kind), flow


def test_every_bucket_queue_topic_and_log_group_has_a_row(assembly: Assembly) -> None:
    kinds = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Logs::LogGroup", "AWS::KMS::Key")
    count = {kind: len(list(assembly.resources(kind))) for kind in kinds}
    listed = [store.kind for store in stores(assembly)]
    kept = [row.kind for row in retention(assembly)]
    assert listed.count("bucket") == kept.count("bucket") == count["AWS::S3::Bucket"]
    assert listed.count("queue") == count["AWS::SQS::Queue"]
    assert listed.count("topic") == count["AWS::SNS::Topic"]
    assert listed.count("log group") == kept.count("log group") == count["AWS::Logs::LogGroup"]
    assert len(keys(assembly)) == count["AWS::KMS::Key"]
    assert listed.count("custom models") == 1


def test_keys_name_what_they_encrypt(prod: Evidence) -> None:
    by_place = {key["place"]: key["encrypts"] for key in prod["keys"]}
    assert "bucket Buckets/Datasets" in by_place["Keys/Data"]
    assert by_place["Keys/Model"] == ["custom models started by Training/StartTraining"]


def test_the_network_lists_every_rule_and_endpoint(assembly: Assembly) -> None:
    found = network(assembly)
    assert len(found.endpoints) == len(list(assembly.resources("AWS::EC2::VPCEndpoint")))
    grader = [(rule.direction, rule.other) for rule in found.rules if rule.group == "Network/Grader"]
    assert grader == [("out", "nothing")]
    assert {member for members in found.members.values() for member in members} | set(found.outside) == {
        role.used_by[0].removeprefix("Lambda function ") for role in roles(assembly) if role.used_by[0].startswith("Lambda function")
    }


def test_a_route_to_the_internet_shows_in_the_subnet(planted: Callable[[Callable[[dict[str, Any]], None]], Evidence]) -> None:
    def route(templates: dict[str, Any]) -> None:
        table = next(name for name, found in templates["foundation"]["Resources"].items() if found["Type"] == "AWS::EC2::RouteTable")
        templates["foundation"]["Resources"]["Planted"] = {
            "Type": "AWS::EC2::Route",
            "Properties": {"RouteTableId": {"Ref": table}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
        }

    evidence = planted(route)
    assert any("0.0.0.0/0 igw-1" in route for subnet in evidence["network"]["subnets"] for route in subnet["routes"])
    assert not evidence["facts"]["no_way_out"]["holds"]


def test_policies_of_resources_are_whole(assembly: Assembly) -> None:
    found = {(policy.kind, policy.place): policy.statements for policy in resource_policies(assembly)}
    written = [policy["Properties"]["PolicyDocument"]["Statement"] for _, _, policy in assembly.resources("AWS::S3::BucketPolicy")]
    assert sum(len(statements) for (kind, _), statements in found.items() if kind == "bucket") == sum(map(len, written))
    for (kind, _), statements in found.items():
        # A permission of a function without source would let anyone's rule call it.
        if kind == "function":
            assert all(any(text.startswith("aws:Source") for text in statement.conditions) for statement in statements)
