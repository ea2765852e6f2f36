"""Has the probes graded by the deployed version, within a time that a slow reward cannot stretch far.

One record goes first and shows how long a call takes. The rest go as many at once, and as many of them, as the time allows: all for
a quick reward, half or so for one that asks a model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from contracts import names

from pipeline import grading
from pipeline.probes import Case, Probe, gold_probe, sample_of
from pipeline.rehearsal import Gold

BUDGET_SECONDS = 16.0
"""What the calls for probes may take together. One wave of calls is always made, whatever it takes."""

GOLD_RECORDS = 64
"""Further records whose own answer is graded, when a call is quick."""

GOLD_SECONDS = 2.0
"""Longest first call after which they are."""


class Rehearsed(NamedTuple):
    """Cases that were graded, one score per probe of each, and what other records' own answers were paid."""

    cases: list[Case]
    scores: list[list[float]]
    gold: list[Gold]


def grade(
    cases: Sequence[Case],
    records: Sequence[Mapping[str, Any]],
    *,
    reward_arn: str,
    run_id: str,
    clock: Callable[[], float] = time.monotonic,
    grade_parts: Callable[..., Sequence[grading.Graded]] | None = None,
) -> Rehearsed:
    """Grades the probes of as many cases as the time allows, and the own answers of some records more.

    Args:
        cases: made from some of `records`.
        records: of the whole split.
        grade_parts: what grades samples, with the signature of `grading.grade_parts`, which it is by default.

    Raises:
        GraderFault: if the reward failed or broke its contract.
    """
    if not cases:
        return Rehearsed([], [], [])
    calls = grade_parts or grading.grade_parts
    batch = max(len(case.probes) for case in cases)

    def scores_of(part: Sequence[Case], at_once: int) -> list[list[float]]:
        samples = [_sample(case.record, probe, str(number), run_id) for case in part for number, probe in enumerate(case.probes)]
        scores = iter(graded.score for graded in calls(reward_arn, samples, batch=batch, at_once=at_once))
        return [[next(scores) for _ in case.probes] for case in part]

    started = clock()
    scores = scores_of(cases[:1], 1)
    took = clock() - started
    count, at_once = room(took, len(cases) - 1)
    chosen = list(cases[: 1 + count])
    scores += scores_of(chosen[1:], at_once)
    probed = {str(case.record["id"]) for case in chosen}
    gold = _gold(records, probed, reward_arn, run_id, calls) if took <= GOLD_SECONDS else []
    return Rehearsed(chosen, scores, gold)


def room(seconds: float, left: int) -> tuple[int, int]:
    """How many of `left` calls to make, and how many at once, when one takes `seconds` and some are gone already."""
    spare = max(BUDGET_SECONDS - seconds, 0.0)
    at_once = grading.MAX_AT_ONCE if spare <= 0 else min(grading.MAX_AT_ONCE, max(1, math.ceil(left * seconds / spare)))
    waves = max(1, int(spare / seconds)) if seconds > 0 else left
    return min(left, waves * at_once), at_once


def _gold(
    records: Sequence[Mapping[str, Any]],
    probed: set[str],
    reward_arn: str,
    run_id: str,
    grade_parts: Callable[..., Sequence[grading.Graded]],
) -> list[Gold]:
    chosen = [record for record in sample_of(records, GOLD_RECORDS) if str(record["id"]) not in probed]
    graded = grade_parts(reward_arn, [_sample(record, gold_probe(record), "gold", run_id) for record in chosen])
    return [Gold(str(record["id"]), one.score) for record, one in zip(chosen, graded, strict=True)]


def _sample(record: Mapping[str, Any], probe: Probe, mark: str, run_id: str) -> dict[str, Any]:
    graded_as = record if probe.under is None else {**record, **probe.under}
    return grading.sample(graded_as, probe.reply, ident=f"{record['id']}-{mark}", run_id=run_id, split=names.SPLIT_REHEARSAL)
