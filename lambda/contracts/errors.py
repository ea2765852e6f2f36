"""Errors that carry what a person needs to mend them."""

from __future__ import annotations

from collections.abc import Sequence


class InvalidInput(ValueError):
    """Something given from outside is not allowed.

    Args:
        where: the file, object or request that holds the fault, such as ``environments/dev.toml``.
        problems: one line per fault, each naming key, value and what is allowed. Never holds prompt or answer text.
    """

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.where = where
        self.problems = tuple(problems)
        super().__init__(self.__str__())

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.where}: {self.problems[0]}"
        return "\n".join([f"{self.where}: {len(self.problems)} problems", *(f"  - {p}" for p in self.problems)])


class BudgetUsedUp(RuntimeError):
    """AWS refused to start what costs, because the environment's budget is used up; the state machine ends the run on this name."""


class TransientFault(RuntimeError):
    """A fault of a service that a retry may cure; the state machine retries on this name."""
