"""The rule on acknowledgements themselves: each is looked at again on its day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from stacks.rules.rule import Fault, Level, Rule
from stacks.rules.templates import Resource, Templates

METADATA = "rft:acknowledgement"
"""Type of the construct metadata that carries an acknowledgement into the cloud assembly."""


@dataclass(frozen=True, kw_only=True, order=True)
class Acknowledged:
    """One acknowledgement, as the cloud assembly holds it.

    Attributes:
        environment: construct id of the stage.
        path: of the resource in the construct tree.
        finding: the id a pack reports.
        reason, owner: for the auditor.
        review: ISO date.
    """

    environment: str
    path: str
    finding: str
    reason: str
    owner: str
    review: str

    def due(self, today: date) -> bool:
        return date.fromisoformat(self.review) <= today


def read_metadata(template: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Construct path and entry of every metadata entry of a stack, which CDK writes beside its template."""
    file = template.with_name(template.name.replace(".template.json", ".metadata.json"))
    if file.exists():
        for path, entries in json.loads(file.read_text(encoding="utf-8")).items():
            yield from ((path.removeprefix("/"), entry) for entry in entries)


def acknowledgements(environment: str, template: Path) -> list[Acknowledged]:
    return [
        Acknowledged(environment=environment, path=path, **entry["data"])
        for path, entry in read_metadata(template)
        if entry["type"] == METADATA
    ]


def _logical_ids(template: Path) -> dict[str, str]:
    return {path: entry["data"] for path, entry in read_metadata(template) if entry["type"] == "aws:cdk:logicalId"}


def _due(templates: Templates) -> Iterator[Fault]:
    today = datetime.now(UTC).date()
    for part in templates.parts:
        logical_ids = _logical_ids(part.path)
        for known in acknowledgements(templates.environment, part.path):
            if known.due(today):
                logical_id = logical_ids[known.path]
                resource = Resource(template=part.path, stack=part.stack, logical_id=logical_id, body=part.body["Resources"][logical_id])
                yield Fault(resource=resource, what=f"{known.finding} was to be reviewed on {known.review} by {known.owner}")


RULES = (
    Rule(
        name="AcknowledgementReview",
        checks="No acknowledgement is past its review date.",
        why="A reason that was good once is not good for ever.",
        remedy="Read the reason again: mend the finding, or set a new date beside the resource.",
        check=_due,
        # Time alone must not stop a deployment: a warning there, a failure of the tests.
        level=Level.WARNING,
    ),
)
