"""Access: which principals may take the roles made for people."""

from __future__ import annotations

import re

import attrs

_ROLE = re.compile(
    r"arn:aws[a-z-]*:iam::\d{12}:role/"
    r"(?:aws-reserved/sso\.amazonaws\.com/(?:[a-z0-9-]+/)?AWSReservedSSO_[\w+=,.@-]{1,32}_\*|(?!aws-reserved/)[\w+=,.@/-]{1,512})"
)
_USER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:user/[\w+=,.@/-]{1,512}")

_ALLOWED = (
    "ARNs of IAM roles such as arn:aws:iam::111122223333:role/ml, or of IAM Identity Center's permission sets such as "
    "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ml_*"
)


def _people(_instance: object, _attribute: object, value: list[str]) -> None:
    for principal in value:
        if not _ROLE.fullmatch(principal):
            raise ValueError(f"allowed are {_ALLOWED}; {principal!r} is neither")


def _with_device(_instance: object, _attribute: object, value: list[str]) -> None:
    for principal in value:
        if not _USER.fullmatch(principal):
            raise ValueError(
                "allowed are ARNs of IAM users such as arn:aws:iam::111122223333:user/break-glass-1, whose sessions say that a device "
                f"was used; {principal!r} is none"
            )


@attrs.frozen(kw_only=True)
class AccessSettings:
    """Who may take which role. A role nobody may take is not made: an environment has no way in that nobody asked for.

    Attributes:
        operators: upload datasets and feedback, start, watch and stop runs, try published rewards.
        approvers: answer approvals, and nothing else that changes anything.
        auditors: read configuration and lineage, no data.
        break_glass: stop what costs money and put the released model back, with a second factor, for an hour. IAM users, because
            a session of Identity Center or of a role carries no `aws:MultiFactorAuthPresent`.
    """

    operators: list[str] = attrs.field(factory=list, validator=_people)
    approvers: list[str] = attrs.field(factory=list, validator=_people)
    auditors: list[str] = attrs.field(factory=list, validator=_people)
    break_glass: list[str] = attrs.field(factory=list, validator=_with_device)
