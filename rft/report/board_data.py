"""The data of a dashboard, by GetMetricData: as CloudWatch would draw it, over the time in which there is any."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
from contracts.metrics import NAMESPACE, Metric

from rft.report.board import Board, Graph, Series

if TYPE_CHECKING:
    from rft.target import Target

_PERIODS = (1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
_POINTS = 120
"""Data points across a graph: what can be told apart in one of this size."""

_KEPT = ((timedelta(hours=3), 1), (timedelta(days=15), 60), (timedelta(days=63), 300))
"""How long CloudWatch keeps data points, by their period in seconds; hours after that (user guide, cloudwatch_concepts)."""

_QUERIES = 500
"""MetricDataQueries in one request (API reference, GetMetricData)."""

_MINUTE = 60
_WORTH = 0.7
"""A look at less than this share of the time shows more."""

_FINE = {metric.metric_name for metric in Metric if metric.value.resolution == 1}


@attrs.frozen(kw_only=True)
class Drawn:
    """A line with its data.

    Attributes:
        label: the legend's.
        counts: whether its points are counts of their period rather than a level.
        period: seconds.
        points: begin of the period and value, in order of time.
    """

    label: str
    counts: bool
    period: int
    points: Sequence[tuple[datetime, float]]


@attrs.frozen(kw_only=True)
class Window:
    """What time is drawn; `end` is exclusive."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@attrs.frozen(kw_only=True)
class BoardData:
    """A dashboard with its data.

    Attributes:
        lines: by the graph's title; only lines that have data.
        alarms: construct and state of each alarm, those that are on first.
    """

    board: Board
    window: Window
    lines: Mapping[str, Sequence[Drawn]]
    alarms: Sequence[tuple[str, str]] = ()

    @property
    def empty(self) -> list[Graph]:
        """Graphs without any data."""
        return [graph for graph in self.board.graphs if not self.lines[graph.title]]


def over(target: Target, board: Board, window: Window) -> BoardData:
    """The dashboard's data in a window."""
    queries, places = _queries(board, window)
    lines: dict[str, list[Drawn]] = {graph.title: [] for graph in board.graphs}
    found: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    for page in _pages(target, queries, window):
        for result in page["MetricDataResults"]:
            points = found.setdefault((result["Id"], result.get("Label", "")), [])
            points += [(at.astimezone(UTC), value) for at, value in zip(result["Timestamps"], result["Values"], strict=True)]
    for (ident, label), points in found.items():
        title, series = places[ident]
        if points:
            period = _period(series, window)
            drawn = Drawn(
                label=_short(label) if series.search else series.label,
                counts=series.statistic == "Sum",
                period=period,
                points=sorted(points),
            )
            lines[title].append(drawn)
    return BoardData(board=board, window=window, lines=lines, alarms=_alarms(target, board))


def lately(target: Target, board: Board, since: timedelta) -> BoardData:
    """The dashboard's data from the first data point within `since` until now, as closely as that allows."""
    now = datetime.now(UTC)
    found = over(target, board, rounded(now - since, now))
    # The longer the window the longer its periods, so that the first data point is known a little better each time.
    while times := [point[0] for lines in found.lines.values() for line in lines for point in line.points]:
        closer = rounded(min(times), now)
        if closer.seconds > _WORTH * found.window.seconds:
            break
        found = over(target, board, closer)
    return found


def rounded(start: datetime, end: datetime) -> Window:
    """The window in whole minutes; a data point stamped at `end` is inside."""
    first = start.astimezone(UTC).replace(second=0, microsecond=0)
    last = end.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return Window(start=first, end=last)


def _queries(board: Board, window: Window) -> tuple[list[dict[str, Any]], dict[str, tuple[str, Series]]]:
    queries: list[dict[str, Any]] = []
    places: dict[str, tuple[str, Series]] = {}
    for graph in board.graphs:
        for series in graph.series:
            ident = f"q{len(queries)}"
            places[ident] = (graph.title, series)
            queries.append(_query(ident, series, _period(series, window)))
    return queries, places


def _query(ident: str, series: Series, period: int) -> dict[str, Any]:
    if series.search:
        return {"Id": ident, "Expression": series.search, "Label": series.label, "Period": period}
    dimensions = [{"Name": name, "Value": value} for name, value in series.dimensions.items()]
    metric = {"Namespace": series.namespace, "MetricName": series.name, "Dimensions": dimensions}
    return {"Id": ident, "MetricStat": {"Metric": metric, "Period": period, "Stat": series.statistic}}


def _pages(target: Target, queries: Sequence[dict[str, Any]], window: Window) -> Iterable[Mapping[str, Any]]:
    paginator = target.cloudwatch.get_paginator("get_metric_data")
    for first in range(0, len(queries), _QUERIES):
        yield from paginator.paginate(
            MetricDataQueries=queries[first : first + _QUERIES],  # type: ignore[arg-type]
            StartTime=window.start,
            EndTime=window.end,
        )


def _period(series: Series, window: Window) -> int:
    """The period that gives about `_POINTS` points, of those the metric is stored in and kept for."""
    age = datetime.now(UTC) - window.start
    kept = next((period for limit, period in _KEPT if age < limit - timedelta(minutes=1)), 3600)
    stored = 1 if series.namespace == NAMESPACE and series.name in _FINE else _MINUTE
    wanted = math.ceil(window.seconds / _POINTS)
    return next((period for period in _PERIODS if period >= max(kept, stored, wanted)), _PERIODS[-1])


def _short(label: str) -> str:
    """A label with ARNs in it cut to their last part, of which eight characters tell deployments apart."""
    return re.sub(r"arn:\S*[:/](\S{1,8})\S*", r"…/\1", label)


def _spoken(name: str) -> str:
    """An alarm's name without what CloudFormation and CDK put around it: ``reward below floor``."""
    bare = re.sub(r"^(rft-[a-z]+-[a-z]+-|[a-z]+)(?=[A-Z])|[0-9A-F]{7,8}(-\w+)?$", "", name)
    bare = re.sub(r"^(Alarms|Spend|Perimeter)(?=[A-Z])|(?<=[a-z])Alarm$", "", bare)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare).lower()


def _alarms(target: Target, board: Board) -> list[tuple[str, str]]:
    names = [arn.rpartition(":alarm:")[2] for arn in board.alarms]
    found: list[tuple[str, str]] = []
    for first in range(0, len(names), 100):
        answer = target.cloudwatch.describe_alarms(
            AlarmNames=names[first : first + 100], AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
        )
        states = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
        found += [(_spoken(str(alarm["AlarmName"])), str(alarm["StateValue"])) for alarm in states]
    order = {"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}
    return sorted(found, key=lambda alarm: (order.get(alarm[1], 3), alarm[0]))
