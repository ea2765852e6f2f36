"""The policy engine against IAM's documented rules (IAM user guide, reference_policies_evaluation-logic and condition operators)."""

from __future__ import annotations

from typing import Any

import pytest

from audit.policies import Document, Principal
from audit.policy_engine import Request, allowed

OWN, OTHER = "111111111111", "444444444444"
BUCKET = "arn:aws:s3:::bucket/x"


def statement(effect: str = "Allow", action: str = "s3:GetObject", resource: str = "*", **rest: Any) -> Document:
    return {"Effect": effect, "Action": action, "Resource": resource, **rest}


def policy(*statements: Document) -> Document:
    return {"Statement": list(statements)}


def asks(
    *identity: Document,
    boundary: Document | None = None,
    resource_policy: Document | None = None,
    endpoint: Document | None = None,
    action: str = "s3:GetObject",
    resource: str = BUCKET,
    owner: str = OWN,
    context: dict[str, Any] | None = None,
) -> bool:
    principal = Principal(
        place="Role",
        arn=f"arn:aws:iam::{OWN}:role/asker",
        account=OWN,
        identity=[policy(*identity)] if identity else [],
        boundary=[boundary] if boundary else None,
        trust=policy(),
    )
    request = Request(principal=principal, action=action, resource=resource, region="us-east-1", owner=owner, context=context or {})
    return allowed(request, resource_policy=resource_policy, endpoint=endpoint)


def to(principal: Any, **rest: Any) -> Document:
    return statement(Principal=principal, **rest)


EVERYONE = policy(to("*"))


def test_what_nothing_allows_is_denied() -> None:
    assert not asks()
    assert asks(statement())


def test_a_denial_wins_wherever_it_stands() -> None:
    deny = statement("Deny")
    assert not asks(statement(), deny)
    assert not asks(statement(), boundary=policy(statement(), deny))
    assert not asks(statement(), resource_policy=policy(to("*", effect="Deny")))


def test_a_boundary_intersects_and_grants_nothing() -> None:
    assert asks(statement(), boundary=policy(statement()))
    assert not asks(statement(), boundary=policy(statement(action="s3:PutObject")))
    assert not asks(boundary=policy(statement()))


def test_across_accounts_both_sides_must_allow() -> None:
    assert not asks(statement(), owner=OTHER)
    assert not asks(owner=OTHER, resource_policy=EVERYONE)
    assert asks(statement(), owner=OTHER, resource_policy=EVERYONE)


def test_in_one_account_either_side_is_enough_for_a_bucket_and_not_for_a_key() -> None:
    asker = {"AWS": f"arn:aws:iam::{OWN}:role/asker"}
    assert asks(resource_policy=policy(to(asker)))
    key: Any = {"action": "kms:Decrypt", "resource": f"arn:aws:kms:us-east-1:{OWN}:key/1"}
    use = statement(action="kms:Decrypt")
    root = policy(to({"AWS": f"arn:aws:iam::{OWN}:root"}, action="kms:*"))
    assert not asks(use, resource_policy=policy(), **key)
    assert asks(use, resource_policy=root, **key)
    assert not asks(resource_policy=root, **key)


def test_an_endpoint_must_allow_as_well() -> None:
    assert asks(statement(), endpoint=EVERYONE)
    assert not asks(statement(), endpoint=policy(to("*", action="s3:PutObject")))


def test_everything_but_is_read_as_written() -> None:
    but = {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"}
    assert asks(statement(action="s3:*"), but)
    assert not asks(statement(action="s3:*"), but, action="s3:PutObject")
    outside = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::bucket/*"}
    assert asks(statement(), outside)
    assert not asks(statement(), outside, resource="arn:aws:s3:::other/x")


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": "s3"}}, {"kms:ViaService": "s3"}, True),
        ({"StringEquals": {"kms:ViaService": "s3"}}, {"kms:viaservice": "s3"}, True),
        ({"StringEquals": {"kms:ViaService": "s3"}}, {}, False),
        ({"StringNotEquals": {"aws:SourceVpce": "v"}}, {}, True),
        ({"StringLikeIfExists": {"s3:prefix": ["staged/*"]}}, {}, True),
        ({"StringLikeIfExists": {"s3:prefix": ["staged/*"]}}, {"s3:prefix": "staged/x"}, True),
        ({"StringLikeIfExists": {"s3:prefix": ["staged/*"]}}, {"s3:prefix": "other"}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:x:*:1:job/*"}}, {"aws:SourceArn": "arn:aws:x:r:1:job/7"}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:x:*:1:job/*"}}, {"aws:SourceArn": "arn:aws:x:r:2:job/7"}, False),
        ({"ForAllValues:StringEquals": {"events:source": "rft"}}, {"events:source": ["rft", "aws.s3"]}, False),
        ({"ForAllValues:StringEquals": {"events:source": "rft"}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws:TagKeys": ["b", "a"]}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "false"}, True),
        ({"StringEquals": {"aws:ResourceAccount": OWN}}, {}, True),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, Any], expected: bool) -> None:
    assert asks(statement(Condition=condition), context=context) is expected


def test_the_account_of_a_bucket_is_its_owners_whatever_its_name() -> None:
    leaving = statement("Deny", action="s3:*", Condition={"StringNotEquals": {"aws:ResourceAccount": OWN}})
    assert asks(statement(), leaving)
    assert not asks(statement(), leaving, owner=OTHER, resource_policy=EVERYONE)


@pytest.mark.parametrize(
    "unread",
    [
        {"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "Action": "*", "Resource": "*"},
        statement(resource="arn:aws:s3:::bucket/${aws:username}"),
        statement(Condition={"StringSomething": {"aws:x": "y"}}),
    ],
)
def test_what_the_engine_would_misread_is_refused(unread: Document) -> None:
    with pytest.raises(ValueError, match="not evaluated"):
        asks(unread)
