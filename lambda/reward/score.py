"""What a grader says about one response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
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


_COMPONENT_KEYS = frozenset({"name", "value", "type"})
_COMPONENT_TYPES = ("Reward", "Metric")
_MAX_BITS = 64


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


def unsound(score: object) -> str:
    """What keeps a grader's answer from being sent to Bedrock and counted, and what is allowed; empty for a sound one.

    One's own graders are checked by no type checker, and one answer that cannot be written as JSON would cost its whole batch.
    """
    if not isinstance(score, Score):
        return f"gives {type(score).__name__}; allowed is reward.score.Score"
    value = score.value
    if not _is_number(value) or not 0.0 <= value <= 1.0:
        shown = f"{value:g}" if type(value) is float or _is_number(value) else type(value).__name__
        return f"gives the score {shown}; allowed is a finite number from 0 to 1"
    if not isinstance(score.outcome, Outcome):
        return f"gives the outcome {type(score.outcome).__name__}; allowed is one of reward.score.Outcome"
    if not isinstance(score.components, tuple | list) or not all(map(_is_component, score.components)):
        return "gives components that are none; allowed is a tuple of reward.score.Component with a finite value each"
    return ""


def _is_number(value: object) -> bool:
    """Whether it can be written as JSON and added up: a finite float, or an integer a float can hold."""
    return isfinite(value) if type(value) is float else type(value) is int and value.bit_length() <= _MAX_BITS


def _is_component(part: object) -> bool:
    return (
        isinstance(part, dict)
        and part.keys() == _COMPONENT_KEYS
        and isinstance(part["name"], str)
        and part["type"] in _COMPONENT_TYPES
        and _is_number(part["value"])
    )


class ByOutcome:
    """How a grader whose score follows from the outcome alone grades a batch at once; the attribute `by_outcome` of its function.

    Args:
        scores: the score of each outcome the grader gives.
        outcomes: ``outcomes(responses, references)``, the outcome of each sample in order.

    Attributes:
        values: the reward of each outcome.
        components: the `metrics_list` of each outcome; never changed, since results share it.

    Raises:
        ValueError: for a score that is not sound.
    """

    __slots__ = ("components", "outcomes", "values")

    def __init__(self, scores: Mapping[Outcome, Score], outcomes: Callable[[Sequence[str], Sequence[str]], list[Outcome]]) -> None:
        if found := next(filter(None, map(unsound, scores.values())), ""):
            raise ValueError(found)
        self.outcomes = outcomes
        self.values = {outcome: score.value for outcome, score in scores.items()}
        self.components = {outcome: [*score.components] for outcome, score in scores.items()}
