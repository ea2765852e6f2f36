"""The trend of a job, step by step: what `trend.json` holds. No AWS calls here.

Bedrock reports no step while a job runs, so a step is counted from what was graded: batch size times responses per prompt. The lines of a
step are those of `contracts.trends`.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
from contracts import names
from contracts.metrics import REWARD_BY_SPLIT, Metric
from contracts.trends import (
    COMPONENTS,
    DECILES,
    GRADER,
    JUDGE,
    MAX_COMPONENTS,
    OUTCOME_METRICS,
    OUTCOMES,
    OUTPUT,
    PART_OF_SPLIT,
    TRAINING,
    VALIDATION,
    decile,
)

from pipeline.grader_log import Record

MAX_STEPS = 400
"""Steps of a stored trend: more than a chart can show, small enough to be read in one go. Of a longer job neighbours are joined."""

Step = dict[str, Any]
"""What was graded after step `since` up to step `step`, with the members of `contracts.trends.STEP`."""

_JUDGED = {
    "calls": Metric.JUDGE_CALLS,
    "errors": Metric.JUDGE_ERRORS,
    "input_tokens": Metric.JUDGE_INPUT_TOKENS,
    "output_tokens": Metric.JUDGE_OUTPUT_TOKENS,
    "usd": Metric.JUDGE_COST,
}
_ADDED = frozenset({"graded", "groups", *_JUDGED})
_OF_GROUPS = frozenset({"spread", "no_spread"})
_WEIGHTS = {TRAINING: "graded", VALIDATION: "graded", GRADER: "calls", JUDGE: "calls"}


def steps(kept: Sequence[Step], records: Sequence[Record], per_step: int) -> list[Step]:
    """The steps so far, in order.

    Args:
        kept: the first of them, from an earlier look.
        records: what was graded since, in order of time.
        per_step: training responses of one step: batch size times responses per prompt.
    """
    total = sum(_graded(step) for step in kept)
    first = kept[-1]["step"] if kept else 0
    tallies: dict[int, _Tally] = {}
    for record in records:
        if record.split == names.SPLIT_TRAIN:
            total += len(record.values(Metric.REWARD))
        tallies.setdefault(max(1, first, math.ceil(total / per_step)), _Tally()).add(record)
    found = list(kept)
    for since, step in itertools.pairwise([first, *tallies]):
        measured = tallies[step].measured()
        if step == first and kept:
            # A late word on the last step that is kept, such as its validation.
            found[-1] = _joined([kept[-1], {"step": step, "since": step, **measured}])
        elif measured.keys() - {"began", "at"}:
            found.append({"step": step, "since": since, **measured})
    return found


def settled(found: Sequence[Step], before: datetime) -> int:
    """How many of the first steps will not change any more: a later one has begun, and no line of the log can still be under way.

    Args:
        before: moment by which everything written has reached the log.
    """
    whole = [
        "at" in step and datetime.fromisoformat(step["at"]) < before and step["at"] < following.get("began", "")
        for step, following in itertools.pairwise(found)
    ]
    return whole.index(False) if False in whole else len(whole)


def thinned(found: Sequence[Step], most: int = MAX_STEPS) -> list[Step]:
    """At most `most` steps or so; neighbours are joined, means and percentiles weighted by what they are of."""
    if len(found) <= most:
        return list(found)
    size = math.ceil(found[-1]["step"] / most)
    groups = itertools.groupby(found, key=lambda step: (step["step"] - 1) // size)
    return [_joined(list(group)) for _, group in groups]


def totals(found: Sequence[Step]) -> Step:
    """All steps together, as one."""
    return _joined(found) if found else {"step": 0, "since": 0}


def reward(found: Sequence[Step], part: str = TRAINING) -> dict[str, Any]:
    """Mean over all samples and their number; mean is None when there are none."""
    whole = totals(found).get(part) or {}
    return {"mean": whole.get("reward"), "samples": whole.get("graded", 0)}


def latest_components(found: Sequence[Step], last: int) -> dict[str, float]:
    """Means of the components of training scores over the `last` steps, at most `MAX_COMPONENTS` of them."""
    recent = [step for step in found if step["step"] > found[-1]["step"] - last]
    means = (totals(recent).get(TRAINING) or {}).get(COMPONENTS) or {}
    return dict(sorted(means.items())[:MAX_COMPONENTS])


def with_output(found: Sequence[Step], columns: Mapping[str, Mapping[int, Mapping[str, float]]]) -> list[Step]:
    """The steps with the columns of the job's own output, each on its step; a step nothing was graded of is added.

    Args:
        columns: by part, such as ``training``, and step: numbers by the name of their column.
    """
    rows: dict[int, dict[str, list[Mapping[str, float]]]] = defaultdict(lambda: defaultdict(list))
    ends = {number: step["step"] for step in found for number in range(step["since"] + 1, step["step"] + 1)}
    for part, table in columns.items():
        for number, values in table.items():
            rows[ends.get(number, number)][part].append(values)
    known = {step["step"]: step for step in found}
    merged = []
    for number in sorted(known.keys() | rows.keys()):
        step = known.get(number) or {"step": number, "since": number - 1}
        output = {part: _mean_columns(values) for part, values in rows[number].items()}
        merged.append({**step, OUTPUT: output} if output else step)
    return merged


def moment(milliseconds: int) -> str:
    """A moment as a step has it; texts of two sort as the moments do."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _graded(step: Step) -> int:
    return int((step.get(TRAINING) or {}).get("graded", 0))


