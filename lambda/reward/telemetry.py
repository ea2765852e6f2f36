"""What a batch says about the run: metrics by run and split, and the places of faults. Never a word of any text."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import dist, fsum, isfinite, sqrt
from typing import Any, NamedTuple

from contracts import emf, names
from contracts.emf import NOTED_COMPONENTS
from contracts.metrics import REWARD_BY_SPLIT, Metric

from reward import batches
from reward.grading import Graded
from reward.score import FAULTS, METRIC_OF, Component, Outcome

MAX_GROUPS = 8
"""Runs and splits told apart in one batch. Bedrock sends one; the bound keeps crafted records from making metrics without end."""

MAX_COMPONENTS = 16
"""Names of components noted of one batch. A grader with more has no fixed names, and what it calls them may be text of a response."""

_COMPONENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./-]{0,47}")

_Key = tuple[str | None, str]
_Values = dict[Metric, float | Sequence[float]]
_NO_RUN: _Key = (None, names.SPLIT_TRAIN)

_RUN, _SPLIT, _RECORD = names.META_RUN_ID, names.META_SPLIT, names.META_RECORD_ID
_TEXTS = {str}


class _Group(NamedTuple):
    """The responses of one run and split; `records` names the prompt of each, `results` is what Bedrock gets."""

    lengths: Sequence[int | None]
    outcomes: Sequence[Outcome]
    rewards: list[float]
    records: Sequence[object]
    results: Sequence[Mapping[str, Any]]


def report(graded: Graded, *, environment: str, milliseconds: float) -> None:
    """Prints the metrics of one call, a group for each run and split in it.

    A rehearsal counts neither outcomes nor faults: its probes are wrong on purpose, and alarms watch those metrics. What only the run's
    own trend needs is noted in the record and published as no metric: spread and length of validation, components of the scores.
    """
    latency: float | None = milliseconds
    for (run_id, split), group in _groups(graded).items():
        rewards, noted = group.rewards, batches.NOTED[split]
        counts = {outcome: group.outcomes.count(outcome) for outcome in set(group.outcomes)}
        values: _Values = {REWARD_BY_SPLIT[split]: rewards, Metric.SAMPLES_GRADED: len(rewards)}
        if split == names.SPLIT_TRAIN:
            values[Metric.RESPONSE_LENGTH] = _lengths(group, counts)
            values[Metric.GROUP_SPREAD] = _spreads(group.records, rewards)
        elif split == names.SPLIT_VALIDATION:
            noted += f',"{Metric.RESPONSE_LENGTH.metric_name}":{_lengths(group, counts)}'
            noted += f',"{Metric.GROUP_SPREAD.metric_name}":{_spreads(group.records, rewards)}'
        if split != names.SPLIT_REHEARSAL:
            values |= _outcomes(counts)
            noted += _components(_weighted(counts, graded.shared) if graded.shared else _each(group.results))
        if latency is not None:
            values[Metric.GRADER_LATENCY], latency = latency, None
        emf.emit(values, environment=environment, run_id=run_id, noted=noted)
    if graded.faults:
        _log_faults(graded.faults)


def report_unusable(*, environment: str) -> None:
    """Counts an event nothing could be answered to, before the error is raised."""
    emf.emit({Metric.GRADER_FAULTS: 1, Metric.SAMPLES_GRADED: 0}, environment=environment, run_id=None)


def _groups(graded: Graded) -> dict[_Key, _Group]:
    metadata = graded.metadata
    try:
        run_id, split = metadata[0][_RUN], metadata[0][_SPLIT]
        records = [each[_RECORD] for each in metadata if each[_RUN] == run_id and each[_SPLIT] == split]
        if len(records) == len(metadata):
            return {_key(run_id, split, 0): _Group(graded.lengths, graded.outcomes, graded.values, records, graded.results)}
    except KeyError:  # a record that was not staged by the pipeline
        pass
    groups: dict[_Key, tuple[list[Any], ...]] = {}
    runs, splits, records = [[each.get(key) for each in metadata] for key in (_RUN, _SPLIT, _RECORD)]
    columns = (graded.lengths, graded.outcomes, graded.values, records, graded.results)
    for run_id, split, *entries in zip(runs, splits, *columns, strict=True):
        group = groups.setdefault(_key(run_id, split, len(groups)), ([], [], [], [], []))
        for column, entry in zip(group, entries, strict=True):
            column.append(entry)
    return {key: _Group(*group) for key, group in groups.items()}


def _key(run_id: object, split: object, known: int) -> _Key:
    run, named = batches.belongs({names.META_RUN_ID: run_id, names.META_SPLIT: split})
    return (run if known < MAX_GROUPS else None, named)


def _lengths(group: _Group, counts: Mapping[Outcome, int]) -> Sequence[int]:
    """Characters of the responses that have any: all but those of items with the wrong shape."""
    if Outcome.INVALID in counts:
        return [length for length in group.lengths if length is not None]
    return group.lengths  # type: ignore[return-value]  # none is None


def _spreads(records: Sequence[object], rewards: Sequence[float]) -> list[float]:
    """The standard deviation of the scores of each prompt that has two or more in the batch."""
    size = _group_size(records)
    if size > 1:
        return list(map(_deviation, zip(*[iter(rewards)] * size, strict=True)))
    groups: defaultdict[object, list[float]] = defaultdict(list)
    pairs: Iterable[tuple[object, float]] = zip(records, rewards, strict=True)
    if set(map(type, records)) != {str}:
        pairs = [(record, reward) for record, reward in pairs if type(record) is str]
    for record, reward in pairs:
        groups[record].append(reward)
    return [_deviation(tuple(group)) for group in groups.values() if len(group) > 1]


def _group_size(records: Sequence[object]) -> int:
    """Responses to each prompt, if those to one stand together and each has as many, as a policy draws them; 0 if not."""
    size, first = 1, records[0]
    while size < len(records) and records[size] == first:
        size += 1
    firsts = records[::size]
    if len(records) % size or set(map(type, firsts)) != _TEXTS or len(set(firsts)) != len(firsts):
        return 0
    return size if all(records[offset::size] == firsts for offset in range(1, size)) else 0


@lru_cache(maxsize=1024)
def _deviation(values: tuple[float, ...]) -> float:
    # Kept, because the few scores of a small group come in few arrangements.
    count = len(values)
    if values.count(values[0]) == count:
        return 0.0
    # The distance from the point whose every coordinate is the mean: the sum of squares and its root, in one call.
    return dist(values, [fsum(values) / count] * count) / sqrt(count)


def _outcomes(counts: Mapping[Outcome, int]) -> dict[Metric, float]:
    values: dict[Metric, float] = {METRIC_OF[outcome]: count for outcome, count in counts.items()}
    # Zero is sent as well, so that the alarm on it sees data rather than silence.
    values[Metric.GRADER_FAULTS] = sum([counts[outcome] for outcome in FAULTS & counts.keys()])
    return values


def _weighted(counts: Mapping[Outcome, int], shared: Mapping[Outcome, Sequence[Component]]) -> Iterable[tuple[Component, int]]:
    return [(part, count) for outcome, count in counts.items() for part in shared[outcome]]


def _each(results: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Component, int]]:
    return [(part, 1) for result in results for part in result["metrics_list"]]


def _components(parts: Iterable[tuple[Component, int]]) -> str:
    """Sum and number of each component of the scores, as a member of the record; empty where there are none."""
    sums: dict[str, float] = {}
    numbers: dict[str, int] = {}
    for part, count in parts:
        name = part["name"]
        sums[name] = sums.get(name, 0.0) + part["value"] * count
        numbers[name] = numbers.get(name, 0) + count
    if not sums or len(sums) > MAX_COMPONENTS:
        return ""
    # Python writes a finite number as JSON does, and a plain name needs no escape.
    named = [f'"{name}":[{total!r},{numbers[name]}]' for name, total in sums.items() if isfinite(total) and _is_plain(name)]
    return f',"{NOTED_COMPONENTS}":{{{",".join(named)}}}' if named else ""


@lru_cache(maxsize=256)
def _is_plain(name: str) -> bool:
    return _COMPONENT_NAME.fullmatch(name) is not None


def _log_faults(faults: Sequence[str]) -> None:
    line = {"level": "ERROR", "message": "the grader failed on samples; each scored 0", "faults": dict(Counter(faults).most_common(10))}
    sys.stdout.write(json.dumps(line) + "\n")
