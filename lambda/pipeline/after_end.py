"""What an execution leaves for its record and its notice when it did not come to its own last states, or these failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts.events import Outcome

from pipeline import aws, cut_short, pointer, stopping

PARTS = {"plan": "plan.json", "rehearsal": "rehearsal.json", "gate": "gate.json"}
"""What the state machine carries in its own variables, and the record that says the same."""

TOO_LATE = "the model was released; too late came"
"""Said before the reason an execution ended for once its release had moved the pointer."""

REASON_CHARACTERS = 900
OUTCOMES = frozenset(outcome.value for outcome in Outcome)


def execution_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The execution that has ended, as Step Functions describes it."""
    return aws.states().describe_execution(executionArn=event["execution_arn"])


def told(execution: Mapping[str, Any], released: Mapping[str, Any] | None) -> bool:
    """Whether the execution came to its own end and told of it, or tried to. A failure it told of is void once the model was released."""
    if execution["status"] == "FAILED":
        return execution.get("error") in OUTCOMES and not released
    return bool(execution["status"] == "SUCCEEDED")


def is_settled(execution: Mapping[str, Any]) -> bool:
    """Whether no function of it can be under way any more: what is aborted or runs out of time may leave one that still writes."""
    return execution["status"] in {"SUCCEEDED", "FAILED"}


def release_of(event: Mapping[str, Any], execution: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the run released, by the pointer and not by how the execution ended; waits for a Release that may be under way still."""
    run_id = str(event["run_id"])
    if not is_settled(execution):
        cut_short.await_release(event["execution_arn"], lambda: pointer.release_of(run_id) is not None)
    return pointer.release_of(run_id)


def as_recorded(
    event: Mapping[str, Any],
    execution: Mapping[str, Any],
    records: Mapping[str, bytes],
    *,
    released: Mapping[str, Any] | None,
    approvals: Mapping[str, Any],
) -> dict[str, Any]:
    """The event RecordLineage would have been given, from the execution, the records stored so far, and what the pointer says.

    Args:
        event: `{run_id, execution_arn}`.
        execution: what `execution_of` gave.
        records: content by file name.
        released: what `release_of` gave.
        approvals: what `cut_short.approvals` gave.
    """
    trend = _json(records.get("trend.json")) or {}
    output = _json(str(execution.get("output") or "").encode()) or {}
    cause = str(execution.get("cause") or execution.get("error") or "no cause was given")
    stop = stopping.from_cause(cause)
    carried = output.get("unrecorded") or _unrecorded(cause)
    decided = output.get("outcome") or _outcome(execution, cause)
    if released:
        carried = {**carried, "model_arn": released["model_arn"], "deployment_arn": released["deployment_arn"]}
        if decided["code"] != Outcome.RELEASED:
            decided = {**decided, "code": str(Outcome.RELEASED), "reason": f"{TOO_LATE}: {decided['reason']}"[:REASON_CHARACTERS]}
    return {
        "run_id": event["run_id"],
        "request": _without_proof(_json(execution.get("input", "").encode())),
        "outcome": decided,
        "stopped_by": stopping.who(str(event["run_id"]), stop) if stop else None,
        "approvals": approvals,
        "job_arn": (trend.get("job") or {}).get("arn"),
        "released": released,
        "execution_arn": event["execution_arn"],
        "started_at": execution["startDate"].isoformat(),
        **{part: _json(records.get(file)) for part, file in PARTS.items()},
        **carried,
    }


def _outcome(execution: Mapping[str, Any], cause: str) -> dict[str, str]:
    code = Outcome.TRAINING_STOPPED
    if execution["status"] == "FAILED":
        # An error that is no outcome is the state machine's own, such as an expression that cannot be evaluated.
        code = Outcome(execution["error"]) if execution.get("error") in OUTCOMES else Outcome.INTERNAL_ERROR
    reason = cause.partition("\n")[0][:REASON_CHARACTERS]
    return {"code": str(code), "reason": reason, "state": f"the execution is {execution['status']}"}


def _unrecorded(cause: str) -> Mapping[str, Any]:
    """What the state machine knew and could not have recorded: the second line of its cause."""
    found = _json(cause.partition("\n")[2].encode())
    unrecorded = found.get("unrecorded") if isinstance(found, Mapping) else None
    return unrecorded if isinstance(unrecorded, Mapping) else {}


def _without_proof(request: Any) -> Any:
    # Who asked was proven once, by PrepareRun, and stands in the plan.
    return {key: value for key, value in request.items() if key != "proof"} if isinstance(request, dict) else request


def _json(body: bytes | None) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
