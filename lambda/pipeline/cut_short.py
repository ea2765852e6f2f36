"""What a run that was aborted, or ran out of time, leaves for its record: it never came to its own last states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.events import Outcome

from pipeline import aws, stopping

PARTS = {"plan": "plan.json", "rehearsal": "rehearsal.json", "gate": "gate.json"}
"""What the state machine carries in its own variables, and the record that says the same."""


def as_recorded(event: Mapping[str, Any], records: Mapping[str, bytes]) -> dict[str, Any]:
    """The event RecordLineage would have been given, from the execution and the records stored so far.

    Args:
        event: `{run_id, execution_arn}`.
        records: content by file name.
    """
    execution = aws.states().describe_execution(executionArn=event["execution_arn"])
    trend = _json(records.get("trend.json")) or {}
    why = str(execution.get("cause") or execution.get("error") or "no cause was given")
    stop = stopping.from_cause(why)
    stopped_by = stopping.who(str(event["run_id"]), stop) if stop else None
    return {
        "run_id": event["run_id"],
        "request": _without_proof(_json(execution.get("input", "").encode())),
        "outcome": {
            "code": str(Outcome.TRAINING_STOPPED),
            "reason": why.partition("\n")[0][:900],
            "state": f"the execution is {execution['status']}",
        },
        "stopped_by": stopped_by,
        "approvals": {"spend": None, "release": None},
        "job_arn": (trend.get("job") or {}).get("arn"),
        "execution_arn": event["execution_arn"],
        "started_at": execution["startDate"].isoformat(),
        **{part: _json(records.get(file)) for part, file in PARTS.items()},
    }


def _without_proof(request: Any) -> Any:
    # Who asked was proven once, by PrepareRun, and stands in the plan.
    return {key: value for key, value in request.items() if key != "proof"} if isinstance(request, dict) else request


def _json(body: bytes | None) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
