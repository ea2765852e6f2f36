"""What a grader says about one response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypedDict

from contracts.metrics import Metric


class Outcome(StrEnum):
    """Why a response got its score, so that a fall in reward can be told from a fault of the grader or the data."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_MARKER = "no_marker"
    UNPARSABLE = "unparsable"
    BAD_GOLD = "bad_gold"
    OVERSIZE = "oversize"
    INVALID = "invalid"
    INTERNAL_ERROR = "internal_error"
    JUDGE_ERROR = "judge_error"
    TIMEOUT = "timeout"

    # Enum's own hash runs in Python, and outcomes are counted by sample.
    __hash__ = str.__hash__


METRIC_OF: dict[Outcome, Metric] = {
    Outcome.CORRECT: Metric.OUTCOME_CORRECT,
    Outcome.WRONG: Metric.OUTCOME_WRONG,
    Outcome.NO_MARKER: Metric.OUTCOME_NO_MARKER,
    Outcome.UNPARSABLE: Metric.OUTCOME_UNPARSABLE,
    Outcome.BAD_GOLD: Metric.OUTCOME_BAD_GOLD,
    Outcome.OVERSIZE: Metric.OUTCOME_OVERSIZE,
    Outcome.INVALID: Metric.OUTCOME_INVALID,
    Outcome.INTERNAL_ERROR: Metric.OUTCOME_INTERNAL_ERROR,
    Outcome.JUDGE_ERROR: Metric.OUTCOME_JUDGE_ERROR,
    Outcome.TIMEOUT: Metric.OUTCOME_TIMEOUT,
}
"""The metric that counts each outcome."""

FAULTS = frozenset({Outcome.BAD_GOLD, Outcome.INVALID, Outcome.INTERNAL_ERROR, Outcome.JUDGE_ERROR, Outcome.TIMEOUT})
"""Outcomes that say something about the data or the grader rather than about the answer. They score 0."""


class Component(TypedDict):
    """One entry of `metrics_list`: what Bedrock shows beside the score. Never changed once made: results share it.

    Attributes:
        name: at most a few words, the same for every sample of a grader.
        value: finite.
        type: ``Reward`` for a part of the score, ``Metric`` for something only watched.
    """

    name: str
    value: float
    type: Literal["Reward", "Metric"]


@dataclass(frozen=True, slots=True)
class Score:
    """The verdict on one response.

    Attributes:
        value: the reward, finite, from 0 to 1. Anything else is counted as an internal error and pays 0.
        outcome: why.
        components: the parts, for `metrics_list`.
    """

    value: float
    outcome: Outcome
    components: tuple[Component, ...] = ()


class ByOutcome:
    """How a grader whose score follows from the outcome alone grades a batch at once; the attribute `by_outcome` of its function.

    Args:
        scores: the score of each outcome the grader gives.
        outcomes: ``outcomes(responses, references)``, the outcome of each sample in order.

    Attributes:
        values: the reward of each outcome.
        components: the `metrics_list` of each outcome; never changed, since results share it.

    Raises:
        ValueError: for a score outside 0 to 1.
    """

    __slots__ = ("components", "outcomes", "values")

    def __init__(self, scores: Mapping[Outcome, Score], outcomes: Callable[[Sequence[str], Sequence[str]], list[Outcome]]) -> None:
        if not all(0.0 <= score.value <= 1.0 for score in scores.values()):
            raise ValueError("a score is outside 0 to 1")
        self.outcomes = outcomes
        self.values = {outcome: score.value for outcome, score in scores.items()}
        self.components = {outcome: [*score.components] for outcome, score in scores.items()}
