"""The reward trend of a job that runs, from CloudWatch, where it is seen seconds after it was graded; its record follows at each look."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE
from contracts.trends import BY_PATH, TRAINING, VALIDATION
from pipeline import trend

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

FINE_FOR = timedelta(hours=3)
"""CloudWatch keeps data points of one second for three hours (user guide, cloudwatch_concepts)."""

_KEYS = ("reward", "graded")
_LINES = tuple(BY_PATH[f"{part}.{key}"] for part in (TRAINING, VALIDATION) for key in _KEYS)


def steps(client: CloudWatchClient, environment: str, run_id: str, since: datetime, until: datetime) -> list[trend.Step]:
    """What was graded in each period, in the shape of the steps of `trend.json`: mean and number of both splits. A data point that comes
    between two of the queries has only one of them yet, and is left to the next look.

    Raises:
        ClientError: what CloudWatch answers.
    """
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries(environment, run_id, period(since, until)),  # type: ignore[arg-type]
        StartTime=whole(since),
        EndTime=after(until),
    )
    found: defaultdict[datetime, defaultdict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for page in pages:
        for result in page["MetricDataResults"]:
            line = _LINES[int(result["Id"].removeprefix("line"))]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=False):
                found[moment][line.part][line.key] = round(value, 6) if line.key == "reward" else int(value)
    complete = {moment: {part: seen for part, seen in parts.items() if len(seen) == len(_KEYS)} for moment, parts in found.items()}
    moments = sorted(moment for moment, parts in complete.items() if parts)
    counted = [
        {"step": number, "since": number - 1, "began": moment.isoformat(), "at": moment.isoformat(), **complete[moment]}
        for number, moment in enumerate(moments, 1)
    ]
    return trend.thinned(counted)


def queries(environment: str, run_id: str, seconds: int) -> list[dict[str, Any]]:
    """MetricDataQueries of the lines, in periods of `seconds`."""
    dimensions = [{"Name": DIMENSION_ENVIRONMENT, "Value": environment}, {"Name": DIMENSION_RUN, "Value": run_id}]
    asked = []
    for number, line in enumerate(_LINES):
        assert line.metric is not None  # noqa: S101 - reward and number of a split have one
        metric = {"Namespace": NAMESPACE, "MetricName": line.metric.metric_name, "Dimensions": dimensions}
        asked.append({"Id": f"line{number}", "MetricStat": {"Metric": metric, "Period": seconds, "Stat": line.statistic}})
    return asked


def period(since: datetime, until: datetime) -> int:
    """Seconds of the finest period that still reaches back to `since`."""
    # Leaves a minute's margin: a query that reaches a second too far back would come back empty.
    return 1 if until - since < FINE_FOR - timedelta(minutes=1) else 60


def whole(moment: datetime) -> datetime:
    """The moment without its fraction of a minute, so that periods of a minute begin where CloudWatch's do."""
    return moment.replace(second=0, microsecond=0)


def after(moment: datetime) -> datetime:
    """A little later: a data point stamped in this very second must be inside the interval, whose end is exclusive."""
    return moment.replace(microsecond=0) + timedelta(seconds=61)
