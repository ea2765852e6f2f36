"""A list of `MetricDataQuery`, as GetMetricData and alarms on expressions give it, resolved to series."""

from __future__ import annotations

from typing import Any

from local.emulator import metric_math, metric_series
from local.emulator.metric_series import Series, Span

Query = dict[str, Any]


def period_of(query: Query, queries: list[Query]) -> int:
    """The query's period in seconds: its own, else the longest of the metrics it could refer to, else 60."""
    if "MetricStat" in query:
        return int(query["MetricStat"].get("Period", 60))
    if query.get("Period"):
        return int(query["Period"])
    return max((int(each["MetricStat"].get("Period", 60)) for each in queries if "MetricStat" in each), default=60)


def timeline(span: Span, period: int) -> list[int]:
    """Every period start of the span."""
    first = -int(-(span.start - span.phase) // period) * period + span.phase
    return list(range(first, max(first, int(span.end)), period)) if span.end > first else []


def resolve(queries: list[Query], span: Span) -> dict[str, Series]:
    """The series of every query by id.

    Raises:
        metric_math.MathError: an expression fails, or expressions refer to each other in a circle.
        metric_series.UnknownStatistic: a statistic is not computed here.
    """
    done: dict[str, Series] = {}
    pending = list(queries)
    ids = {query.get("Id", "") for query in queries}
    while pending:
        ready = [query for query in pending if "MetricStat" in query or (metric_math.names_in(query["Expression"]) & ids) <= done.keys()]
        if not ready:
            raise metric_math.MathError(f"expressions refer to each other: {', '.join(query.get('Id', '') for query in pending)}")
        for query in ready:
            done[query.get("Id", "")] = _one(query, queries, done, span)
            pending.remove(query)
    return done


def _one(query: Query, queries: list[Query], done: dict[str, Series], span: Span) -> Series:
    if "MetricStat" in query:
        return metric_series.read(metric_series.from_stat(query["MetricStat"]), span)
    period = period_of(query, queries)
    scope = metric_math.Scope(
        values=done,
        metrics=frozenset(str(each.get("Id", "")) for each in queries if "MetricStat" in each),
        timeline=timeline(span, period),
        period=period,
    )
    return metric_math.evaluate(query["Expression"], scope)
