"""Several graders as one: a weighted sum, gates, and a price on length."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.errors import InvalidInput

from reward.batches import graded, in_one_call
from reward.contract import Sample
from reward.graders import build, texts
from reward.graders.options import Options
from reward.score import FAULTS, Component, Outcome, Score

MAX_PARTS = 12
MAX_NESTING = 3
UNITS = ("characters", "words")

_PART_KEYS = ("name", "grader", "options", "weight", "gate")
_LENGTH_KEYS = ("unit", "free", "limit", "penalty")
_FAULTY = FAULTS | {Outcome.OVERSIZE}
_FAILED = Score(0.0, Outcome.INTERNAL_ERROR)


class _Part(NamedTuple):
    name: str
    grade: Callable[[Sample], Score]
    weight: float
    gate: float | None


class _Length(NamedTuple):
    unit: str
    free: int
    limit: int
    penalty: float

    def factor(self, response: str) -> float:
        size = len(response) if self.unit == "characters" else len(texts.words(response))
        return 1 - self.penalty * min(1.0, max(0.0, (size - self.free) / (self.limit - self.free)))


def grader(*, parts: Sequence[Any] = (), length: Mapping[str, Any] | None = None) -> Callable[[Sample], Score]:
    """The composite grader.

    Args:
        parts: tables with `name`, `grader`, `options`, and `weight`, `gate` or both. The score is the sum of weight times value, and
            0 if a part with a gate, 0 to 1, gives less than it. Weights sum to 1. Parts run in their order, and none after a gate
            that closed: put cheap gates before a judge.
        length: a table with `unit` (``characters``, the default, or ``words``), `free`, `limit` and `penalty`, 0 to 1. A response
            longer than `free` loses a share of its score that grows to `penalty` at `limit`; thinking counts as length.

    Returns:
        A grader whose components are each part's value under its name, 0 for a part that did not run, and ``length``, the factor
        applied. A part that ends in a fault, or a response too long for it, is the outcome of the whole, which pays 0.

    Raises:
        InvalidInput: for a value outside these, or anything a part's own grader refuses, under the part's key.
    """
    options = Options()
    found = [_part(options, index, table) for index, table in enumerate(options.tables("parts", parts, least=1, most=MAX_PARTS))]
    shaping = None if length is None else _length(options, length)
    total = sum(part.weight for part in found)
    if found and not options.problems and abs(total - 1) > 1e-6:
        options.problems.append(f"{options.root}.parts: the weights sum to {total:g}; allowed is 1")
    names = [part.name for part in found] + (["length"] if shaping else [])
    if len(set(names)) < len(names):
        options.fault("parts", names, "names that differ from each other, and from length if there is one")
    options.done()

    batched = any(in_one_call(part.grade) is not None for part in found)
    return (_Batched if batched else _Composite)(found, names, shaping)


class _Composite:
    def __init__(self, parts: Sequence[_Part], names: Sequence[str], length: _Length | None) -> None:
        self.parts, self.names, self.length = parts, names, length

    def __call__(self, sample: Sample) -> Score:
        values = dict.fromkeys(self.names, 0.0)
        for part in self.parts:
            outcome = _settle(part, part.grade(sample), values)
            if outcome is not None:
                return _ended(values, outcome)
        return self._sum(sample, values)

    def _sum(self, sample: Sample, values: dict[str, float]) -> Score:
        full = all(values[part.name] == 1.0 for part in self.parts if part.weight)
        value = 1.0 if full else sum(part.weight * values[part.name] for part in self.parts)
        if self.length:
            values["length"] = self.length.factor(sample.response)
            value *= values["length"]
        return texts.scored(value, _components(values))


class _Batched(_Composite):
    """With a part that grades whole batches: a judge asks its questions side by side, and a time budget is kept over all samples."""

    def batch(self, samples: Sequence[Sample]) -> list[Score | Exception]:
        """The score of each sample, in order, or in its place what a part raised on that sample.

        Raises:
            BatchFailed: if a part cannot grade and its policy is to fail the whole call.
        """
        values = [dict.fromkeys(self.names, 0.0) for _ in samples]
        settled: dict[int, Score | Exception] = {}
        for part in self.parts:
            waiting = [position for position in range(len(samples)) if position not in settled]
            for position, score in zip(waiting, graded(part.grade, [samples[position] for position in waiting]), strict=True):
                if isinstance(score, Exception):
                    settled[position] = score
                    continue
                outcome = _settle(part, score, values[position])
                if outcome is not None:
                    settled[position] = _ended(values[position], outcome)
        return [settled.get(position) or self._sum(sample, values[position]) for position, sample in enumerate(samples)]

    def usage(self) -> Mapping[Any, float | Sequence[float]]:
        """What the parts that count their use report, added up."""
        total: dict[Any, Any] = {}
        for part in self.parts:
            for key, value in (part.grade.usage() if hasattr(part.grade, "usage") else {}).items():
                total[key] = value if key not in total else total[key] + value
        return total

    @property
    def identity(self) -> str:
        """SHA-256 of the identities of the parts that have one, with their names, weights and gates, and of the length rule."""
        parts = [[part.name, part.weight, part.gate, getattr(part.grade, "identity", "")] for part in self.parts]
        return hashlib.sha256(json.dumps([parts, self.length]).encode()).hexdigest()


def _settle(part: _Part, score: Score, values: dict[str, float]) -> Outcome | None:
    """Notes a part's score; the outcome of the whole if it ends here."""
    if score.outcome in _FAULTY:
        return score.outcome
    if not 0.0 <= score.value <= 1.0:
        return Outcome.INTERNAL_ERROR
    values[part.name] = score.value
    return Outcome.WRONG if part.gate is not None and score.value < part.gate else None


