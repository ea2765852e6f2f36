"""What counts as inside: who may come near the data, and what is done about jobs that were started beside the pipeline."""

from __future__ import annotations

import re
from typing import Any

import attrs
from contracts.validation import matching, whole

_ACCOUNT = re.compile(r"\d{12}")
_PRINCIPAL = re.compile(r"arn:aws(?:-[a-z]+)*:(?:iam|sts)::\d{12}:(?:role|user|assumed-role)/[\w+=,.@*/-]+")


class _Each:
    """An attrs validator: every entry of a list matches the whole pattern, and none is said twice."""

    def __init__(self, pattern: re.Pattern[str], meaning: str) -> None:
        self.pattern, self.meaning = pattern, meaning

    def __call__(self, _instance: object, _attribute: object, value: list[Any]) -> None:
        for entry in value:
            if not isinstance(entry, str) or not self.pattern.fullmatch(entry):
                raise ValueError(f"allowed are {self.meaning}, and {entry!r} is none")
        if len(set(value)) < len(value):
            raise ValueError("allowed is each entry once")


@attrs.frozen(kw_only=True)
class PerimeterSettings:
    """The data perimeter. The environment's own account is always inside: no value here can lock it out.

    Being inside grants nothing. It only lifts the denials that every bucket, topic, queue and bus carries against outsiders.

    Attributes:
        organization_id: principals of this AWS organisation are inside as well; empty for the account alone.
        trusted_accounts: accounts that are inside without being of the organisation.
        data_through_vpc_only: refuse objects of the data buckets to whoever does not come through the VPC's endpoint. Off as it ships:
            people and CI upload datasets and read reports from elsewhere, and would be refused (docs/perimeter.md).
        outside_vpc_principals: ARNs, `*` allowed in the name, that `data_through_vpc_only` lets in from anywhere.
        inspection_minutes: how often the account's customization jobs are looked through; events are delivered best effort.
        stop_foreign_jobs: stop a running customization job that the pipeline did not start, besides raising the alarm.
    """

    organization_id: str = attrs.field(
        default="", validator=matching(r"|o-[a-z0-9]{10,32}", "an organisation id such as o-a1b2c3d4e5, or an empty string")
    )
    trusted_accounts: list[str] = attrs.field(factory=list, validator=_Each(_ACCOUNT, "account ids of 12 digits"))
    data_through_vpc_only: bool = attrs.field(default=False)
    outside_vpc_principals: list[str] = attrs.field(factory=list, validator=_Each(_PRINCIPAL, "ARNs of IAM roles or users"))
    inspection_minutes: int = attrs.field(default=60, validator=whole(5, 1440))
    stop_foreign_jobs: bool = attrs.field(default=True)


def problems(perimeter: PerimeterSettings) -> list[str]:
    """Keys that contradict each other, one line each."""
    if perimeter.outside_vpc_principals and not perimeter.data_through_vpc_only:
        return [
            f"perimeter.outside_vpc_principals = {perimeter.outside_vpc_principals!r}: allowed is an empty list, "
            "because perimeter.data_through_vpc_only is false and nobody needs an exception"
        ]
    return []
