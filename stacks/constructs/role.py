"""Roles: the one way to make one. What it may do stands in customer managed policies, and nothing adds to it afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.acknowledge import acknowledge_patterns

POLICY_CHARACTERS = 6144
"""Longest managed policy, white space not counted (IAM user guide, reference_iam-quotas)."""

POLICIES_PER_ROLE = 10
"""Managed policies a role may carry without asking for more (the same page)."""

_REFERENCE = 128
"""Characters taken for a name that only the deployment knows: an ARN with the longest function name has 116."""


def role(
    scope: Construct,
    construct_id: str,
    *,
    assumed_by: iam.IPrincipal,
    description: str,
    statements: Iterable[iam.PolicyStatement],
    name: str | None = None,
) -> iam.IRole:
    """A role that may do what `statements` say, for ever: CDK's constructs cannot widen what is returned here.

    The role names its policies, so that whatever is given the role waits for them too. A statement must not name a
    resource that is itself given the role. `name` is for roles that people type; a session lasts an hour at most.

    Raises:
        ValueError: one statement, or all of them together, is more than IAM takes.
    """
    made = iam.Role(scope, construct_id, assumed_by=assumed_by, description=description, role_name=name)
    groups = _grouped(made, list(statements))
    if len(groups) > POLICIES_PER_ROLE:
        raise ValueError(f"{made.node.path} needs {len(groups)} policies and may carry {POLICIES_PER_ROLE}: give it fewer statements")
    for number, group in enumerate(groups, start=1):
        policy = iam.ManagedPolicy(made, f"Policy{number if number > 1 else ''}", statements=group)
        acknowledge_patterns(policy, group)
        made.add_managed_policy(policy)
    return made.without_policy_updates()


def _grouped(made: iam.Role, statements: list[iam.PolicyStatement]) -> list[list[iam.PolicyStatement]]:
    """The statements in their order, in as few policies as hold them."""
    room = POLICY_CHARACTERS - len('{"Version":"2012-10-17","Statement":[]}')
    groups: list[list[iam.PolicyStatement]] = []
    left = 0
    for statement in statements:
        size = _length(Stack.of(made).resolve(statement.to_statement_json())) + 1
        if size > room:
            raise ValueError(f"{made.node.path}: a statement of {size} characters, and a policy holds {room}: split it")
        if size > left:
            groups.append([])
            left = room
        groups[-1].append(statement)
        left -= size
    return groups


def _length(value: Any) -> int:
    """Characters of a resolved value as JSON, with room for what the deployment fills in."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::Select"):
            return _REFERENCE
        if set(value) == {"Fn::Join"}:
            return sum(_length(part) for part in value["Fn::Join"][1])
        return 2 + sum(len(json.dumps(key)) + 2 + _length(item) for key, item in value.items())
    if isinstance(value, list):
        return 2 + sum(_length(item) + 1 for item in value)
    return len(json.dumps(value))
