"""Metrics made from log events: the embedded metric format and metric filters.

Specification: CloudWatch user guide, "Embedded metric format specification". A line that carries `_aws` but breaks the
specification publishes nothing and counts in AWS/Logs `EMFValidationErrors`, as on AWS.
"""

from __future__ import annotations

import json
import logging
import math
import time
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from local.emulator import alarms, filter_patterns

log = logging.getLogger("rft.local")

_MOST_METRICS = 100
_MOST_DIMENSIONS = 30
_MOST_VALUES = 100
_OLDEST_SECONDS = 14 * 24 * 3600
_NEWEST_SECONDS = 2 * 3600


class BadFormat(ValueError):
    """A line that announces embedded metrics and does not follow the specification."""


def install() -> None:
    """Read every event that reaches a log group."""
    upstream = cloudwatch_logs._fanout_to_subscription_filters

    def fan_out(group: str, stream: str, events: list[dict[str, Any]]) -> Any:
        read(group, events)
        return upstream(group, stream, events)

    cloudwatch_logs._fanout_to_subscription_filters = fan_out
    cloudwatch_logs._compile_filter_pattern = filter_patterns.compile_pattern


def read(group: str, events: list[dict[str, Any]]) -> None:
    """Publish the metrics of the events of one log group, in the current account and Region."""
    filters = [each for key, each in list(cloudwatch_logs._metric_filters.items()) if key[0] == group]
    for event in events:
        message = (event.get("message") or "").strip()
        if message.startswith("{") and '"_aws"' in message:
            _embedded(group, message)
        for each in filters:
            _filtered(each, message, event)
    alarms.wake()


def _embedded(group: str, message: str) -> None:
    try:
        for metric in parse(message):
            cloudwatch._store_datum(*metric)
    except BadFormat as problem:
        log.warning("embedded metrics in %s are not published: %s", group, problem)
        cloudwatch.record_metric("AWS/Logs", "EMFValidationErrors", 1, "Count", {"LogGroupName": group})


def parse(message: str) -> list[tuple[Any, ...]]:
    """The data in one line: namespace, name, dimensions, time, unit, None, values, None, None, per metric and dimension set.

    Raises:
        BadFormat: naming the member and what the specification wants.
    """
    try:
        document = json.loads(message)
        directives = document["_aws"]["CloudWatchMetrics"]
        stamp = float(document["_aws"]["Timestamp"]) / 1000
    except (ValueError, KeyError, TypeError) as problem:
        raise BadFormat(f"_aws needs Timestamp (milliseconds) and CloudWatchMetrics ({problem!r})") from problem
    age = time.time() - stamp
    if not -_NEWEST_SECONDS <= age <= _OLDEST_SECONDS:
        raise BadFormat(f"_aws.Timestamp {stamp:.0f} is not within the last two weeks or the next two hours")
    return [datum for directive in directives for datum in _directive(directive, document, stamp)]


def _directive(directive: dict[str, Any], document: dict[str, Any], stamp: float) -> list[tuple[Any, ...]]:
    namespace, metrics, sets = directive.get("Namespace"), directive.get("Metrics"), directive.get("Dimensions")
    if not isinstance(namespace, str) or not namespace or not isinstance(metrics, list) or not isinstance(sets, list):
        raise BadFormat("a metric directive needs Namespace (text), Dimensions (array of arrays) and Metrics (array)")
    if len(metrics) > _MOST_METRICS:
        raise BadFormat(f"{len(metrics)} metrics in a directive; at most {_MOST_METRICS}")
    found = []
    for names in sets or [[]]:
        dimensions = _dimensions(names, document)
        for metric in metrics:
            values = _values(metric, document)
            if values:
                found.append((namespace, metric["Name"], dimensions, stamp, metric.get("Unit", "None"), None, values, None, None))
    return found


def _dimensions(names: Any, document: dict[str, Any]) -> dict[str, str]:
    if not isinstance(names, list) or len(names) > _MOST_DIMENSIONS:
        raise BadFormat(f"a dimension set is an array of at most {_MOST_DIMENSIONS} names")
    for name in names:
        if not isinstance(document.get(name), str) or not document[name]:
            raise BadFormat(f"dimension {name!r} has no text value in the line")
    return {name: document[name] for name in names}


def _values(metric: Any, document: dict[str, Any]) -> list[float]:
    if not isinstance(metric, dict) or not isinstance(metric.get("Name"), str):
        raise BadFormat("a metric definition needs a Name")
    if metric.get("StorageResolution", 60) not in (1, 60):
        raise BadFormat(f"metric {metric['Name']!r}: StorageResolution is 1 or 60")
    given = document.get(metric["Name"])
    values = given if isinstance(given, list) else [] if given is None else [given]
    if len(values) > _MOST_VALUES:
        raise BadFormat(f"metric {metric['Name']!r} has {len(values)} values; at most {_MOST_VALUES}")
    if not all(isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values):
        raise BadFormat(f"metric {metric['Name']!r}: values are finite numbers")
    return [float(value) for value in values]


def _filtered(metric_filter: dict[str, Any], message: str, event: dict[str, Any]) -> None:
    if not filter_patterns.compile_pattern(metric_filter.get("filterPattern", ""))(message):
        return
    for change in metric_filter.get("metricTransformations") or []:
        value = filter_patterns.number(message, str(change["metricValue"]))
        if value is None:
            continue
        dimensions = _filter_dimensions(change.get("dimensions") or {}, message)
        stamp = float(event.get("timestamp") or time.time() * 1000) / 1000
        cloudwatch._store_datum(
            change["metricNamespace"], change["metricName"], dimensions, stamp, change.get("unit", "None"), value, None, None, None
        )


def _filter_dimensions(wanted: Any, message: str) -> dict[str, str]:
    pairs = wanted.items() if isinstance(wanted, dict) else ((each["Key"], each["Value"]) for each in wanted)
    try:
        document = json.loads(message)
    except ValueError:
        return {}
    return {name: str(filter_patterns.field(document, path)) for name, path in pairs}
