"""Roles and what their policies grant, over all stacks of an environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.rules.templates import Resource, Statement, Templates, listed, statements

_RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::Backup::BackupVault": "AccessPolicy",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One statement of an identity policy that allows something.

    Attributes:
        policy: the resource that holds it.
        role: the role it is attached to; None for a policy that only people attach.
        actions, resources: as text.
    """

    policy: Resource
    role: Resource | None
    statement: Statement
    actions: list[str]
    resources: list[str]


def roles(templates: Templates) -> list[Resource]:
    return templates.of("AWS::IAM::Role")


def trusted_services(role: Resource) -> set[str]:
    return {
        str(service)
        for statement in statements(role.properties["AssumeRolePolicyDocument"])
        if isinstance(statement.get("Principal"), dict)
        for service in listed(statement["Principal"].get("Service"))
    }


def policies_of(templates: Templates, role: Resource) -> list[Resource]:
    """Policies of these templates that are attached to the role, whichever side names the other."""
    named = {templates.text(arn, role) for arn in listed(role.properties.get("ManagedPolicyArns"))}
    return [
        policy
        for policy in templates.of("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
        if policy.reference in named
        or role.reference in [templates.text(name, policy) for name in listed(policy.properties.get("Roles"))]
        or role.reference == templates.text(policy.properties.get("RoleName"), policy)
    ]


def grants(templates: Templates) -> Iterator[Grant]:
    """Every allowing statement of every identity policy. A permissions boundary grants nothing and is left out."""
    attached: set[str] = set()
    for role in roles(templates):
        for policy in policies_of(templates, role):
            attached.add(policy.reference)
            yield from _grants(templates, policy, role, policy.properties["PolicyDocument"])
        for inline in listed(role.properties.get("Policies")):
            yield from _grants(templates, role, role, inline["PolicyDocument"])
    boundaries = {templates.text(role.properties.get("PermissionsBoundary"), role) for role in roles(templates)}
    for policy in templates.of("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        if policy.reference not in attached | boundaries:
            yield from _grants(templates, policy, None, policy.properties["PolicyDocument"])


def _grants(templates: Templates, policy: Resource, role: Resource | None, document: object) -> Iterator[Grant]:
    for statement in statements(document):
        if statement["Effect"] == "Allow":
            yield Grant(
                policy=policy,
                role=role,
                statement=statement,
                actions=[str(action) for action in listed(statement.get("Action"))],
                resources=[templates.text(resource, policy) for resource in listed(statement.get("Resource"))],
            )


def resource_statements(templates: Templates) -> Iterator[tuple[Resource, Statement]]:
    """Every statement of a resource's own policy."""
    for kind, name in _RESOURCE_POLICIES.items():
        for resource in templates.of(kind):
            for statement in statements(resource.properties.get(name)):
                yield resource, statement
