"""Grades the valid samples of a batch: all at once where a grader offers it, one after the other where it does not.

A grader offers it by an attribute `batch` of its grade function: ``batch(samples) -> scores``, as many and in the same order; in place
of a score it may give the exception that one sample raised, which then counts as a fault of that sample alone. One that spends money
offers `usage` as well: ``usage() -> metrics``, which gives what was spent since the last call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from contracts import emf, names
from contracts.emf import NOTED_SPLIT
from contracts.metrics import REWARD_BY_SPLIT

from reward.contract import BadSample, Sample
from reward.contract import sample as sample_of
from reward.score import Score

NOTED = {split: f',"{NOTED_SPLIT}":"{split}"' for split in REWARD_BY_SPLIT}
"""The member of a record that names its split."""


class BatchFailed(RuntimeError):
    """A grader cannot grade, and no score may be made up: the whole call fails, so that Bedrock sends the batch again.

    The message never holds text of a sample.
    """


def in_one_call(grade: Callable[[Sample], Score]) -> Callable[[Sequence[Sample]], Sequence[Score | Exception]] | None:
    """The grader's own way to grade many samples, or None."""
    found: Callable[[Sequence[Sample]], Sequence[Score | Exception]] | None = getattr(grade, "batch", None)
    return found


def graded(grade: Callable[[Sample], Score], samples: Sequence[Sample]) -> list[Score | Exception]:
    """The score of each sample or what grading it raised, in order.

    Raises:
        BatchFailed: if the grader cannot grade them, or gave another number of scores.
    """
    together = in_one_call(grade)
    if together is None:
        return [_tried(grade, sample) for sample in samples]
    scores = list(together(samples)) if samples else []
    if len(scores) != len(samples):
        raise BatchFailed(f"the grader gave {len(scores)} scores for {len(samples)} samples; allowed is one for each")
    return scores


def _tried(grade: Callable[[Sample], Score], sample: Sample) -> Score | Exception:
    try:
        return grade(sample)
    except BatchFailed:
        raise
    except Exception as error:
        return error


def ahead(items: Sequence[Any], grade: Callable[[Sample], Score], *, longest: int) -> Callable[[Sample], Score]:
    """The grader itself or, for one that grades many at once, a function that hands out scores made by one call for all of `items`.

    That function gives the score of the next sample, so it is called for each valid item, in order, and for no other.

    Args:
        items: as received.
        longest: characters of a response above which an item is not graded.

    Raises:
        BatchFailed: as `graded`.
    """
    if in_one_call(grade) is None:
        return grade
    scores = iter(graded(grade, [sample for sample in _readable(items) if len(sample.response) <= longest]))

    def handed_out(_sample: Sample) -> Score:
        found = next(scores)
        if isinstance(found, Exception):
            # With its own traceback, so that the place that is logged is where it happened.
            raise found
        return found

    return handed_out


def _readable(items: Sequence[Any]) -> Iterator[Sample]:
    for position, item in enumerate(items):
        # What is wrong with the others is found, and counted, where they are scored.
        with suppress(BadSample):
            yield sample_of(item, position)


def report_usage(grade: Callable[[Sample], Score], items: Sequence[Any], *, environment: str) -> None:
    """Prints what a grader spent on a batch as metrics, under run and split of the first item; nothing for most graders."""
    usage = getattr(grade, "usage", None)
    values = usage() if usage is not None else None
    if values:
        first = items[0] if items else None
        metadata = first.get("metadata") if isinstance(first, Mapping) else None
        run_id, split = belongs(metadata if isinstance(metadata, Mapping) else {})
        emf.emit(values, environment=environment, run_id=run_id, noted=NOTED[split])


def belongs(metadata: Mapping[str, Any]) -> tuple[str | None, str]:
    """The run and the split a training record names; what comes in an event is not trusted to be a dimension of a metric."""
    run_id, split = metadata.get(names.META_RUN_ID), metadata.get(names.META_SPLIT)
    return (
        run_id if isinstance(run_id, str) and _is_run(run_id) else None,
        split if isinstance(split, str) and split in REWARD_BY_SPLIT else names.SPLIT_TRAIN,
    )


@lru_cache(maxsize=64)
def _is_run(run_id: str) -> bool:
    return len(run_id) <= names.RUN_ID_MAX and names.RUN_ID_PATTERN.fullmatch(run_id) is not None
