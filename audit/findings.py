"""What the rule packs found in one environment and who answered it, in the words of the evidence."""

from __future__ import annotations

from typing import Any

from audit.inventory import Reasons
from audit.register import Register

DATED_RULE = "RFT-AcknowledgementReview"
"""Finds by the calendar and not by the templates, so it has no place in evidence that is the same on every day."""

Row = dict[str, Any]


def findings(register: Register, environment: str) -> Row:
    """Each pack's count, everything left unanswered, and the register of acknowledgements."""
    own = register.of(environment)
    return {
        "packs": [
            {
                "pack": pack,
                "found": sum(finding.pack == pack and not _dated(finding.rule) for finding in own.findings),
                "open": sum(finding.pack == pack and not _dated(finding.rule) for finding in own.open()),
            }
            for pack in own.results()
        ],
        "crashed": dict(sorted(own.crashed.items())),
        "open": [
            {"pack": found.pack, "rule": found.rule, "place": _place(found.path), "level": found.level, "says": found.description}
            for found in sorted(own.open())
            if not _dated(found.rule)
        ],
        "acknowledgements": _by_reason(own),
    }


def _by_reason(register: Register) -> list[Row]:
    """The acknowledgements under their reasons: an auditor reads each reason once and sees all it answers."""
    gathered: dict[tuple[str, str, str], list[Row]] = {}
    for known in sorted(register.acknowledged):
        answer = {"finding": known.finding, "place": _place(known.path)}
        gathered.setdefault((known.reason, known.owner, known.review), []).append(answer)
    return [
        {"reason": reason, "owner": owner, "review": review, "answers": answers}
        for (reason, owner, review), answers in sorted(gathered.items(), key=lambda item: (item[1][0]["finding"], item[0]))
    ]


def reasons(found: Row) -> Reasons:
    """Looks up the reason written for a wildcard of a policy, by the finding that names it."""
    known: dict[tuple[str, str], str] = {
        (answer["place"].partition("/")[2], answer["finding"]): entry["reason"]
        for entry in found["acknowledgements"]
        for answer in entry["answers"]
    }

    def reason(place: str, wildcard: str) -> str:
        kind = "Resource" if wildcard == "*" else "Action"
        return known.get((place, f"AwsSolutions-IAM5[{kind}::{wildcard}]"), "")

    return reason


def _place(path: str) -> str:
    """A construct path without its environment and without the name CDK gives to the CloudFormation resource in a construct."""
    return path.partition("/")[2].partition(" ")[0].removesuffix("/Resource")


def _dated(rule: str) -> bool:
    return rule.startswith(DATED_RULE)
