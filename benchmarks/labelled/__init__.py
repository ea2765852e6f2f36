"""Labelled cases for every grader that asks no model: what must be paid and what must not, adversarial ones included.

Cases and graders have the same author, so they show what was thought of and no more; those in `blind` were written without sight of
the graders. A case marked `miss` is a known limit: the
grader gets it wrong, and a test holds it to that, so that neither the list nor docs/graders.md can flatter.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reward.contract import Sample
from reward.graders import build
from reward.score import Outcome, Score

GRADERS = ("code", "composite", "format", "match", "pii", "policy", "preference", "safety", "similarity")
"""Graders with a module of cases here; those of the maths grader are in tests/reward/test_math_cases.py."""

LAYERED = ("symbolic",)
"""Further ones, which need the optional layer."""

PATIENCE: Mapping[str, Mapping[str, Any]] = {grader: {"seconds": 10.0} for grader in ("symbolic", "format", "policy")}
"""Options of a grader unless a case has its own: a label says what an answer is worth, not how busy the machine is."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One labelled response.

    Attributes:
        name: unique within its grader.
        paid: the label: whether a person would pay it.
        response: what is graded.
        reference: the record's reference answer.
        metadata: the rest of the record.
        options: of the grader.
        bound: a response to be paid must get at least this, any other at most this.
        outcome: the outcome it must have; None where it is not looked at.
        miss: whether the grader is known to get it wrong.
    """

    name: str
    paid: bool
    response: str
    reference: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    bound: float
    outcome: Outcome | None = None
    miss: bool = False

    def score(self, grader: str) -> Score:
        """What `grader` says."""
        return build(grader, {**PATIENCE.get(grader, {}), **self.options})(Sample("case", self.response, self.reference, [], self.metadata))

    def right(self, score: Score) -> bool:
        """Whether the score is on the label's side of the bound."""
        return score.value >= self.bound if self.paid else score.value <= self.bound


def paid(name: str, response: str, *, bound: float = 0.999, **rest: Any) -> Case:
    """A case that is to be paid."""
    return Case(name=name, paid=True, response=response, bound=bound, **rest)


def refused(name: str, response: str, *, bound: float = 0.0, **rest: Any) -> Case:
    """A case that is not."""
    return Case(name=name, paid=False, response=response, bound=bound, **rest)


def cases(grader: str) -> list[Case]:
    """The cases of one of `GRADERS` or `LAYERED`."""
    found: list[Case] = importlib.import_module(f"{__name__}.{grader}").CASES
    return found
