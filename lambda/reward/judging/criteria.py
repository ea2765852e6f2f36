"""What is judged: criteria with weights and scales, and how a score on a scale becomes a number from 0 to 1."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from reward.graders.options import Options

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


def read(options: Options, value: object) -> tuple[Criterion, ...]:
    """The criteria of the option `criteria`; every fault is collected in `options`."""
    found = [
        _criterion(options, f"criteria[{index}]", each)
        for index, each in enumerate(options.tables("criteria", value, least=1, most=MAX_CRITERIA))
    ]
    if options.problems:
        return ()
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        options.fault("criteria", names, "names that differ from each other")
    total = math.fsum(each.weight for each in found)
    if abs(total - 1) > 1e-6:
        options.problems.append(f"options.criteria: the weights sum to {total:g}; allowed is 1")
    return tuple(found)


def _criterion(options: Options, at: str, table: Mapping[str, Any]) -> Criterion:
    options.table(at, table, _KEYS)
    name, weight = table.get("name"), table.get("weight")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        options.fault(f"{at}.name", name, "1 to 32 lower-case letters, digits and underscores, a letter first")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1:
        options.fault(f"{at}.weight", weight, "a number above 0, at most 1")
        weight = 1.0
    description = options.string(f"{at}.description", table.get("description"))
    return Criterion(str(name), description, float(weight), options.choice(f"{at}.scale", table.get("scale", "1-5"), tuple(SCALES)))
