"""The environment's budget, as it looks from inside: AWS refuses what costs, by a policy that AWS Budgets attached to the caller's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError
from contracts import names
from contracts.errors import BudgetUsedUp

from pipeline import aws

_DENIED = "AccessDeniedException"
_EXPLICITLY = "explicit deny in an identity-based policy"
"""AWS says which kind of policy refused, not always which one (IAM user guide, troubleshoot_access-denied). Of what costs, the roles that
start it carry no other denial."""


@contextmanager
def spending(environment: str) -> Iterator[None]:
    """Around a call that starts what costs.

    Raises:
        BudgetUsedUp: in place of the bare refusal, when a denial attached to the role is what refused it.
    """
    try:
        yield
    except ClientError as error:
        said = str(error.response.get("Error", {}).get("Message", ""))
        if aws.code_of(error) == _DENIED and _EXPLICITLY in said:
            raise BudgetUsedUp(
                f"refused by a denial attached to the role, as AWS Budgets attaches {names.budget_policy(environment)} once the "
                f"environment's budget of the month is used up; see it: rft budget show --env {environment}"
            ) from error
        raise