def _ended(values: Mapping[str, float], outcome: Outcome) -> Score:
    return Score(0.0, outcome, _components(values))


def _components(values: Mapping[str, float]) -> tuple[Component, ...]:
    return tuple(texts.reward(name, value) for name, value in values.items())


def _part(options: Options, index: int, table: dict[str, Any]) -> _Part:
    at = f"parts[{index}]"
    options.table(at, table, _PART_KEYS)
    inner = options.table(f"{at}.options", table.get("options", {}))
    kind = options.string(f"{at}.grader", table.get("grader"))
    name = options.string(f"{at}.name", table.get("name", kind))[:40]
    weight = options.number(f"{at}.weight", table.get("weight", 0), 0, 1)
    gate = options.number(f"{at}.gate", table["gate"], 0, 1) if "gate" in table else None
    if not weight and gate is None:
        options.fault(f"{at}.weight", table.get("weight"), "a weight above 0, a gate, or both")
    if _nesting(table) > MAX_NESTING:
        options.fault(f"{at}.grader", kind, f"at most {MAX_NESTING} composite graders within each other")
    elif kind:
        try:
            return _Part(name, build(kind, inner), weight, gate)
        except InvalidInput as fault:
            options.problems += [f"{options.root}.{at}.{problem}" for problem in fault.problems]
    return _Part(name, lambda _: _FAILED, weight, gate)


def _nesting(table: object) -> int:
    depth, level = 0, [table]
    while level and depth <= MAX_NESTING:
        depth += 1
        level = [
            part
            for each in level
            if isinstance(each, dict) and isinstance(each.get("options"), dict) and isinstance(each["options"].get("parts"), list)
            for part in each["options"]["parts"]
        ]
    return depth


def _length(options: Options, given: object) -> _Length:
    table = options.table("length", given, _LENGTH_KEYS)
    unit = options.choice("length.unit", table.get("unit", "characters"), UNITS)
    free = options.whole("length.free", table.get("free"), 0, 500_000)
    limit = options.whole("length.limit", table.get("limit"), 1, 500_000)
    if limit <= free:
        options.fault("length.limit", table.get("limit"), "more than length.free")
        limit = free + 1
    return _Length(unit, free, limit, options.number("length.penalty", table.get("penalty"), 0, 1))
