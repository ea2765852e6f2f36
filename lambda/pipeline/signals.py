"""What the guard rails look at: the job's graded responses in CloudWatch, put in order by training step. No AWS calls here.

Bedrock reports no step while a job runs, so a step is counted from what was graded: batch size times responses per prompt.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from contracts import names
from contracts.metrics import Metric

from pipeline import trend

_REWARD, _GRADED = trend.mean_id(names.SPLIT_TRAIN), trend.count_id(names.SPLIT_TRAIN)
_VALIDATION, _VALIDATED = trend.mean_id(names.SPLIT_VALIDATION), trend.count_id(names.SPLIT_VALIDATION)

_BESIDE_THE_TREND: tuple[tuple[str, Metric, str], ...] = (
    ("spread", Metric.GROUP_SPREAD, "Average"),
    ("length", Metric.RESPONSE_LENGTH, "Average"),
    ("judge_usd", Metric.JUDGE_COST, "Sum"),
)


@attrs.frozen(kw_only=True)
class Reading:
    """What was graded in one training step, or in several where they are quicker than the metrics' period.

    Attributes:
        step: the last of them, from 1 on, counted from the responses graded so far.
        since: the step before the first of them.
        reward: mean score of training responses, 0 to 1; None when none was graded.
        graded: training responses.
        spread: mean standard deviation within the groups.
        length: mean characters of a training response.
        validation: mean score of validation responses graded meanwhile.
        validated: validation responses.
        judge_usd: US dollars the judge took.
    """

    step: int
    since: int = attrs.field(default=attrs.Factory(lambda self: self.step - 1, takes_self=True))
    reward: float | None = None
    graded: int = 0
    spread: float | None = None
    length: float | None = None
    validation: float | None = None
    validated: int = 0
    judge_usd: float = 0.0


def queries(environment: str, run_id: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """MetricDataQueries of one run: the trend's, and what the rails look at beside it. Each is paid for, so none is asked twice."""
    beside = [
        trend.query(name, environment, run_id, metric=metric, statistic=statistic, period=trend.period(since, until))
        for name, metric, statistic in _BESIDE_THE_TREND
    ]
    return [*trend.queries(environment, run_id, since, until), *beside]


def readings(pages: Iterable[Mapping[str, Any]], per_step: int) -> list[Reading]:
    """One reading for each step, in order, from the pages of GetMetricData.

    Args:
        per_step: training responses of one step: batch size times responses per prompt.
    """
    values: defaultdict[str, dict[datetime, float]] = defaultdict(dict)
    for page in pages:
        for result in page.get("MetricDataResults", []):
            values[result["Id"]].update(zip(result.get("Timestamps", []), result.get("Values", []), strict=False))
    steps: dict[int, list[Reading]] = {}
    total = 0
    for moment in sorted(set().union(*values.values())):
        total += int(values[_GRADED].get(moment, 0))
        step = max(1, math.ceil(total / per_step))
        steps.setdefault(step, []).append(
            Reading(
                step=step,
                reward=values[_REWARD].get(moment),
                graded=int(values[_GRADED].get(moment, 0)),
                spread=values["spread"].get(moment),
                length=values["length"].get(moment),
                validation=values[_VALIDATION].get(moment),
                validated=int(values[_VALIDATED].get(moment, 0)),
                judge_usd=values["judge_usd"].get(moment, 0.0),
            )
        )
    return [_joined(since, step, steps[step]) for since, step in itertools.pairwise([0, *steps])]


def mean(found: Sequence[Reading], what: str) -> float | None:
    """The mean of `reward`, `spread` or `length`, weighted by training responses; of `validation`, by validation responses."""
    weigh = "validated" if what == "validation" else "graded"
    counted = [(getattr(one, what), getattr(one, weigh)) for one in found if getattr(one, what) is not None]
    weights = sum(weight for _, weight in counted)
    return sum(value * weight for value, weight in counted) / weights if weights else None


def _joined(since: int, step: int, found: Sequence[Reading]) -> Reading:
    return Reading(
        step=step,
        since=since,
        **{what: mean(found, what) for what in ("reward", "spread", "length", "validation")},
        graded=sum(one.graded for one in found),
        validated=sum(one.validated for one in found),
        judge_usd=sum(one.judge_usd for one in found),
    )