class _Tally:
    """Every value of one step."""

    def __init__(self) -> None:
        self._moments: list[int] = []
        self._splits: defaultdict[str, _Split] = defaultdict(_Split)
        self._times: list[float] = []
        self._judged: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        self._moments.append(record.at)
        self._times += record.values(Metric.GRADER_LATENCY)
        self._splits[PART_OF_SPLIT[record.split]].add(record)
        for key, metric in _JUDGED.items():
            if values := record.values(metric):
                self._judged[key] += sum(values)  # type: ignore[assignment]

    def measured(self) -> Step:
        parts = {part: measured for part, split in self._splits.items() if (measured := split.measured())}
        if self._times:
            times = sorted(self._times)
            percentiles = {f"ms_p{which}": percentile(times, which) for which in (50, 95, 99)}
            parts[GRADER] = _rounded({"calls": len(times), "ms": _mean(times), **percentiles})
        if self._judged:
            parts[JUDGE] = _rounded({key: self._judged[key] for key in _JUDGED})
        return {"began": moment(min(self._moments)), "at": moment(max(self._moments)), **parts}


@attrs.define
class _Split:
    rewards: list[float] = attrs.field(factory=list)
    spreads: list[float] = attrs.field(factory=list)
    lengths: list[float] = attrs.field(factory=list)
    outcomes: Counter[str] = attrs.field(factory=Counter)
    components: dict[str, list[float]] = attrs.field(factory=dict)

    def add(self, record: Record) -> None:
        self.rewards += record.values(REWARD_BY_SPLIT[record.split])
        self.spreads += record.values(Metric.GROUP_SPREAD)
        self.lengths += record.values(Metric.RESPONSE_LENGTH)
        for outcome, metric in OUTCOME_METRICS.items():
            self.outcomes[outcome] += int(sum(record.values(metric)))
        for name, total, number in record.components():
            known = self.components.setdefault(name, [0.0, 0.0])
            known[0] += total
            known[1] += number

    def measured(self) -> dict[str, Any]:
        if not self.rewards:
            return {}
        rewards, lengths = sorted(self.rewards), sorted(self.lengths)
        found: dict[str, Any] = {"graded": len(rewards), "reward": _mean(rewards)}
        found |= {decile(which): percentile(rewards, which) for which in DECILES}
        if self.spreads:
            alike = sum(spread == 0 for spread in self.spreads)
            found |= {"groups": len(self.spreads), "spread": _mean(self.spreads), "no_spread": alike / len(self.spreads)}
        if lengths:
            found |= {"length": _mean(lengths), "length_p90": percentile(lengths, 90)}
        found[OUTCOMES] = {outcome: count for outcome, count in self.outcomes.items() if count}
        found[COMPONENTS] = _rounded({name: total / number for name, (total, number) in self.components.items() if number})
        return _rounded(found)


def percentile(ordered: Sequence[float], which: float) -> float:
    """A percentile of values in ascending order, between its two neighbours where it falls between them."""
    rank = which / 100 * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (rank - low) * (ordered[high] - ordered[low])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _rounded(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in found.items()}


def _joined(found: Sequence[Step]) -> Step:
    """Neighbours as one step."""
    joined: Step = {"step": found[-1]["step"], "since": found[0]["since"]}
    if timed := [step for step in found if "at" in step]:
        joined |= {"began": min(step["began"] for step in timed), "at": max(step["at"] for step in timed)}
    for part, weight in _WEIGHTS.items():
        if parts := [step[part] for step in found if step.get(part)]:
            joined[part] = _joined_parts(parts, weight)
    output: defaultdict[str, list[Mapping[str, float]]] = defaultdict(list)
    for step in found:
        for part, values in (step.get(OUTPUT) or {}).items():
            output[part].append(values)
    if output:
        joined[OUTPUT] = {part: _mean_columns(values) for part, values in output.items()}
    return joined


def _joined_parts(parts: Sequence[Mapping[str, Any]], weight: str) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for key in dict.fromkeys(key for part in parts for key in part):
        having = [part for part in parts if key in part]
        if key == OUTCOMES:
            joined[key] = dict(sum((Counter(part[key]) for part in having), Counter()))
        elif key == COMPONENTS:
            names_ = dict.fromkeys(name for part in having for name in part[key])
            joined[key] = {name: _weighted([(part[key][name], part[weight]) for part in having if name in part[key]]) for name in names_}
        elif key in _ADDED:
            joined[key] = sum(part[key] for part in having)
        else:
            by = "groups" if key in _OF_GROUPS else weight
            joined[key] = _weighted([(part[key], part[by]) for part in having])
    return _rounded(joined)


def _weighted(pairs: Iterable[tuple[float, float]]) -> float:
    pairs = list(pairs)
    whole = sum(weight for _, weight in pairs)
    if not whole:
        return _mean([value for value, _ in pairs])
    return round(sum(value * weight for value, weight in pairs) / whole, 6)


def _mean_columns(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    columns = dict.fromkeys(column for row in rows for column in row)
    return {column: round(_mean([row[column] for row in rows if column in row]), 6) for column in columns}
