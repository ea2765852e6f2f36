"""What a batch says about the run: metrics by run and split, and the places of faults. Never a word of any text."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import dist, fsum, sqrt
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from contracts import emf, names
from contracts.metrics import REWARD_BY_SPLIT, Metric

from reward.grading import Graded
from reward.score import FAULTS, METRIC_OF, Score

MAX_GROUPS = 8
"""Runs and splits told apart in one batch. Bedrock sends one; the bound keeps crafted records from making metrics without end."""

_Key = tuple[str | None, str]
_Values = dict[Metric, float | Sequence[float]]
_NO_RUN: _Key = (None, names.SPLIT_TRAIN)

_value = attrgetter("value")
_outcome = attrgetter("outcome")
_STAGED_KEYS = (names.META_RUN_ID, names.META_SPLIT, names.META_RECORD_ID)
_staged = itemgetter(*_STAGED_KEYS)


class _Group(NamedTuple):
    """The responses of one run and split; `records` names the prompt of each."""

    responses: Sequence[str | None]
    scores: Sequence[Score]
    records: Sequence[object]


def report(graded: Graded, *, environment: str, milliseconds: float) -> None:
    """Prints the metrics of one call, a group for each run and split in it.

    A rehearsal counts neither outcomes nor faults: its probes are wrong on purpose, and alarms watch those metrics.
    """
    latency: float | None = milliseconds
    for (run_id, split), group in _groups(graded).items():
        rewards = list(map(_value, group.scores))
        values: _Values = {REWARD_BY_SPLIT[split]: rewards, Metric.SAMPLES_GRADED: len(rewards)}
        if split == names.SPLIT_TRAIN:
            values[Metric.RESPONSE_LENGTH] = _lengths(group.responses)
            values[Metric.GROUP_SPREAD] = _spreads(group.records, rewards)
        if split != names.SPLIT_REHEARSAL:
            values |= _outcomes(group.scores)
        if latency is not None:
            values[Metric.GRADER_LATENCY], latency = latency, None
        emf.emit(values, environment=environment, run_id=run_id)
    if graded.faults:
        _log_faults(graded.faults)


def report_unusable(*, environment: str) -> None:
    """Counts an event nothing could be answered to, before the error is raised."""
    emf.emit({Metric.GRADER_FAULTS: 1, Metric.SAMPLES_GRADED: 0}, environment=environment, run_id=None)


def _groups(graded: Graded) -> dict[_Key, _Group]:
    try:
        runs, splits, records = zip(*map(_staged, graded.metadata), strict=True)
    except KeyError:  # a record that was not staged by the pipeline
        runs, splits, records = zip(*[tuple(map(each.get, _STAGED_KEYS)) for each in graded.metadata], strict=True)
    if runs.count(runs[0]) == len(runs) and splits.count(splits[0]) == len(splits):
        return {_key(runs[0], splits[0], 0): _Group(graded.responses, graded.scores, records)}
    groups: dict[_Key, tuple[list[Any], list[Any], list[Any]]] = {}
    for response, score, run_id, split, record in zip(graded.responses, graded.scores, runs, splits, records, strict=True):
        group = groups.setdefault(_key(run_id, split, len(groups)), ([], [], []))
        for column, entry in zip(group, (response, score, record), strict=True):
            column.append(entry)
    return {key: _Group(*group) for key, group in groups.items()}


def _lengths(responses: Sequence[str | None]) -> list[int]:
    try:
        return list(map(len, responses))  # type: ignore[arg-type]
    except TypeError:
        return [len(response) for response in responses if response is not None]


def _key(run_id: object, split: object, known: int) -> _Key:
    # What comes in an event is not trusted to be a dimension of a metric.
    valid = known < MAX_GROUPS and isinstance(run_id, str) and len(run_id) <= names.RUN_ID_MAX
    return (
        run_id if valid and isinstance(run_id, str) and names.RUN_ID_PATTERN.fullmatch(run_id) else None,
        split if isinstance(split, str) and split in REWARD_BY_SPLIT else names.SPLIT_TRAIN,
    )


def _spreads(records: Sequence[object], rewards: Sequence[float]) -> list[float]:
    """The standard deviation of the scores of each prompt that has two or more in the batch."""
    groups: defaultdict[object, list[float]] = defaultdict(list)
    pairs: Iterable[tuple[object, float]] = zip(records, rewards, strict=True)
    if set(map(type, records)) != {str}:
        pairs = [(record, reward) for record, reward in pairs if type(record) is str]
    for record, reward in pairs:
        groups[record].append(reward)
    return [_deviation(tuple(group)) for group in groups.values() if len(group) > 1]


@lru_cache(maxsize=1024)
def _deviation(values: tuple[float, ...]) -> float:
    # Kept, because the few scores of a small group come in few arrangements.
    count = len(values)
    if values.count(values[0]) == count:
        return 0.0
    # The distance from the point whose every coordinate is the mean: the sum of squares and its root, in one call.
    return dist(values, [fsum(values) / count] * count) / sqrt(count)


def _outcomes(scores: Sequence[Score]) -> dict[Metric, float]:
    counts = Counter(map(_outcome, scores))
    values: dict[Metric, float] = {METRIC_OF[outcome]: count for outcome, count in counts.items()}
    # Zero is sent as well, so that the alarm on it sees data rather than silence.
    values[Metric.GRADER_FAULTS] = sum(count for outcome, count in counts.items() if outcome in FAULTS)
    return values


def _log_faults(faults: Sequence[str]) -> None:
    line = {"level": "ERROR", "message": "the grader failed on samples; each scored 0", "faults": dict(Counter(faults).most_common(10))}
    sys.stdout.write(json.dumps(line) + "\n")
