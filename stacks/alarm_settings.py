"""`[alarms]` and `[notifications]` of an environment's settings: when somebody is called, and who."""

from __future__ import annotations

import re

import attrs
from contracts.validation import matching, number, whole

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")


def _emails(_instance: object, _attribute: object, value: list[str]) -> None:
    for email in value:
        if not _EMAIL.fullmatch(email):
            raise ValueError(f"allowed are e-mail addresses, and {email!r} is none")


@attrs.frozen(kw_only=True)
class AlarmSettings:
    """When an alarm calls a person. What a job's reward is held to is in `GuardRailSettings`: one figure for the rail and its alarm.

    Attributes:
        silent_minutes: minutes without one graded response while a job runs, and before its first.
        limit_share: of `training.max_hours` and of `training.caps.usd`, at which a job is stopped and leaves no model; a job beyond
            this share of either is told of while somebody can still decide.
        approval_hours: hours an approval has waited; fewer than `approval.timeout_hours`, after which nobody need answer any more.
        released_error_share: of the requests to the released model, failed or throttled by Bedrock within five minutes.
        released_requests: within five minutes; a share of fewer says nothing.
        released_seconds: within which 95 of 100 answers of the released model come.
    """

    silent_minutes: int = attrs.field(default=60, validator=whole(10, 720))
    limit_share: float = attrs.field(default=0.8, validator=number(0.1, 1))
    approval_hours: float = attrs.field(default=4.0, validator=number(0.5, 720))
    released_error_share: float = attrs.field(default=0.05, validator=number(0.001, 1))
    released_requests: int = attrs.field(default=10, validator=whole(1, 1_000_000))
    released_seconds: float = attrs.field(default=30.0, validator=number(0.1, 3600))


@attrs.frozen(kw_only=True)
class NotificationSettings:
    """Who is told.

    Attributes:
        emails: told of run endings, approvals and every alarm; each must confirm the message AWS sends.
        on_call: told once when something needs a person and once when nothing does any more, and of each tampering: a pager's address.
        runbooks_url: where `docs/runbooks` can be read, put in front of a page's name; empty names the path in the repository.
    """

    emails: list[str] = attrs.field(factory=list, validator=_emails)
    on_call: list[str] = attrs.field(factory=list, validator=_emails)
    runbooks_url: str = attrs.field(default="", validator=matching(r"|https://[^\s?#]{4,200}", "an https:// address or an empty string"))
