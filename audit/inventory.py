"""The roles: who may assume each, what it may do, on what, under which condition, and within which boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from audit.assembly import Assembly
from audit.words import Statement, Words

Reasons = Callable[[str, str], str]
"""(place of the policy or role, wildcard) -> the reason written for it, or an empty text."""


@attrs.frozen(kw_only=True)
class Wildcard:
    """A wildcard and why it is there.

    Attributes:
        what: the action with a `*`, or `any resource`.
        actions: what it is for.
        reason: from the acknowledgements; empty when none is written.
        conditions: what narrows it.
    """

    what: str
    actions: list[str]
    reason: str
    conditions: list[str]


@attrs.frozen(kw_only=True)
class Role:
    """A role in words.

    Attributes:
        place: in the construct tree, below its stack.
        capability: the first part of the place.
        used_by: what runs under the role, or who may hand it to which service.
        trust: who may assume it.
        boundary: the permissions boundary, or an empty text.
        managed: policies of AWS or of the account attached to it.
        statements: of all policies of these templates together.
    """

    stack: str
    place: str
    capability: str
    description: str
    used_by: list[str]
    trust: list[Statement]
    boundary: str
    managed: list[str]
    statements: list[Statement]
    wildcards: list[Wildcard]


def roles(assembly: Assembly, reasons: Reasons = lambda _place, _wildcard: "") -> list[Role]:
    """Every role of an environment, by stack and place."""
    words = Words(assembly)
    held = _policies(assembly, words)
    users, passed = _users(assembly, words), _passed(held)
    found: list[Role] = []
    for stack, logical_id, resource in assembly.resources("AWS::IAM::Role"):
        place = words.place(stack, logical_id)
        properties = resource["Properties"]
        own = [
            (place, statement)
            for inline in properties.get("Policies", [])
            for statement in words.statements(stack, inline["PolicyDocument"])
        ]
        statements = [*own, *held.get(f"{{{place}}}", [])]
        found.append(
            Role(
                stack=stack,
                place=place.removesuffix("/Role"),
                capability=place.split("/")[0],
                description=str(properties.get("Description", "")),
                used_by=sorted({*users.get(f"{{{place}}}", []), *passed.get(f"{{{place}}}", [])}),
                trust=words.statements(stack, properties["AssumeRolePolicyDocument"]),
                boundary=words.text(stack, properties["PermissionsBoundary"]) if "PermissionsBoundary" in properties else "",
                managed=[
                    text
                    for arn in properties.get("ManagedPolicyArns", [])
                    if (text := words.text(stack, arn)).strip("{}") not in _own(assembly)
                ],
                statements=[statement for _, statement in statements],
                wildcards=[*_wildcards(statements, reasons)],
            )
        )
    return found


def _own(assembly: Assembly) -> set[str]:
    """Places of the managed policies that the templates hold themselves; their statements are listed with the role's."""
    return {assembly.paths.get((stack, logical_id), logical_id) for stack, logical_id, _ in assembly.resources("AWS::IAM::ManagedPolicy")}


def _policies(assembly: Assembly, words: Words) -> dict[str, list[tuple[str, Statement]]]:
    """Role -> place of the policy and statement, from inline and managed policies of the templates."""
    held: dict[str, list[tuple[str, Statement]]] = {}
    attached: dict[str, list[str]] = {}
    for stack, logical_id, resource in assembly.resources("AWS::IAM::Role"):
        for arn in resource["Properties"].get("ManagedPolicyArns", []):
            attached.setdefault(words.text(stack, arn), []).append(f"{{{words.place(stack, logical_id)}}}")
    for stack, logical_id, resource in assembly.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        properties = resource["Properties"]
        place = words.place(stack, logical_id)
        holders = [words.text(stack, role) for role in properties.get("Roles", [])] + attached.get(f"{{{place}}}", [])
        for holder in dict.fromkeys(holders):
            held.setdefault(holder, []).extend((place, statement) for statement in words.statements(stack, properties["PolicyDocument"]))
    return held


_ROLE_KEYS = ("Role", "RoleArn", "DeliverLogsPermissionArn", "ExecutionRoleArn", "CloudWatchLogsRoleArn", "IamRoleArn")


def _users(assembly: Assembly, words: Words) -> dict[str, list[str]]:
    """Role -> what of the templates runs under it."""
    users: dict[str, list[str]] = {}
    for stack, logical_id, resource in assembly.resources():
        if resource["Type"].startswith("AWS::IAM::"):
            continue
        for value in _roles_named(resource.get("Properties", {})):
            users.setdefault(words.text(stack, value), []).append(f"{_kind(resource['Type'])} {words.place(stack, logical_id)}")
    return {role: sorted(set(names)) for role, names in users.items()}


def _passed(held: Mapping[str, list[tuple[str, Statement]]]) -> dict[str, list[str]]:
    """Role -> who may pass it, and to what."""
    passed: dict[str, list[str]] = {}
    for holder, statements in held.items():
        for _, statement in statements:
            if statement.effect == "Allow" and "iam:PassRole" in statement.actions:
                service = next(
                    (text.rpartition(" ")[2] for text in statement.conditions if text.startswith("iam:PassedToService")), "anything"
                )
                for role in statement.resources:
                    passed.setdefault(role, []).append(f"{service}, passed by {holder.strip('{}').removesuffix('/Role')}")
    return passed


def _roles_named(properties: Any) -> Iterator[Any]:
    if isinstance(properties, Mapping):
        for key, value in properties.items():
            if key in _ROLE_KEYS:
                yield value
            else:
                yield from _roles_named(value)
    elif isinstance(properties, list):
        for value in properties:
            yield from _roles_named(value)


def _kind(resource_type: str) -> str:
    """`AWS::Lambda::Function` -> `Lambda function`."""
    _, service, name = resource_type.split("::", 2)
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return f"{service}{spaced}"


def _wildcards(statements: list[tuple[str, Statement]], reasons: Reasons) -> Iterator[Wildcard]:
    for place, statement in statements:
        if statement.effect != "Allow":
            continue
        for wildcard in statement.wildcards:
            yield Wildcard(
                what="any resource" if wildcard == "*" else wildcard,
                actions=statement.actions,
                reason=reasons(place, wildcard),
                conditions=statement.conditions,
            )
