"""What a rule of our own is: an id, what it checks, why, what to do, and the check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from stacks.rules.templates import Resource, Templates


class Level(StrEnum):
    """An error stops the synthesis; a warning is printed, and fails the tests."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Where a rule is broken.

    Attributes:
        what: the very thing that is wrong, in a clause: `sqs:* on every queue`.
        property_path: within the resource, for whoever mends it.
    """

    resource: Resource
    what: str
    property_path: str = "Properties"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the pack.

    Attributes:
        name: the id is `RFT-<name>`.
        checks: what must hold, as one sentence.
        why: what goes wrong otherwise, with the source.
        remedy: what to do.
        check: finds the faults of one environment.
    """

    name: str
    checks: str
    why: str
    remedy: str
    check: Callable[[Templates], Iterable[Fault]]
    level: Level = Level.ERROR

    @property
    def id(self) -> str:
        return f"RFT-{self.name}"

    def describe(self, fault: Fault) -> str:
        return f"{fault.what}. {self.checks} {self.why}"
