"""Who may take the roles made for people: ARNs that name somebody, never everybody."""

from __future__ import annotations

import pytest

from stacks.access_settings import AccessSettings

ACCOUNT = "arn:aws:iam::111122223333"
RESERVED = f"{ACCOUNT}:role/aws-reserved/sso.amazonaws.com"


@pytest.mark.parametrize(
    "principal", [f"{ACCOUNT}:role/ml", f"{RESERVED}/AWSReservedSSO_Ml_*", f"{RESERVED}/eu-west-1/AWSReservedSSO_Ml-Team_*"]
)
def test_roles_and_permission_sets_are_taken(principal: str) -> None:
    assert AccessSettings(operators=[principal]).operators == [principal]


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        "111122223333",
        f"{ACCOUNT}:root",
        f"{ACCOUNT}:role/*",
        f"{RESERVED}/*",
        f"{RESERVED}/AWSReservedSSO_*",
        "arn:aws:iam::*:role/ml",
        f"{ACCOUNT}:user/x",
    ],
)
def test_whatever_names_everybody_or_a_user_is_refused(principal: str) -> None:
    with pytest.raises(ValueError, match="allowed are ARNs of IAM roles"):
        AccessSettings(approvers=[principal])


def test_break_glass_is_for_users_whose_sessions_show_a_device() -> None:
    assert AccessSettings(break_glass=[f"{ACCOUNT}:user/break-glass-1"]).break_glass
    with pytest.raises(ValueError, match="allowed are ARNs of IAM users"):
        AccessSettings(break_glass=[f"{ACCOUNT}:role/ml"])
