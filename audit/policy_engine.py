"""Decides one request by IAM's rules, with ministack's evaluator (MIT), which also enforces them in the local cloud.

What that evaluator does not know is refused here, so that no answer rests on it: see `docs/access.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import attrs
from ministack.core import iam_evaluator

from audit.policies import Document, Principal

POLICY_REQUIRED = {"kms", "sts"}
"""Services whose resource must allow a request of its own account too: key policies and trust policies."""

_RESOURCE_ACCOUNT = "audit:resourceaccount"
"""The evaluator guesses aws:ResourceAccount from the ARN, and a bucket's has none. Under this name it takes what it is told."""


@attrs.frozen(kw_only=True)
class Request:
    """What is asked.

    Attributes:
        principal: the role that asks; None for `service`.
        service: a service principal that asks for itself, such as `bedrock.amazonaws.com`.
        owner: the account of the resource.
        context: condition keys of the request besides those every request has.
    """

    action: str
    resource: str
    region: str
    owner: str
    principal: Principal | None = None
    service: str = ""
    context: Mapping[str, Any] = attrs.field(factory=dict)


def allowed(request: Request, *, resource_policy: Document | None = None, endpoint: Document | None = None) -> bool:
    """Whether every policy that has a say lets the request through.

    Args:
        resource_policy: of the resource, or the trust policy of the role that is to be assumed.
        endpoint: of the VPC endpoint the request passes; None when it passes none.
    """
    context = _context(request)
    if request.principal is None:
        decided = iam_evaluator.evaluate_resource_policy(_checked(resource_policy), context, service=request.service)
        return bool(decided.decision == "Allow")
    limits = () if request.principal.boundary is None else ([_parsed(_Same(document)) for document in request.principal.boundary],)
    identity = iam_evaluator.evaluate(context, [_parsed(_Same(document)) for document in request.principal.identity], *limits)
    decided = iam_evaluator.combine_resource_policy(
        identity,
        context,
        _checked(resource_policy),
        request.owner,
        required=request.action.split(":")[0] in POLICY_REQUIRED,
        limits=limits,
    )
    through = endpoint is None or iam_evaluator.evaluate_resource_policy(_checked(endpoint), context).decision == "Allow"
    return bool(decided.decision == "Allow" and through)


def _context(request: Request) -> Any:
    principal = request.principal
    # What AWS itself puts into every request; a service's carries no account of a principal, and an absent key is None.
    given = {"aws:principalisawsservice": "false" if principal else "true"}
    if principal and request.action.startswith("kms:"):
        given["kms:calleraccount"] = principal.account
    keys = given | {key.lower(): value for key, value in request.context.items()}
    return iam_evaluator.EvalContext(
        principal_arn=principal.arn if principal else request.service,
        principal_type="AssumedRole" if principal else "Service",
        principal_account=principal.account if principal else None,
        action=request.action,
        resource_arn=request.resource,
        region=request.region,
        source_ip="10.0.0.1",
        secure_transport=keys.pop("aws:securetransport", "true") == "true",
        service_context={_RESOURCE_ACCOUNT: request.owner, **keys},
    )


class _Same:
    """A document known by its identity: thousands of requests meet the same few, and none is changed between two of them."""

    __slots__ = ("document",)

    def __init__(self, document: Document) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.document is other.document

    def __hash__(self) -> int:
        return id(self.document)


@lru_cache(maxsize=256)
def _parsed(same: _Same) -> Any:
    return iam_evaluator.parse_policy_document(_checked(same.document))


def _checked(document: Document | None) -> Document | None:
    """The document, with aws:ResourceAccount under the name the evaluator takes.

    Raises:
        ValueError: for what the evaluator would read differently from IAM.
    """
    if document is None:
        return None
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return {**document, "Statement": [_statement(statement) for statement in statements]}


def _statement(statement: Document) -> Document:
    if "NotPrincipal" in statement:
        raise ValueError(f"NotPrincipal is not evaluated: {statement}")
    if "${" in str(statement):
        raise ValueError(f"policy variables are not evaluated: {statement}")
    conditions = {}
    for operator, keys in statement.get("Condition", {}).items():
        bare = operator.lower().removesuffix("ifexists").rpartition(":")[2]
        if bare != "null" and bare not in iam_evaluator._CONDITION_OPS:
            raise ValueError(f"condition operator {operator} is not evaluated: {statement}")
        conditions[operator] = {(_RESOURCE_ACCOUNT if key.lower() == "aws:resourceaccount" else key): value for key, value in keys.items()}
    return {**statement, "Condition": conditions}
