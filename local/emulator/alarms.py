"""The alarm engine: every alarm of every account, evaluated each second, when data is put, and when its settings change.

It replaces ministack's, which ignores dimensions, M of N, missing data and expressions. Composite alarms are ministack's
own; they follow their children through `_evaluate_parent_alarms`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch as upstream

from local.emulator import alarm_rules, cloudwatch_api, metric_math, metric_queries, metric_series, settings

log = logging.getLogger("rft.local")

_TICK_SECONDS = 1.0

_lock = threading.RLock()
_wake = threading.Event()
_unreadable: set[str] = set()


def install() -> None:
    """Replace the evaluation and start the clock."""
    upstream._evaluate_alarm = evaluate
    upstream._evaluate_all_alarms = evaluate_scope
    threading.Thread(target=_run, name="rft-alarms", daemon=True).start()


def clock() -> float:
    """How many seconds a second of an alarm's period lasts: as many as a second of a Wait state, so that a minute of both is as long."""
    return settings.current().clock


def on() -> list[dict[str, str]]:
    """Every alarm of every account that is in ALARM: its name, since when, and what its description says to do."""
    every = [*upstream._alarms._data.values(), *upstream._composite_alarms._data.values()]
    return [
        {
            "name": str(alarm["AlarmName"]),
            "since": metric_series.stamp(alarm["StateUpdatedTimestamp"]),
            "advice": str(alarm.get("AlarmDescription") or ""),
        }
        for alarm in every
        if alarm["StateValue"] == "ALARM"
    ]


def wake() -> None:
    """Evaluate soon: data arrived by another way than PutMetricData."""
    _wake.set()


def _run() -> None:
    while True:
        _wake.wait(_TICK_SECONDS)
        _wake.clear()
        for account, region in {(key[0], key[1]) for key in list(upstream._alarms._data)}:
            with request_scope(account, region):
                evaluate_scope()
        # Data of functions arrives in bursts; one evaluation serves a burst.
        time.sleep(0.1)


def evaluate_scope() -> None:
    """Evaluate every alarm of the current account and Region."""
    for alarm in list(upstream._alarms.values()):
        try:
            evaluate(alarm)
        except Exception:
            log.exception("alarm %s could not be evaluated", alarm.get("AlarmName"))


def evaluate(alarm: dict[str, Any]) -> None:
    """Evaluate one alarm now and act if its state changes."""
    if cloudwatch_api.holding() or alarm.get("ThresholdMetricId") or alarm.get("ComparisonOperator") not in alarm_rules.COMPARISONS:
        return
    with _lock:
        condition = condition_of(alarm)
        found = _periods(alarm, condition)
        if found is None:
            return
        begins, values = found
        state = alarm_rules.state_of(values, condition, alarm["StateValue"])
        if state != alarm["StateValue"]:
            _change(alarm, state, values, condition, begins)


def condition_of(alarm: dict[str, Any]) -> alarm_rules.Condition:
    """The alarm's condition."""
    periods = int(alarm.get("EvaluationPeriods") or 1)
    return alarm_rules.Condition(
        comparison=alarm["ComparisonOperator"],
        threshold=float(alarm.get("Threshold") or 0),
        periods=periods,
        datapoints=int(alarm.get("DatapointsToAlarm") or periods),
        missing=alarm.get("TreatMissingData") or "missing",
    )


def queries_of(alarm: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The alarm's metrics as queries, and the id of the one it watches."""
    if alarm.get("Metrics"):
        queries = alarm["Metrics"]
        watched = [query["Id"] for query in queries if query.get("ReturnData", True) is not False]
        return queries, watched[0] if watched else queries[0]["Id"]
    metric = {"Namespace": alarm.get("Namespace"), "MetricName": alarm.get("MetricName"), "Dimensions": alarm.get("Dimensions") or []}
    stat = {
        "Metric": metric,
        "Period": int(alarm.get("Period") or 60),
        "Stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average",
        **({"Unit": alarm["Unit"]} if alarm.get("Unit") else {}),
    }
    return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}], "m1"


def _periods(alarm: dict[str, Any], condition: alarm_rules.Condition) -> tuple[list[int], list[float | None]] | None:
    """When each period of the evaluation range began, by `clock`, and its value, oldest first; None when the alarm cannot be read.

    The last period ends with the last whole minute, or ten seconds for an alarm on shorter periods: at the end of minute 6 an alarm
    on five minutes looks at minutes 2 to 6 (CloudWatch user guide, "Evaluating an alarm"). The minute now running counts once it has
    data, so that an alarm reacts when a value arrives and not at the minute's end.
    """
    queries, watched = queries_of(alarm)
    period = metric_queries.period_of(next(query for query in queries if query["Id"] == watched), queries)
    step = 60 if period >= 60 else min(period, 10)
    running = int(time.time() / clock() // step) * step
    try:
        end = running + step if _has_data(queries, running, step) else running
        begins = [end - back * period for back in range(condition.range, 0, -1)]
        series = metric_queries.resolve(queries, metric_series.Span(begins[0], end, end % period, clock()))[watched]
    except (metric_math.MathError, metric_series.UnknownStatistic) as problem:
        if alarm["AlarmArn"] not in _unreadable:
            _unreadable.add(alarm["AlarmArn"])
            log.warning("alarm %s is not evaluated: %s", alarm["AlarmName"], problem)
        return None
    return begins, [series.get(begin) for begin in begins]


def _has_data(queries: list[dict[str, Any]], running: int, seconds: int) -> bool:
    """Whether any real metric has data in what is now running; FILL makes every period look as if it had."""
    read = (metric_series.from_stat(query["MetricStat"]) for query in queries if "MetricStat" in query)
    newest = (point["Timestamp"] / clock() for metric in read for point in reversed(metric_series.points(metric)))
    return any(running <= moment < running + seconds for moment in newest)


def _change(alarm: dict[str, Any], state: str, values: list[float | None], condition: alarm_rules.Condition, begins: list[int]) -> None:
    old, reason = alarm["StateValue"], alarm_rules.reason_of(values, condition, state, [begin * clock() for begin in begins])
    now = time.time()
    data = {
        "version": "1.0",
        "queryDate": metric_series.stamp(now),
        "recentDatapoints": [value for value in values if value is not None][-condition.periods :],
        "threshold": condition.threshold,
    }
    alarm.update(
        StateValue=state,
        StateReason=reason,
        StateReasonData=json.dumps(data),
        StateUpdatedTimestamp=now,
        StateTransitionedTimestamp=now,
    )
    upstream._record_history(alarm["AlarmName"], old, state, reason)
    upstream._dispatch_alarm_actions(alarm, old, state, reason)
    upstream._evaluate_parent_alarms(alarm)
