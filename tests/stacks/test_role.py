"""The one way to make a role: managed policies within IAM's limits, closed to later additions."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam

from stacks.constructs.role import POLICY_CHARACTERS, role
from stacks.constructs.statements import allow


def made(statements: list[iam.PolicyStatement]) -> tuple[cdk.Stack, iam.IRole]:
    stack = cdk.Stack(cdk.App(), "Stack")
    return stack, role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description="d", statements=statements)


def policies(stack: cdk.Stack) -> list[dict[str, Any]]:
    return [p["Properties"] for p in assertions.Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").values()]


def long(number: int, count: int = 40) -> iam.PolicyStatement:
    return allow(["s3:GetObject"], [f"arn:aws:s3:::bucket-{number}/{'x' * 60}/{each}" for each in range(count)])


def test_statements_that_fit_stand_in_one_policy_named_by_the_role() -> None:
    stack, _ = made([allow(["s3:GetObject"], ["arn:aws:s3:::a/b"])])
    template = assertions.Template.from_stack(stack)
    ((name, _),) = template.find_resources("AWS::IAM::ManagedPolicy").items()
    template.has_resource_properties("AWS::IAM::Role", {"ManagedPolicyArns": [{"Ref": name}]})


def test_more_than_a_policy_holds_is_spread_over_several_and_nothing_is_lost() -> None:
    stack, _ = made([long(number) for number in range(4)])
    found = policies(stack)
    assert len(found) == 4
    for properties in found:
        assert len(json.dumps(properties["PolicyDocument"], separators=(",", ":"))) <= POLICY_CHARACTERS
    assert sum(len(properties["PolicyDocument"]["Statement"]) for properties in found) == 4


def test_nothing_adds_to_a_role_behind_its_back() -> None:
    stack, role_ = made([allow(["s3:GetObject"], ["arn:aws:s3:::a/b"])])
    role_.add_to_principal_policy(allow(["s3:PutObject"], ["arn:aws:s3:::a/b"]))
    template = assertions.Template.from_stack(stack)
    assert not template.find_resources("AWS::IAM::Policy")
    assert "s3:PutObject" not in json.dumps(template.to_json())


def test_a_statement_longer_than_a_policy_is_refused_with_where() -> None:
    with pytest.raises(ValueError, match="Stack/Role: a statement of"):
        made([long(0, count=200)])


def test_more_policies_than_a_role_carries_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 11 policies and may carry 10"):
        made([long(number, count=50) for number in range(11)])
