"""GetMetricData, GetMetricStatistics and PutMetricAlarm replaced by versions that know expressions and exact metrics."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch as upstream

from local.emulator import metric_math, metric_queries, metric_search, metric_series
from local.emulator.metric_series import Span

_holding: contextvars.ContextVar[bool] = contextvars.ContextVar("rft_holding_alarms", default=False)

_EVICTION_SECONDS = 3600.0

_first_point = threading.Lock()


def install() -> None:
    """Replace the three operations, and keep eviction off the path of every request."""
    upstream_data = upstream._get_metric_data
    upstream_statistics = upstream._get_metric_statistics
    upstream_put = upstream._put_metric_alarm
    upstream_evict = upstream._evict_old_metrics
    upstream_bucket = upstream._metric_bucket
    last_eviction = [time.monotonic()]

    def get_metric_data(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not (is_cbor or is_json):
            return upstream_data(params, data, is_cbor, is_json)
        return _get_metric_data(data, is_cbor)

    def get_metric_statistics(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not (is_cbor or is_json):
            return upstream_statistics(params, data, is_cbor, is_json)
        return _get_metric_statistics(data, is_cbor)

    def put_metric_alarm(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        queries = data.get("Metrics") if is_cbor or is_json else None
        if not queries:
            return upstream_put(params, data, is_cbor, is_json)
        return _put_math_alarm(upstream_put, params, data, is_cbor, is_json)

    def evict_old_metrics() -> None:
        # Each run copies every series, and one that a function's log is being added to at that moment would lose the point.
        if time.monotonic() - last_eviction[0] > _EVICTION_SECONDS:
            last_eviction[0] = time.monotonic()
            upstream_evict()

    def metric_bucket(key: tuple[Any, ...]) -> list[dict[str, Any]]:
        # Of two threads with the first point of a metric, each would make the list of its points, and one list would be lost.
        with _first_point:
            found: list[dict[str, Any]] = upstream_bucket(key)
            return found

    upstream._metrics = _Points()
    upstream._metric_bucket = metric_bucket
    upstream._get_metric_data = get_metric_data
    upstream._get_metric_statistics = get_metric_statistics
    upstream._put_metric_alarm = put_metric_alarm
    upstream._evict_old_metrics = evict_old_metrics


class _Points(AccountRegionScopedDict):  # type: ignore[misc]
    """The data points of every metric. There are many and none is ever changed, so that what is saved of them holds no copy of each."""

    __slots__ = ()

    def __deepcopy__(self, _memo: object) -> _Points:
        copied = _Points()
        copied._data = {key: list(points) for key, points in list(self._data.items())}
        return copied


def holding() -> bool:
    """Whether an alarm is being put together and must not be evaluated yet."""
    return _holding.get()


def _put_math_alarm(upstream_put: Any, params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool) -> Any:
    """Store an alarm on expressions: ministack drops `Metrics`."""
    token = _holding.set(True)
    try:
        answer = upstream_put(params, {key: value for key, value in data.items() if key != "Metrics"}, is_cbor, is_json)
    finally:
        _holding.reset(token)
    if answer[0] == 200:
        alarm = upstream._alarms[data["AlarmName"]]
        for unused in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"):
            alarm.pop(unused, None)
        alarm["Metrics"] = data["Metrics"]
        if data.get("ThresholdMetricId"):
            alarm["ThresholdMetricId"] = data["ThresholdMetricId"]
        upstream._evaluate_alarm(alarm)
    return answer


def _get_metric_data(data: dict[str, Any], is_cbor: bool) -> Any:
    queries = data.get("MetricDataQueries") or []
    start, end = upstream._parse_ts(data.get("StartTime")) or 0.0, upstream._parse_ts(data.get("EndTime")) or time.time()
    newest_first = data.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    try:
        found = list(_found(queries, start=_aligned(start, queries), end=end))
    except (metric_math.MathError, metric_series.UnknownStatistic) as problem:
        return upstream._error("ValidationError", str(problem), 400, use_json=not is_cbor, use_cbor=is_cbor)
    results = []
    for ident, label, series in found:
        times = sorted(series, reverse=newest_first)
        results.append(
            {
                "Id": ident,
                "Label": label,
                "Timestamps": [upstream._ts_iso(at) for at in times],
                "Values": [series[at] for at in times],
                "StatusCode": "Complete",
            }
        )
    if is_cbor:
        return upstream._cbor_ok({"MetricDataResults": [upstream._cbor_metric_data_result(each) for each in results], "Messages": []})
    return upstream._json_ok({"MetricDataResults": results, "Messages": []})


def _found(queries: list[dict[str, Any]], *, start: float, end: float) -> Iterator[tuple[str, str, metric_series.Series]]:
    """Id, label and series of each query that returns data; a search has as many as it finds, all under its id."""
    searches = [query for query in queries if metric_search.is_search(query)]
    others = [query for query in queries if query not in searches]
    series = metric_queries.resolve(others, Span(start, end))
    for query in queries:
        if query.get("ReturnData", True) is False:
            continue
        if query in searches:
            for each in metric_search.find(query, metric_queries.period_of(query, queries)):
                yield query["Id"], each.label, metric_series.read(each.metric, Span(start, end))
        else:
            label = query.get("Label") or query.get("Expression") or query["MetricStat"]["Metric"]["MetricName"]
            yield query["Id"], label, series[query["Id"]]


def _aligned(start: float, queries: list[dict[str, Any]]) -> float:
    """CloudWatch rounds the start down to the period, so that the first period is whole."""
    shortest = min((metric_queries.period_of(query, queries) for query in queries), default=60)
    return start // shortest * shortest


def _get_metric_statistics(data: dict[str, Any], is_cbor: bool) -> Any:
    period = int(data.get("Period") or 60)
    start, end = upstream._parse_ts(data.get("StartTime")) or 0.0, upstream._parse_ts(data.get("EndTime")) or time.time()
    metric = metric_series.Metric(
        namespace=data.get("Namespace", ""),
        name=data.get("MetricName", ""),
        dimensions={each["Name"]: each["Value"] for each in data.get("Dimensions") or []},
        period=period,
        statistic="Average",
        unit=data.get("Unit"),
    )
    buckets: dict[int, list[dict[str, Any]]] = {}
    for point in metric_series.points(metric):
        begin = int(point["Timestamp"] // period) * period
        if start // period * period <= begin < end:
            buckets.setdefault(begin, []).append(point)
    datapoints = []
    try:
        for begin, inside in sorted(buckets.items()):
            each: dict[str, Any] = {"Timestamp": upstream._ts_iso(begin), "Unit": inside[0].get("Unit", "None")}
            each.update({name: metric_series.statistic_of(inside, name) for name in data.get("Statistics") or []})
            extended = {name: metric_series.statistic_of(inside, name) for name in data.get("ExtendedStatistics") or []}
            if extended:
                each["ExtendedStatistics"] = {name: value for name, value in extended.items() if value is not None}
            datapoints.append(each)
    except metric_series.UnknownStatistic as problem:
        return upstream._error("ValidationError", str(problem), 400, use_json=not is_cbor, use_cbor=is_cbor)
    if is_cbor:
        return upstream._cbor_ok({"Datapoints": [upstream._cbor_datapoint(each) for each in datapoints], "Label": metric.name})
    return upstream._json_ok({"Datapoints": datapoints, "Label": metric.name})
