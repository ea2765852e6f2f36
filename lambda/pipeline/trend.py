"""The reward trend of a job: from CloudWatch while it runs, from Bedrock's CSV files when it ended. No AWS calls here."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
from contracts import names
from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, REWARD_BY_SPLIT, Metric

FINE_FOR = timedelta(hours=3)
"""CloudWatch keeps data points of one second for three hours (user guide, cloudwatch_concepts)."""

MAX_POINTS = 400
"""Points of a stored trend: more than a chart can show, small enough to be read in one go."""

MAX_ROWS = 5000
"""Rows kept of one CSV; a job has far fewer steps."""

_SPLITS = (names.SPLIT_TRAIN, names.SPLIT_VALIDATION)
Point = dict[str, Any]


def mean_id(split: str) -> str:
    """The id of the query for a split's mean reward."""
    return f"{split}_average"


def count_id(split: str) -> str:
    """The id of the query for a split's number of responses."""
    return f"{split}_samplecount"


def queries(environment: str, run_id: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """MetricDataQueries for mean and sample count of training and validation reward."""
    return [
        query(name, environment, run_id, metric=REWARD_BY_SPLIT[split], statistic=statistic, period=period(since, until))
        for split in _SPLITS
        for name, statistic in ((mean_id(split), "Average"), (count_id(split), "SampleCount"))
    ]


def query(name: str, environment: str, run_id: str, *, metric: Metric, statistic: str, period: int) -> dict[str, Any]:
    """One MetricDataQuery for a metric that is published per run; `period` in seconds."""
    dimensions = [{"Name": DIMENSION_ENVIRONMENT, "Value": environment}, {"Name": DIMENSION_RUN, "Value": run_id}]
    wanted = {"Namespace": NAMESPACE, "MetricName": metric.metric_name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": wanted, "Period": period, "Stat": statistic}}


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


def series(pages: Iterable[Mapping[str, Any]]) -> dict[str, list[Point]]:
    """`[{t, mean, samples}]` in order of time for each split, from the pages of GetMetricData."""
    values: dict[str, dict[datetime, float]] = defaultdict(dict)
    for page in pages:
        for result in page.get("MetricDataResults", []):
            values[result["Id"]].update(zip(result.get("Timestamps", []), result.get("Values", []), strict=False))
    return {
        split: [
            {"t": moment.isoformat(), "mean": round(mean, 6), "samples": int(values[count_id(split)].get(moment, 0))}
            for moment, mean in sorted(values[mean_id(split)].items())
        ]
        for split in _SPLITS
    }


def total(points: Sequence[Point]) -> dict[str, Any]:
    """Mean over all samples and their number; mean is None when there are none."""
    samples = sum(point["samples"] for point in points)
    mean = round(sum(point["mean"] * point["samples"] for point in points) / samples, 6) if samples else None
    return {"mean": mean, "samples": samples}


def thinned(points: Sequence[Point], most: int = MAX_POINTS) -> list[Point]:
    """At most `most` points; neighbours are joined to their mean weighted by samples."""
    size = math.ceil(len(points) / most) if points else 1
    if size == 1:
        return list(points)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [{"t": group[-1]["t"], **_joined(group)} for group in groups]


def _joined(group: Sequence[Point]) -> dict[str, Any]:
    joined = total(group)
    if joined["mean"] is None:
        joined["mean"] = round(sum(point["mean"] for point in group) / len(group), 6)
    return joined


@attrs.frozen
class Table:
    """A CSV as columns and rows; a number where the text is one."""

    columns: list[str]
    rows: list[dict[str, float | str | None]]
    notes: list[str]


def table(body: bytes) -> Table:
    """Reads a CSV of the job's artifacts.

    The columns of reinforcement fine-tuning are not documented: every column is kept. A row that is cut or too long is left out and
    noted; a file that is no text gives an empty table and a note. Raises nothing.
    """
    text = body.decode("utf-8-sig", errors="replace")
    notes = [] if "\ufffd" not in text and "\0" not in text else ["holds bytes that are not text"]
    columns: list[str] = []
    rows: list[dict[str, float | str | None]] = []
    skipped = 0
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""))
    try:
        columns = [column.strip() for column in next(reader, [])]
        for cells in reader:
            if len(cells) != len(columns) or len(rows) >= MAX_ROWS:
                skipped += bool(cells)
                continue
            rows.append({column: _value(cell) for column, cell in zip(columns, cells, strict=True)})
    except csv.Error:
        notes.append("is not a CSV from some line on")
    if skipped:
        notes.append(f"{skipped} rows were left out: cut, too long, or beyond {MAX_ROWS}")
    return Table(columns, rows, notes)


def _value(cell: str) -> float | str | None:
    text = cell.strip()
    try:
        number = float(text)
    except ValueError:
        return text[:100] or None
    return number if math.isfinite(number) else None
