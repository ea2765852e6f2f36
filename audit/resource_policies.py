"""The policies that resources carry themselves: who may reach a bucket, queue, topic, bus or function from its own side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from audit.assembly import Assembly
from audit.words import Statement, Words


@attrs.frozen(kw_only=True)
class ResourcePolicy:
    """One resource and every statement of its own policy. The policies of keys stand with the keys, of endpoints with the network."""

    kind: str
    place: str
    stack: str
    statements: list[Statement]


def resource_policies(assembly: Assembly) -> list[ResourcePolicy]:
    """Every resource that has a policy of its own, by kind and place."""
    words = Words(assembly)
    gathered: dict[tuple[str, str, str], list[Statement]] = {}
    for kind, stack, resource, statements in [*_documents(assembly, words), *_permissions(assembly, words)]:
        gathered.setdefault((kind, resource, stack), []).extend(statements)
    return sorted(
        (
            ResourcePolicy(kind=kind, place=place, stack=stack, statements=statements)
            for (kind, place, stack), statements in gathered.items()
        ),
        key=lambda policy: (policy.kind, policy.place),
    )


Found = tuple[str, str, str, list[Statement]]

_HOLDERS = {
    "AWS::S3::BucketPolicy": ("bucket", "Bucket"),
    "AWS::SQS::QueuePolicy": ("queue", "Queues"),
    "AWS::SNS::TopicPolicy": ("topic", "Topics"),
    "AWS::SecretsManager::ResourcePolicy": ("secret", "SecretId"),
}


def _documents(assembly: Assembly, words: Words) -> Iterator[Found]:
    for stack, _, resource in assembly.resources(*_HOLDERS):
        kind, key = _HOLDERS[resource["Type"]]
        properties = resource["Properties"]
        holders = properties[key] if isinstance(properties[key], list) else [properties[key]]
        for holder in holders:
            yield kind, stack, words.text(stack, holder).strip("{}"), words.statements(stack, properties["PolicyDocument"])
    for stack, _, resource in assembly.resources("AWS::Events::EventBusPolicy"):
        properties = resource["Properties"]
        if "Statement" in properties:
            yield "event bus", stack, words.text(stack, properties["EventBusName"]).strip("{}"), words.statements(stack, properties)


def _permissions(assembly: Assembly, words: Words) -> Iterator[Found]:
    """Lambda's permissions, each as the statement that it is."""
    for stack, _, resource in assembly.resources("AWS::Lambda::Permission"):
        properties = resource["Properties"]
        function = words.text(stack, properties["FunctionName"])
        yield "function", stack, function.strip("{}"), words.statements(stack, {"Statement": _as_statement(properties, function)})


def _as_statement(properties: Mapping[str, Any], function: str) -> dict[str, Any]:
    conditions = {
        condition: properties[key]
        for key, condition in (
            ("SourceArn", "aws:SourceArn"),
            ("SourceAccount", "aws:SourceAccount"),
            ("PrincipalOrgID", "aws:PrincipalOrgID"),
        )
        if key in properties
    }
    return {
        "Effect": "Allow",
        "Principal": {"Service": properties["Principal"]},
        "Action": properties["Action"],
        "Resource": function,
        "Condition": {"ArnLike": conditions} if conditions else {},
    }
