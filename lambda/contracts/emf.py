"""Writes metrics as CloudWatch embedded metric format (EMF): one JSON line on standard output, no API call, no permission.

Format and limits: CloudWatch user guide, CloudWatch_Embedded_Metric_Format_Specification (100 metrics in a record,
100 values in an array, at most 1 MB).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite

from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

Values = Mapping[Metric, float | Sequence[float]]
"""One number, or every data point of a call, by metric."""

NOTED_SPLIT, NOTED_COMPONENTS = "Split", "Components"
"""Members of a grader's record that are no metric: its split, and sum and number of each component of the scores, by name."""

MAX_VALUES = 100
"""Values of one metric in one record; longer arrays would be refused, so they go on in further records."""

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class _Written(dict[float, str]):
    """Numbers of one type as JSON, each written once: scores and lengths have few values."""

    def __missing__(self, number: float) -> str:
        if not isfinite(number):
            raise ValueError("a value is not finite")
        text = _encode(number)
        if len(self) < _MOST_WRITTEN:
            self[number] = text
        return text


_MOST_WRITTEN = 4096
# Apart, because 1 and 1.0 are one key.
_written = {int: _Written().__getitem__, float: _Written().__getitem__}


def emit(values: Values, *, environment: str, run_id: str | None, noted: str = "") -> None:
    """Prints the metrics of one moment.

    Args:
        values: one number, or every data point of a call. Empty arrays and non-finite numbers are left out: neither is valid EMF.
        environment: dev, stage or prod.
        run_id: the run the data points belong to, in every record's text; a dimension of those metrics that are published per run.
        noted: further members of the first record as JSON text, each after a comma: kept in the log and published as no metric, so free.
    """
    for line in lines(values, environment=environment, run_id=run_id, now_ms=int(time.time() * 1000), noted=noted):
        # One write per line: print() writes the text and the newline apart, and a log reader may cut between them.
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def lines(values: Values, *, environment: str, run_id: str | None, now_ms: int, noted: str = "") -> list[str]:
    """The EMF records `emit` prints, as JSON: one, or as many as the longest array needs."""
    try:
        found = [_line(part, environment, run_id, now_ms) for part in _parts(values)]
    except ValueError:
        # Something was not finite, which JSON has no word for. It is rare, so it is looked for only then.
        found = [_line(_finite(part), environment, run_id, now_ms) for part in _parts(values)]
    found = [line for line in found if line]
    if noted and found:
        found[0] = f"{found[0][:-1]}{noted}}}"
    return found


def _parts(values: Values) -> list[Values]:
    """What each record holds: all of it, or the next `MAX_VALUES` of every array that goes on."""
    longest = max([len(value) for value in values.values() if not isinstance(value, (int, float))], default=1)
    if longest <= MAX_VALUES:
        return [values]
    return [
        {metric: _series(value)[start : start + MAX_VALUES] for metric, value in values.items()} for start in range(0, longest, MAX_VALUES)
    ]


def _finite(values: Values) -> Values:
    return {metric: [number for number in _series(value) if isfinite(number)] for metric, value in values.items()}


def _series(value: float | Sequence[float]) -> Sequence[float]:
    return [value] if isinstance(value, (int, float)) else value


def _line(values: Values, environment: str, run_id: str | None, now_ms: int) -> str:
    """One record; empty if nothing is in it.

    Raises:
        ValueError: if a value is not finite.
    """
    if not values:
        return ""
    texts = [_text(value) for value in values.values()]
    if "" in texts:
        kept = {metric: value for metric, value in values.items() if isinstance(value, (int, float)) or value}
        return _line(kept, environment, run_id, now_ms)
    line = [*_form(tuple(values), environment, run_id)]
    line[1::2] = [str(now_ms), *texts]
    return "".join(line)


def _text(value: float | Sequence[float]) -> str:
    """A number or a series as JSON; empty for an empty series.

    Raises:
        ValueError: if one is not finite.
    """
    if isinstance(value, (int, float)):
        # Python writes an integer and a finite float as JSON does.
        return repr(value) if type(value) is int or (type(value) is float and isfinite(value)) else _encode(value)
    if len(value) < 2:
        return _text(value[0]) if value else ""
    written = _written.get(type(value[0]))
    return _encode(list(value)) if written is None else f"[{','.join(map(written, value))}]"


@lru_cache(maxsize=512)
def _form(metrics: tuple[Metric, ...], environment: str, run_id: str | None) -> tuple[str, ...]:
    """A record without its time and values: its text before, between and behind them, an empty string in the place of each. The same
    few come with every batch of a job."""
    definitions: dict[tuple[tuple[str, ...], ...], list[dict[str, object]]] = {}
    for metric in metrics:
        known = metric.value
        sets = metric.dimension_sets if run_id else metric.dimension_sets[:1]
        definition = {"Name": known.name, "Unit": str(known.unit), "StorageResolution": known.resolution}
        definitions.setdefault(sets, []).append(definition)
    directives = _encode([{"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": same} for sets, same in definitions.items()])
    dimensions = {DIMENSION_ENVIRONMENT: environment, DIMENSION_RUN: run_id} if run_id else {DIMENSION_ENVIRONMENT: environment}
    between = [f",{_encode(metric.metric_name)}:" for metric in metrics]
    between[0] = f',"CloudWatchMetrics":{directives}}},{_encode(dimensions)[1:-1]}{between[0]}'
    return ('{"_aws":{"Timestamp":', *[part for text in between for part in ("", text)], "", "}")
