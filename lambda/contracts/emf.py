"""Writes metrics as CloudWatch embedded metric format (EMF): one JSON line on standard output, no API call, no permission.

Format and limits: CloudWatch user guide, CloudWatch_Embedded_Metric_Format_Specification (100 metrics in a record,
100 values in an array, at most 1 MB).
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

MAX_VALUES = 100
"""Values of one metric in one record; longer arrays would be refused, so they go on in further records."""

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def emit(values: Mapping[Metric, float | Sequence[float]], *, environment: str, run_id: str | None) -> None:
    """Prints the metrics of one moment.

    Args:
        values: one number, or every data point of a call. Empty arrays and non-finite numbers are left out: neither is valid EMF.
        environment: dev, stage or prod.
        run_id: the run the data points belong to; None leaves out the dimension set that holds it.
    """
    for line in lines(values, environment=environment, run_id=run_id, now_ms=int(time.time() * 1000)):
        # One write per line: print() writes the text and the newline apart, and a log reader may cut between them.
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def lines(values: Mapping[Metric, float | Sequence[float]], *, environment: str, run_id: str | None, now_ms: int) -> Iterator[str]:
    """The EMF records `emit` prints, as JSON: one, or as many as the longest array needs."""
    points = {metric: series for metric, value in values.items() if (series := [value] if isinstance(value, (int, float)) else list(value))}
    try:
        yield from _lines(points, environment, run_id, now_ms)
    except ValueError:
        # Something was not finite, which the encoder refuses. It is rare, so it is looked for only then.
        finite = {metric: kept for metric, series in points.items() if (kept := [number for number in series if math.isfinite(number)])}
        yield from _lines(finite, environment, run_id, now_ms)


def _lines(points: Mapping[Metric, list[float]], environment: str, run_id: str | None, now_ms: int) -> list[str]:
    found = []
    dimensions = {DIMENSION_ENVIRONMENT: environment, DIMENSION_RUN: run_id} if run_id else {DIMENSION_ENVIRONMENT: environment}
    for start in range(0, max(map(len, points.values()), default=0), MAX_VALUES):
        part = {metric: series[start : start + MAX_VALUES] for metric, series in points.items() if len(series) > start}
        data = {metric.metric_name: series[0] if len(series) == 1 else series for metric, series in part.items()}
        head = f'{{"_aws":{{"Timestamp":{now_ms},"CloudWatchMetrics":{_directive(tuple(part), bool(run_id))}}},'
        found.append(head + _encode({**dimensions, **data})[1:])
    return found


@lru_cache(maxsize=512)
def _directive(metrics: tuple[Metric, ...], has_run: bool) -> str:
    # The same few sets of metrics come with every batch of a job, so what describes them is encoded once.
    return _encode(
        [
            {
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION_ENVIRONMENT]] + ([[DIMENSION_ENVIRONMENT, DIMENSION_RUN]] if has_run else []),
                "Metrics": [
                    {"Name": metric.metric_name, "Unit": str(metric.value.unit), "StorageResolution": metric.value.resolution}
                    for metric in metrics
                ],
            }
        ]
    )
