"""Grades a batch: one finite score from 0 to 1 per item, in order, whatever an item holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from reward import batches, contract
from reward.contract import BadSample, Sample
from reward.score import ByOutcome, Component, Outcome, Score, unsound

MAX_RESPONSE = 500_000
"""Characters of a response that are read: nearly twice what the largest `inferenceMaxTokens` in use (65,536) can produce."""

_NO_METADATA: Mapping[str, Any] = {}

_INVALID = Score(0.0, Outcome.INVALID)
_OVERSIZE = Score(0.0, Outcome.OVERSIZE)
_INTERNAL_ERROR = Score(0.0, Outcome.INTERNAL_ERROR)


class Graded(NamedTuple):
    """A graded batch, its sequences in the order received.

    Attributes:
        lengths: characters of each response; None where the item had the wrong shape.
        metadata: the training record of each; empty where the item had the wrong shape.
        outcomes: one per item.
        values: the score of each item.
        results: one per item, as Bedrock gets it; samples with equal verdicts may share a `metrics_list` and its entries.
        faults: kind and place of each exception a grader raised, such as ``KeyError at math.py:90``, never its message, which
            may hold text of the response; or what was wrong with its score.
        shared: the components of every sample of an outcome, where they follow from it; None where each sample has its own.
    """

    lengths: Sequence[int | None]
    metadata: Sequence[Mapping[str, Any]]
    outcomes: list[Outcome]
    values: list[float]
    results: list[dict[str, Any]]
    faults: list[str]
    shared: Mapping[Outcome, Sequence[Component]] | None = None


def grade_all(items: Sequence[object], grade: Callable[[Sample], Score]) -> Graded:
    """Grades each item; a bad one scores 0 under its outcome and the rest are not touched by it.

    Raises:
        BatchFailed: if the grader's policy is that no score may be made up for what it cannot grade.
    """
    together: ByOutcome | None = getattr(grade, "by_outcome", None)
    if together is not None and (found := _grade_columns(items, together)) is not None:
        return found
    samples: list[Sample | None] = []
    scores: list[Score] = []
    faults: list[str] = []
    grade = batches.ahead(items, grade, longest=MAX_RESPONSE)
    for position, item in enumerate(items):
        sample: Sample | None = None
        try:
            sample = contract.sample(item, position)
            score = grade(sample) if len(sample.response) <= MAX_RESPONSE else _OVERSIZE
            if fault := unsound(score):
                faults.append(fault)
                score = _INTERNAL_ERROR
        except BadSample:
            score = _INVALID
        except batches.BatchFailed:
            raise
        except (Exception, SystemExit) as error:  # a grader that calls exit() must not end the function
            faults.append(place(error))
            score = _INTERNAL_ERROR
        samples.append(sample)
        scores.append(score)
    ids = [contract.identity(items[position], position) if sample is None else sample.id for position, sample in enumerate(samples)]
    return Graded(
        [None if sample is None else len(sample.response) for sample in samples],
        [_NO_METADATA if sample is None else sample.metadata for sample in samples],
        [score.outcome for score in scores],
        [score.value for score in scores],
        [
            {"id": ident, "aggregate_reward_score": score.value, "metrics_list": [*score.components]}
            for ident, score in zip(ids, scores, strict=True)
        ],
        faults,
    )


def _grade_columns(items: Sequence[object], together: ByOutcome) -> Graded | None:
    """Grades a batch of documented items at once, in half the time; None where anything is out of the ordinary, which is then told apart
    item by item."""
    read = contract.columns(items)
    if read is None:
        return None
    lengths = list(map(len, read.responses))
    if max(lengths) > MAX_RESPONSE:
        return None
    value_of, components_of = together.values, together.components
    try:
        outcomes = together.outcomes(read.responses, read.references)
        values = [value_of[outcome] for outcome in outcomes]
        results = [
            {"id": ident, "aggregate_reward_score": value, "metrics_list": components_of[outcome]}
            for ident, value, outcome in zip(read.ids, values, outcomes, strict=True)
        ]
    except Exception:
        return None
    return Graded(lengths, read.metadata, outcomes, values, results, [], components_of)


def place(error: BaseException) -> str:
    """Kind and place of an exception, such as ``KeyError at math.py:90``; never its message, which may hold text of a response."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"
