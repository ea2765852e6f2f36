"""Grades a batch: one finite score from 0 to 1 per item, in order, whatever an item holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from reward import batches, contract
from reward.contract import BadSample, Sample
from reward.score import Outcome, Score

MAX_RESPONSE = 500_000
"""Characters of a response that are read: nearly twice what the largest `inferenceMaxTokens` in use (65,536) can produce."""

_value = attrgetter("value")
_NO_METADATA: Mapping[str, Any] = {}

_INVALID = Score(0.0, Outcome.INVALID)
_OVERSIZE = Score(0.0, Outcome.OVERSIZE)
_INTERNAL_ERROR = Score(0.0, Outcome.INTERNAL_ERROR)


class Graded(NamedTuple):
    """A graded batch, its sequences in the order received.

    Attributes:
        lengths: characters of each response; None where the item had the wrong shape.
        metadata: the training record of each; empty where the item had the wrong shape.
        scores: one per item.
        values: the value of each score.
        results: one per item, as Bedrock gets it; the entries of a `metrics_list` are shared between samples with equal verdicts.
        faults: kind and place of each exception a grader raised, such as ``KeyError at math.py:90``; never its message, which
            may hold text of the response.
    """

    lengths: Sequence[int | None]
    metadata: Sequence[Mapping[str, Any]]
    scores: list[Score]
    values: list[float]
    results: list[dict[str, Any]]
    faults: list[str]


def grade_all(items: Sequence[object], grade: Callable[[Sample], Score]) -> Graded:
    """Grades each item; a bad one scores 0 under its outcome and the rest are not touched by it.

    Raises:
        BatchFailed: if the grader's policy is that no score may be made up for what it cannot grade.
    """
    at_once = getattr(grade, "columns", None)
    if at_once is not None and (found := _grade_columns(items, at_once)) is not None:
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
            # Not a number compares as false, so it is caught here with everything out of range.
            if not 0.0 <= score.value <= 1.0:
                faults.append("score outside 0 to 1")
                score = _INTERNAL_ERROR
        except BadSample:
            score = _INVALID
        except batches.BatchFailed:
            raise
        except Exception as error:
            faults.append(place(error))
            score = _INTERNAL_ERROR
        samples.append(sample)
        scores.append(score)
    ids = [contract.identity(items[position], position) if sample is None else sample.id for position, sample in enumerate(samples)]
    values = list(map(_value, scores))
    return Graded(
        [None if sample is None else len(sample.response) for sample in samples],
        [_NO_METADATA if sample is None else sample.metadata for sample in samples],
        scores,
        values,
        _results(ids, values, scores),
        faults,
    )


def _grade_columns(items: Sequence[object], at_once: Callable[[Sequence[str], Sequence[str]], list[Score]]) -> Graded | None:
    """Grades a batch of documented items by a grader's `columns`, ``columns(responses, references) -> scores``, where it offers one:
    it takes half the time. None where anything is out of the ordinary, which is then told apart item by item."""
    read = contract.columns(items)
    if read is None:
        return None
    lengths = list(map(len, read.responses))
    if max(lengths) > MAX_RESPONSE:
        return None
    try:
        scores = at_once(read.responses, read.references)
        values = list(map(_value, scores))
        if len(scores) != len(items) or not all(0.0 <= value <= 1.0 for value in set(values)):
            return None
    except Exception:
        return None
    return Graded(lengths, read.metadata, scores, values, _results(read.ids, values, scores), [])


def _results(ids: Iterable[str], values: Iterable[float], scores: Iterable[Score]) -> list[dict[str, Any]]:
    return [
        {"id": ident, "aggregate_reward_score": value, "metrics_list": [*score.components]}
        for ident, value, score in zip(ids, values, scores, strict=True)
    ]


def place(error: BaseException) -> str:
    """Kind and place of an exception, such as ``KeyError at math.py:90``; never its message, which may hold text of a response."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"
