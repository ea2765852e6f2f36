"""What is judged: criteria with weights and scales, and how a score on a scale becomes a number from 0 to 1."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

SCALES: dict[str, tuple[int, ...]] = {"1-5": (1, 2, 3, 4, 5), "binary": (0, 1)}
MAX_CRITERIA = 8

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_KEYS = ("name", "description", "weight", "scale")


class Criterion(NamedTuple):
    """One thing that is judged.

    Attributes:
        name: key of the judge's answer and of the component in `metrics_list`.
        description: what the judge is told to look at.
        weight: its share of the reward; all of a judge's weights sum to 1.
        scale: ``1-5``, where (score - 1) / 4 counts, or ``binary``, 0 or 1.
    """

    name: str
    description: str
    weight: float
    scale: str = "1-5"

    def share(self, score: int) -> float:
        """The score as a number from 0 to 1."""
        levels = SCALES[self.scale]
        return (score - levels[0]) / (levels[-1] - levels[0])


def problems(given: object) -> list[str]:
    """What is wrong with the option `criteria`; one line each."""
    if not isinstance(given, Sequence) or isinstance(given, str) or not 1 <= len(given) <= MAX_CRITERIA:
        return [f"options.criteria: allowed is a list of 1 to {MAX_CRITERIA} tables of {', '.join(_KEYS)}"]
    found: list[str] = []
    for index, each in enumerate(given):
        found += _problems_of(each, f"options.criteria[{index}]")
    if found:
        return found
    names = [each["name"] for each in given]
    if len(set(names)) < len(names):
        return ["options.criteria: allowed are different names"]
    total = math.fsum(each["weight"] for each in given)
    if abs(total - 1) > 1e-6:
        return [f"options.criteria: the weights sum to {total:g}; allowed is 1"]
    return []


def read(given: Sequence[Mapping[str, Any]]) -> tuple[Criterion, ...]:
    """The criteria of an option that has no problems."""
    return tuple(Criterion(each["name"], each["description"], float(each["weight"]), each.get("scale", "1-5")) for each in given)


def _problems_of(each: object, where: str) -> list[str]:
    if not isinstance(each, Mapping):
        return [f"{where}: allowed is a table of {', '.join(_KEYS)}"]
    found = [f"{where}.{str(key)[:40]} is not a known key; known here: {', '.join(_KEYS)}" for key in each if key not in _KEYS]
    name, text, weight, scale = (each.get(key) for key in _KEYS)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        found.append(f"{where}.name = {str(name)[:40]!r}: allowed are 1 to 32 lower-case letters, digits and underscores")
    if not isinstance(text, str) or not 1 <= len(text.strip()) <= 1000:
        found.append(f"{where}.description: allowed is a text of 1 to 1000 characters")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1:
        found.append(f"{where}.weight = {str(weight)[:40]!r}: allowed is a number above 0, at most 1")
    if "scale" in each and (not isinstance(scale, str) or scale not in SCALES):
        found.append(f"{where}.scale = {str(scale)[:40]!r}: allowed is one of {', '.join(SCALES)}")
    return found
