"""The CSV files a job leaves in its output prefix, and their columns by training step. No AWS calls here.

Documented for fine-tuning in general are `step_number` (from 0), `epoch_number`, a loss and `perplexity` (Bedrock user guide,
model-customization-analyze); the columns of reinforcement fine-tuning are not, so that every column is taken as it comes.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import attrs
from contracts.trends import TRAINING, VALIDATION

MAX_ROWS = 5000
"""Rows kept of one CSV; a job has far fewer steps."""

MAX_STEP = 1_000_000
"""Above it a number names no step."""

_STEP_COLUMNS = ("step_number", "global_step", "training_step", "train_step", "step", "steps", "iteration", "iter")
_EPOCH_COLUMNS = frozenset({"epoch_number", "epoch", "epochs", "num_epochs"})

Row = dict[str, float | str | None]
ByStep = dict[int, dict[str, float]]


@attrs.frozen
class Table:
    """A CSV as columns and rows; a number where the text is one."""

    columns: list[str]
    rows: list[Row]
    notes: list[str]


def table(body: bytes) -> Table:
    """Reads a CSV of the job's artifacts.

    A row that is cut or too long is left out and noted; a file that is no text gives an empty table and a note. Raises nothing.
    """
    text = body.decode("utf-8-sig", errors="replace")
    notes = [] if "\ufffd" not in text and "\0" not in text else ["holds bytes that are not text"]
    columns: list[str] = []
    rows: list[Row] = []
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


def part_of(file: str) -> str:
    """The part of a step a file's columns belong to, by its path."""
    return VALIDATION if "validation" in file.lower() else TRAINING


def by_step(found: Table) -> tuple[ByStep, list[str]]:
    """The numbers of a table by training step from 1 on, and what kept rows from having one.

    A file that counts from 0 is moved up by one, as what was graded is counted from 1. Of a step in several rows the means are taken.
    """
    column = _step_column(found.columns)
    if column is None:
        return {}, ["has no column of the step, so its rows stand apart"] if found.rows else []
    numbered = [(_step(row[column]), row) for row in found.rows]
    lost = sum(step is None for step, _ in numbered)
    known = [(step, row) for step, row in numbered if step is not None]
    base = 1 if min((step for step, _ in known), default=1) == 0 else 0
    rows: defaultdict[int, list[Row]] = defaultdict(list)
    for step, row in known:
        rows[step + base].append(row)
    notes = [f"{lost} rows name no step and stand apart"] if lost else []
    if repeated := sum(len(same) > 1 for same in rows.values()):
        notes.append(f"{repeated} steps stand in several rows; their means are taken")
    left_out = {column, *(name for name in found.columns if _plain(name) in _EPOCH_COLUMNS)}
    merged = {step: _means(same, left_out) for step, same in sorted(rows.items())}
    return {step: values for step, values in merged.items() if values}, notes


def _step_column(columns: Sequence[str]) -> str | None:
    plain = {_plain(column): column for column in reversed(columns)}
    return next((plain[name] for name in _STEP_COLUMNS if name in plain), None)


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()).strip("_")


def _step(value: float | str | None) -> int | None:
    return int(value) if isinstance(value, float) and value.is_integer() and 0 <= value <= MAX_STEP else None


def _means(rows: Sequence[Mapping[str, float | str | None]], left_out: set[str]) -> dict[str, float]:
    values: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        for column, value in row.items():
            if isinstance(value, float) and column and column not in left_out:
                values[column].append(value)
    return {column: math.fsum(found) / len(found) for column, found in values.items()}


def _value(cell: str) -> float | str | None:
    text = cell.strip()
    try:
        number = float(text)
    except ValueError:
        return text[:100] or None
    return number if math.isfinite(number) else None
