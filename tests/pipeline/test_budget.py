"""A refusal by the budget is an outcome with a reason; any other refusal stays what it is."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from contracts.errors import BudgetUsedUp
from contracts.events import Outcome
from pipeline.budget import spending

from tests.stacks.test_run_definition import STATES

EXPLICIT = (
    "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: bedrock:CreateModelCustomizationJob on resource: "
    "arn:aws:bedrock:us-east-1::foundation-model/m with an explicit deny in an identity-based policy: "
    "arn:aws:iam::111122223333:policy/rft-dev-budget-used-up"
)
MISSING = "User: u is not authorized to perform: a on resource: r because no identity-based policy allows the a action"
BY_THE_ORGANISATION = "User: u is not authorized to perform: a on resource: r with an explicit deny in a service control policy"


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateModelCustomizationJob")


@pytest.mark.parametrize("message", [EXPLICIT, EXPLICIT.partition(": arn:aws:iam")[0]])
def test_an_attached_denial_is_told_in_words_and_without_the_callers_arn(message: str) -> None:
    with pytest.raises(BudgetUsedUp) as caught, spending("dev"):
        raise refused("AccessDeniedException", message)
    said = str(caught.value)
    assert "budget of the month is used up" in said and "rft-dev-budget-used-up" in said and "rft budget show --env dev" in said


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", MISSING),
        ("AccessDeniedException", BY_THE_ORGANISATION),
        ("ThrottlingException", EXPLICIT),
        ("ConflictException", ""),
    ],
)
def test_another_refusal_stays_what_it_is(code: str, message: str) -> None:
    with pytest.raises(ClientError), spending("dev"):
        raise refused(code, message)


@pytest.mark.parametrize("state", ["StartTraining", "DeployCandidate"])
def test_the_run_then_ends_as_rejected_spend_and_is_cleaned_up(state: str) -> None:
    first = STATES[state]["Catch"][0]
    assert (first["ErrorEquals"], first["Next"]) == ([BudgetUsedUp.__name__], "CleanUp")
    assert first["Assign"]["outcome"]["code"] == Outcome.SPEND_REJECTED
    assert not any(BudgetUsedUp.__name__ in each["ErrorEquals"] for each in STATES[state]["Retry"])
