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
from typing import Any

from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

MAX_VALUES = 100
"""Values of one metric in one record; longer arrays would be refused, so they go on in further records."""


def emit(values: Mapping[Metric, float | Sequence[float]], *, environment: str, run_id: str | None) -> None:
    """Prints the metrics of one moment.

    Args:
        values: one number, or every data point of a call. Empty arrays and non-finite numbers are left out: neither is valid EMF.
        environment: dev, stage or prod.
        run_id: the run the data points belong to; None leaves out the dimension set that holds it.
    """
    for record in records(values, environment=environment, run_id=run_id, now_ms=int(time.time() * 1000)):
        # One write per line: print() writes the text and the newline apart, and a log reader may cut between them.
        sys.stdout.write(json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def records(
    values: Mapping[Metric, float | Sequence[float]], *, environment: str, run_id: str | None, now_ms: int
) -> Iterator[dict[str, Any]]:
    """The EMF records `emit` prints: one, or as many as the longest array needs."""
    points = {metric: finite for metric, value in values.items() if (finite := _finite(value))}
    dimensions = [[DIMENSION_ENVIRONMENT]] + ([[DIMENSION_ENVIRONMENT, DIMENSION_RUN]] if run_id else [])
    for start in range(0, max((len(series) for series in points.values()), default=0), MAX_VALUES):
        part = {metric: series[start : start + MAX_VALUES] for metric, series in points.items() if len(series) > start}
        yield {
            "_aws": {
                "Timestamp": now_ms,
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": dimensions,
                        "Metrics": [
                            {"Name": metric.metric_name, "Unit": str(metric.value.unit), "StorageResolution": metric.value.resolution}
                            for metric in part
                        ],
                    }
                ],
            },
            DIMENSION_ENVIRONMENT: environment,
            **({DIMENSION_RUN: run_id} if run_id else {}),
            **{metric.metric_name: series[0] if len(series) == 1 else series for metric, series in part.items()},
        }


def _finite(value: float | Sequence[float]) -> list[float]:
    series = [value] if isinstance(value, int | float) else list(value)
    return [number for number in series if math.isfinite(number)]
