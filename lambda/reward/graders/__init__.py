"""The graders, by name. A grader is one function, ``grade(sample) -> Score``, made from options by its module's `grader`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.errors import InvalidInput

from reward.contract import Sample
from reward.graders import math
from reward.score import Score

Grade = Callable[[Sample], Score]

GRADERS: dict[str, Callable[..., Grade]] = {"math": math.grader}
"""Every grader that settings can name. Options are the keyword-only parameters of the function named here."""

WHERE = "reward settings"


def options_of(name: str) -> dict[str, Any]:
    """The options of a grader and their defaults.

    Raises:
        InvalidInput: if no grader has this name.
    """
    if name not in GRADERS:
        raise InvalidInput(WHERE, [f"grader = {str(name)[:60]!r}: allowed is one of {', '.join(sorted(GRADERS))}"])
    return dict(GRADERS[name].__kwdefaults__ or {})


def build(name: str, options: Mapping[str, Any] | None = None) -> Grade:
    """The grader `name` with `options`; what is left out takes its default.

    Raises:
        InvalidInput: for an unknown grader, an unknown option or a value that is not allowed, naming what is.
    """
    known = options_of(name)
    given = dict(options or {})
    unknown = sorted(str(key)[:60] for key in given if key not in known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise InvalidInput(WHERE, [f"options.{key} is not an option of the grader {name}; its options: {allowed}" for key in unknown])
    return GRADERS[name](**given)
