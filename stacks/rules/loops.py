"""The rule on the pipeline's trigger: what it writes must never start it again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from stacks.rules.policies import Grant, grants, trusted_services
from stacks.rules.rule import Fault, Rule
from stacks.rules.templates import Resource, Templates, listed

_WRITES = {"s3:PutObject", "s3:*", "s3:Put*", "*"}


@lru_cache(maxsize=4096)
def can_both_match(one: str, other: str) -> bool:
    """Whether some text fits both patterns, in which `*` is any text, the empty one included."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return can_both_match(one[1:], other) or can_both_match(one, other[1:])
    if other[0] == "*":
        return can_both_match(one, other[1:]) or can_both_match(one[1:], other)
    return one[0] == other[0] and can_both_match(one[1:], other[1:])


def key_patterns(matchers: list[Any]) -> list[str]:
    """EventBridge's matchers of an object's key as patterns with `*`; what is not understood matches every key."""
    return [_pattern(matcher) for matcher in matchers] or ["*"]


def _pattern(matcher: Any) -> str:
    if isinstance(matcher, str):
        return matcher
    if isinstance(matcher, dict) and len(matcher) == 1:
        ((operator, value),) = matcher.items()
        if isinstance(value, str):
            return {"wildcard": value, "prefix": f"{value}*", "suffix": f"*{value}"}.get(operator, "*")
    return "*"


def _upload_rules(templates: Templates) -> Iterator[tuple[Resource, list[str], list[str]]]:
    """Rules on objects, with the buckets they watch and the keys they match."""
    for rule in templates.of("AWS::Events::Rule"):
        pattern = rule.properties.get("EventPattern", {})
        if "aws.s3" in listed(pattern.get("source")) or "Object Created" in listed(pattern.get("detail-type")):
            detail = pattern.get("detail", {})
            buckets = [templates.text(name, rule) for name in listed(detail.get("bucket", {}).get("name"))]
            yield rule, buckets, key_patterns(listed(detail.get("object", {}).get("key")))


def _writes(templates: Templates, grant: Grant) -> Iterator[tuple[str, str]]:
    """Bucket and key pattern of everything the pipeline may write by this statement."""
    # People's roles upload: that is what the trigger is for. What a service runs under must not.
    people = grant.role is not None and not trusted_services(grant.role)
    if not people and _WRITES & set(grant.actions):
        for resource in grant.resources:
            end = resource.find("}") + 1
            bucket = templates.find("AWS::S3::Bucket", referenced_by=resource[:end])
            yield (bucket.reference if bucket else "*"), resource[end:].removeprefix("/") if bucket else "*"


def _trigger_loop(templates: Templates) -> Iterator[Fault]:
    for rule, buckets, keys in _upload_rules(templates):
        for grant in grants(templates):
            for bucket, written in _writes(templates, grant):
                watched = not buckets or bucket == "*" or bucket in buckets
                if watched and any(can_both_match(written, key) for key in keys):
                    yield Fault(
                        resource=rule,
                        what=f"{grant.policy.logical_id} may write {written}, which {', '.join(keys)} matches",
                        property_path="Properties/EventPattern",
                    )


RULES = (
    Rule(
        name="TriggerLoop",
        checks="No object that a role of the pipeline may write matches the rule that starts the pipeline.",
        why="Its own output would start it again, without end and at Bedrock's prices (Lambda developer guide, recursive loops).",
        remedy="Write below another prefix, or narrow the rule's key pattern.",
        check=_trigger_loop,
    ),
)
