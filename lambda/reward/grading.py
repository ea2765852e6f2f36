"""Grades a batch: one finite score from 0 to 1 per item, in order, whatever an item holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from reward import contract
from reward.contract import BadSample, Sample
from reward.score import Outcome, Score

MAX_RESPONSE = 500_000
"""Characters of a response that are read: nearly twice what the largest `inferenceMaxTokens` in use (65,536) can produce."""

_INVALID = Score(0.0, Outcome.INVALID)
_OVERSIZE = Score(0.0, Outcome.OVERSIZE)
_INTERNAL_ERROR = Score(0.0, Outcome.INTERNAL_ERROR)


class Graded(NamedTuple):
    """A graded batch, its lists in the order received.

    Attributes:
        samples: what was read of each item; None where the item had the wrong shape.
        scores: one per item.
        results: one per item, as Bedrock gets it; the entries of a `metrics_list` are shared between samples with equal verdicts.
        faults: kind and place of each exception a grader raised, such as ``KeyError at math.py:90``; never its message, which
            may hold text of the response.
    """

    samples: list[Sample | None]
    scores: list[Score]
    results: list[dict[str, Any]]
    faults: list[str]


def grade_all(items: Sequence[object], grade: Callable[[Sample], Score]) -> Graded:
    """Grades each item; a bad one scores 0 under its outcome and the rest are not touched by it."""
    samples: list[Sample | None] = []
    scores: list[Score] = []
    faults: list[str] = []
    for position, item in enumerate(items):
        sample: Sample | None = None
        try:
            sample = contract.sample(item, position)
            score = grade(sample) if len(sample.response) <= MAX_RESPONSE else _OVERSIZE
            # Not a number compares as false, so it is caught here with everything out of range.
            if not 0.0 <= score.value <= 1.0:
                faults.append("score outside 0 to 1")
                score = _INTERNAL_ERROR
        except BadSample:
            score = _INVALID
        except Exception as error:
            faults.append(_place(error))
            score = _INTERNAL_ERROR
        samples.append(sample)
        scores.append(score)
    ids = [contract.identity(items[position], position) if sample is None else sample.id for position, sample in enumerate(samples)]
    results = [
        {"id": ident, "aggregate_reward_score": score.value, "metrics_list": [*score.components]}
        for ident, score in zip(ids, scores, strict=True)
    ]
    return Graded(samples, scores, results, faults)


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"
