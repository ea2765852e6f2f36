"""Metric data as CloudWatch queries see it: one value per period of one exact metric.

A metric is its namespace, name and full set of dimensions; a query without dimensions means the metric that has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ministack.services import cloudwatch as upstream

Series = dict[int, float]
"""Period start (epoch seconds, a multiple of the period) to value."""

_PERCENTILE = re.compile(r"[pP](\d{1,2}(?:\.\d{1,10})?|100)")
_RANK = re.compile(r"PR\((-?[\d.]+)?:(-?[\d.]+)?\)")
_BASIC = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")


class UnknownStatistic(ValueError):
    """A statistic this cloud does not compute."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric and how it is read.

    Attributes:
        namespace: CloudWatch namespace.
        name: metric name.
        dimensions: the full set.
        period: seconds, 1 or more.
        statistic: Average, Sum, Minimum, Maximum, SampleCount, pNN or PR(low:high).
        unit: only data published with this unit, or None for any.
    """

    namespace: str
    name: str
    dimensions: dict[str, str] = field(default_factory=dict)
    period: int
    statistic: str
    unit: str | None = None


def points(metric: Metric) -> list[dict[str, Any]]:
    """Everything stored for the metric in the current account and Region."""
    stored = upstream._metrics.get((metric.namespace, metric.name, upstream._dims_key(metric.dimensions))) or []
    return [point for point in list(stored) if metric.unit in (None, point.get("Unit"))]


class Span(NamedTuple):
    """What is read: periods that begin in [start, end), `phase` seconds after each multiple of their length.

    `clock` is how many seconds one second of these lasts: what alarms look at goes by the cloud's own clock.
    """

    start: float
    end: float
    phase: int = 0
    clock: float = 1.0


def read(metric: Metric, span: Span) -> Series:
    """The metric's value for each period of the span that has data.

    Raises:
        UnknownStatistic: the statistic is not one of those named in `Metric`.
    """
    buckets: dict[int, list[dict[str, Any]]] = {}
    for point in points(metric):
        moment = point["Timestamp"] / span.clock
        if moment >= span.start and (begin := int((moment - span.phase) // metric.period) * metric.period + span.phase) < span.end:
            buckets.setdefault(begin, []).append(point)
    values = {begin: statistic_of(inside, metric.statistic) for begin, inside in sorted(buckets.items())}
    return {begin: value for begin, value in values.items() if value is not None and begin >= span.start}


def statistic_of(inside: list[dict[str, Any]], statistic: str) -> float | None:
    """One statistic of the data of one period, or None where CloudWatch has none (a percentile of negative values).

    Raises:
        UnknownStatistic: naming the statistic and those allowed.
    """
    if statistic in _BASIC:
        value = upstream._calc_stats(inside).get(statistic)
        return None if value is None else float(value)
    percentile, rank = _PERCENTILE.fullmatch(statistic), _RANK.fullmatch(statistic)
    if not percentile and not (rank and any(rank.groups())):
        known = f"{', '.join(_BASIC)}, percentiles such as p90 and percentile ranks such as PR(:300)"
        raise UnknownStatistic(f"statistic {statistic!r} is not computed here; known: {known}")
    samples = upstream._percentile_samples(inside)
    if not samples:
        return None
    if percentile:
        return float(upstream._percentile(samples, float(percentile[1])))
    low, high = (float(bound) if bound else None for bound in rank.groups()) if rank else (None, None)
    return _rank(samples, low, high)


def _rank(samples: list[tuple[float, float]], low: float | None, high: float | None) -> float:
    """Percentile rank: the percentage of values above the lower bound and up to the upper, which counts (CloudWatch user guide,
    Statistics-definitions)."""
    inside = sum(weight for value, weight in samples if (low is None or value > low) and (high is None or value <= high))
    return 100 * inside / sum(weight for _, weight in samples)


def stamp(moment: float) -> str:
    """A moment as alarms and their notices write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def from_stat(stat: dict[str, Any]) -> Metric:
    """A `MetricStat` of the CloudWatch API."""
    metric = stat.get("Metric", {})
    return Metric(
        namespace=metric.get("Namespace", ""),
        name=metric.get("MetricName", ""),
        dimensions={each["Name"]: each["Value"] for each in metric.get("Dimensions") or []},
        period=int(stat.get("Period", 60)),
        statistic=stat.get("Stat", "Average"),
        unit=stat.get("Unit"),
    )
