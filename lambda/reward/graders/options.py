"""Checks a grader's options, nested ones included, and reports every fault at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from contracts.errors import InvalidInput

from reward.graders.texts import fold

WHERE = "reward settings"
MAX_STRING = 1000
MAX_LIST = 200


class Options:
    """Reads values and collects what is wrong with them; `done` raises if anything was.

    Every method takes the path of the key, for the message, and the value; a wrong value gives the method's neutral result, so
    that reading can go on and find the next fault.
    """

    def __init__(self, root: str = "options") -> None:
        self.root = root
        self.problems: list[str] = []

    def fault(self, path: str, value: object, allowed: str) -> None:
        shown = repr(value)
        self.problems.append(f"{self.root}.{path} = {shown if len(shown) <= 60 else shown[:57] + '...'}: allowed is {allowed}")

    def number(self, path: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or not low <= value <= high:
            self.fault(path, value, f"a number from {low:g} to {high:g}")
            return float(low)
        return float(value)

    def whole(self, path: str, value: object, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault(path, value, f"a whole number from {low} to {high}")
            return low
        return value

    def flag(self, path: str, value: object) -> bool:
        if not isinstance(value, bool):
            self.fault(path, value, "true or false")
            return False
        return value

    def choice(self, path: str, value: object, allowed: Sequence[str]) -> str:
        if not isinstance(value, str) or value not in allowed:
            self.fault(path, value, f"one of {', '.join(allowed)}")
            return allowed[0]
        return value

    def string(self, path: str, value: object, *, empty: bool = False) -> str:
        if not isinstance(value, str) or len(value) > MAX_STRING or not (empty or value.strip()):
            self.fault(path, value, f"a string of {'at most' if empty else '1 to'} {MAX_STRING} characters")
            return ""
        return value

    def strings(self, path: str, value: object, *, least: int = 0) -> list[str]:
        """A list of strings that are not empty; one string alone stands for a list of it."""
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, list | tuple) or not least <= len(entries) <= MAX_LIST:
            self.fault(path, value, f"a list of {least} to {MAX_LIST} strings")
            return []
        return [self.string(f"{path}[{index}]", entry) for index, entry in enumerate(entries)]

    def phrase(self, path: str, value: object, *, empty: bool = False) -> str:
        """A string as texts are compared, `reward.graders.texts.fold`; one of signs that do not show would be found everywhere."""
        folded = fold(self.string(path, value, empty=empty))
        if not folded and value and isinstance(value, str) and value.strip():
            self.fault(path, value, "a string with a visible sign")
        return folded

    def phrases(self, path: str, value: object, *, least: int = 0) -> list[str]:
        """As `strings`, each in the form of `phrase`."""
        return [self.phrase(f"{path}[{index}]", entry) for index, entry in enumerate(self.strings(path, value, least=least)) if entry]

    def table(self, path: str, value: object, known: Sequence[str] | None = None) -> dict[str, Any]:
        """A table; with `known`, one that has no other keys."""
        if not isinstance(value, Mapping):
            self.fault(path, value, "a table of keys and values")
            return {}
        if known is not None:
            for key in sorted(str(key)[:60] for key in value if key not in known):
                self.problems.append(f"{self.root}.{path}.{key} is not a known key; known here: {', '.join(known)}")
        return dict(value)

    def tables(self, path: str, value: object, *, least: int = 0, most: int = 50) -> list[dict[str, Any]]:
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            self.fault(path, value, f"a list of {least} to {most} tables")
            return []
        return [self.table(f"{path}[{index}]", entry) for index, entry in enumerate(value)]

    def done(self) -> None:
        """Raises InvalidInput if any value was wrong."""
        if self.problems:
            raise InvalidInput(WHERE, self.problems)
