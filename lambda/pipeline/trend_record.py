"""`trend.json`: the record of a job's trend, written at each look and gone on with at the next.

What has settled is taken from the record, and the grader's log is read from there on: a job of days is not read anew at each look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import names
from contracts.run import Plan

from pipeline import config, grader_log, job_output, store, trend
from pipeline.task import now
from pipeline.trend import Step

FILE = "trend.json"

SETTLES_IN = timedelta(minutes=2)
"""A line of a function's log can be read seconds after it was written; what is older than this is taken to be complete."""

_AFTER_THE_END = timedelta(minutes=1)


def steps(plan: Plan, job: Mapping[str, Any]) -> list[Step]:
    """The steps of a job so far, from its record and the grader's log."""
    kept = _kept(plan)
    began = datetime.fromisoformat(kept[-1]["at"]) + timedelta(milliseconds=1) if kept else job["creationTime"]
    until = (job.get("endTime") or datetime.now(UTC)) + _AFTER_THE_END
    records = grader_log.read(config.variable(names.ENV_REWARD_LOGS), plan.run_id, since=_milliseconds(began), until=_milliseconds(until))
    h = plan.hyperparameters
    return trend.thinned(trend.steps(kept, records, h.batch_size * h.training_sample_per_prompt))


def write(plan: Plan, job: Mapping[str, Any], found: Sequence[Step], *, with_output: bool, **told: Any) -> None:
    """Writes the record.

    Args:
        with_output: whether the job has ended, so that its own output is there to be merged.
        told: further entries, such as what the guard rails said.
    """
    tables, notes = _output(plan) if with_output else ({}, [])
    columns: dict[str, job_output.ByStep] = {}
    for name, table in tables.items():
        by_step, kept_apart = job_output.by_step(table)
        known = columns.setdefault(job_output.part_of(name), {})
        for step, values in by_step.items():
            known.setdefault(step, {}).update(values)
        notes += [f"{name}: {note}" for note in (*table.notes, *kept_apart)]
    store.write_json(
        *store.record(plan.run_id, FILE),
        {
            "run_id": plan.run_id,
            "updated_at": now(),
            "job": {
                "arn": job["jobArn"],
                "created_at": job["creationTime"].isoformat(),
                "ended_at": job["endTime"].isoformat() if job.get("endTime") else None,
                "status": told.pop("status"),
            },
            **told,
            "steps": trend.with_output(found, columns),
            "settled": trend.settled(found, datetime.now(UTC) - SETTLES_IN),
            "totals": trend.totals(found),
            "artifacts": {name: {"columns": table.columns, "rows": table.rows} for name, table in tables.items()},
            "notes": notes,
        },
    )


def _kept(plan: Plan) -> list[Step]:
    found = store.find_json(*store.record(plan.run_id, FILE))
    kept: list[Step] = found["steps"][: found["settled"]] if found else []
    return kept


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _output(plan: Plan) -> tuple[dict[str, job_output.Table], list[str]]:
    bucket, prefix = config.variable(names.ENV_RUNS_BUCKET), names.output_prefix(plan.run_id)
    # The folder's name under the prefix is documented in two ways, so files are found by suffix.
    found = {
        key.removeprefix(prefix): job_output.table(store.read_bytes(bucket, key))
        for key in store.keys(bucket, prefix)
        if key.endswith(".csv")
    }
    return found, [] if found else ["Bedrock left no CSV in the output prefix"]
