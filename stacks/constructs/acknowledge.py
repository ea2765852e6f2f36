"""Acknowledgements: one finding of a rule pack on one resource, answered beside that resource.

A finding that cannot be mended in the stacks is answered with a reason, an owner and the day it is looked at again. Nothing
answers for a stack, a subtree or a family of findings: the framework would let it, this module does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import jsii
from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct, IValidation

from stacks.constructs.statements import Statement
from stacks.rules.intrinsics import nag_text
from stacks.rules.review import METADATA

MIN_REASON = 40
"""Characters: less does not tell an auditor why."""


class Owner(StrEnum):
    """Who answers for an acknowledgement: a team, by its part in the project."""

    PLATFORM = "platform engineering"
    SECURITY = "security review"
    ML = "ML engineering"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Why a finding stands.

    Attributes:
        reason: what an auditor reads: why the rule does not fit here, or what does its work instead.
        owner: the team that answers for it.
        review: the day it is looked at again, ISO 8601. From that day on the rule `RFT-AcknowledgementReview` finds it.

    Raises:
        ValueError: for a reason too short to be one, or a date that is none.
    """

    reason: str
    owner: Owner
    review: str

    def __post_init__(self) -> None:
        if len(self.reason) < MIN_REASON:
            raise ValueError(f"reason = {self.reason!r}: allowed is a sentence of {MIN_REASON} characters or more")
        try:
            date.fromisoformat(self.review)
        except ValueError:
            raise ValueError(f"review = {self.review!r}: allowed is an ISO date such as 2027-11-30") from None


def acknowledge(construct: IConstruct, *findings: str, answer: Answer) -> None:
    """Answers each of `findings` on the one CloudFormation resource that `construct` is, or is built around.

    Args:
        construct: the resource, or a construct whose default child it is.
        findings: ids as the packs print them, such as `AwsSolutions-SQS3`; several when packs ask for the same thing.
        answer: why they stand.

    Raises:
        ValueError: when `construct` is no single resource.
    """
    resource = resource_of(construct)
    for finding in findings:
        _record(resource, finding, answer)


PATTERNS_REVIEWED = "2027-11-30"
"""When the reasons given in the statements are looked at again, all of them together."""


def acknowledge_patterns(policy: IConstruct, statements: Iterable[iam.PolicyStatement]) -> None:
    """Answers each resource pattern of an IAM policy with the reason its statements give (`Statement.because`).

    A pattern in a statement without a reason stays a finding.

    cdk-nag writes a pattern into the finding's id with its references resolved, and those across stacks are known only once the
    whole tree is prepared. So the ids are made when CDK validates the tree, just before it writes the templates.
    """
    reasons: dict[str, list[str]] = {}
    for statement in statements:
        if isinstance(statement, Statement):
            for pattern in statement.patterns:
                reasons.setdefault(pattern, []).append(statement.because)
    resource = resource_of(policy)
    resource.node.add_validation(_Patterns(resource, {pattern: given for pattern, given in reasons.items() if all(given)}))


def resource_of(construct: IConstruct) -> CfnResource:
    found = construct if isinstance(construct, CfnResource) else construct.node.default_child
    if not isinstance(found, CfnResource):
        raise ValueError(f"{construct.node.path}: allowed is a CloudFormation resource, or a construct built around one")
    return found


@jsii.implements(IValidation)
class _Patterns:
    def __init__(self, policy: CfnResource, reasons: Mapping[str, list[str]]) -> None:
        self._policy = policy
        self._reasons = dict(reasons)

    def validate(self) -> list[str]:
        stack = Stack.of(self._policy)
        for pattern, reasons in self._reasons.items():
            answer = Answer(reason=" ".join(dict.fromkeys(reasons)), owner=Owner.SECURITY, review=PATTERNS_REVIEWED)
            _record(self._policy, f"AwsSolutions-IAM5[Resource::{nag_text(stack.resolve(pattern))}]", answer)
        self._reasons.clear()  # a second synthesis finds them recorded
        return []


def _record(resource: Construct, finding: str, answer: Answer) -> None:
    # Qualified by the pack: then the pack reports the finding and CDK sets it aside, so that a stale one shows.
    pack = finding.split("-", 1)[0]
    Validations.of(resource).acknowledge(Acknowledgment(id=f"{pack}::{finding}", reason=answer.reason))
    resource.node.add_metadata(
        METADATA, {"finding": finding, "reason": answer.reason, "owner": answer.owner.value, "review": answer.review}
    )
