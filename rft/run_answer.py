"""Answering what a run waits for: until the answer is heard, or whoever gave it is told that it was not.

A task token is void once the function that left it has died: Step Functions may take an answer to it, and then have the question asked
again under another token. So an answer counts here when the state it was for ended with it, and not before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from contracts import names
from pipeline import proof, tokens

from rft.exits import Failure
from rft.run_view import RunReader

if TYPE_CHECKING:
    from rft.run_view import RunView
    from rft.target import Target

HEARD_SECONDS = 45.0
"""How long an answer may take to be heard. A question whose function died is mostly asked again within seconds."""

LOOK_SECONDS = 1.0

LATEST = 100
"""Events of a history among which a result that has just come is found."""


def answer(target: Target, run_id: str, *, approved: bool, reason: str) -> str:
    """Gives the answer a run waits for; returns what it was about: ``spend``, ``continue`` or ``release``.

    As long as the same question stands, whichever token it is asked under gets the answer. Another question is another entry into a state,
    and gets no answer that was given to the one before.

    Raises:
        Failure: when the run waits for no answer, or this one was not heard: somebody else was faster, the time was up, or the
            function that asked died and the run has not asked again yet.
    """
    reader = RunReader(target, run_id)
    asked = view = reader.look()
    if asked.waiting_for is None:
        stands = f"it is in state {view.state}" if view.running else f"it has ended: {(view.outcome or {}).get('code', view.status)}"
        raise Failure(f"run {run_id} waits for no approval; {stands}", hint=f"rft run show {run_id}")
    kind, deadline = asked.waiting_for, time.monotonic() + HEARD_SECONDS
    seen = False
    taken: list[Mapping[str, Any]] = []
    while _asks_still(view, asked):
        if token := (target.read_json(target.parts.runs_bucket, names.token_key(run_id, kind)) or {}).get("token"):
            seen, given = True, _signed(target, run_id, kind, approved=approved, reason=reason)
            if sent(target, token, given):
                taken.append(given)
        time.sleep(min(target.poll_seconds, LOOK_SECONDS))
        view = reader.look()
        if time.monotonic() > deadline and _asks_still(view, asked):
            raise _unheard(run_id, kind, seen=seen, taken=bool(taken), approved=approved)
    found = _ended_with(target, asked)
    if found not in taken:
        raise Failure(f"this answer about the {kind} was not heard: {_instead(found, view)}", hint=f"rft run show {run_id}")
    return kind


def _asks_still(view: RunView, asked: RunView) -> bool:
    """Whether the run waits in the same entry into the same state: an attempt made again is no new entry."""
    return view.running and (view.state, view.since) == (asked.state, asked.since)


def _signed(target: Target, run_id: str, kind: str, *, approved: bool, reason: str) -> dict[str, Any]:
    decision = "approve" if approved else "reject"
    return {
        "approved": approved,
        "by": target.caller,
        "reason": reason,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "proof": target.proof(proof.claim(environment=target.environment, run_id=run_id, kind=kind, decision=decision, reason=reason)),
    }


def was_heard(target: Target, execution_arn: str, output: Mapping[str, Any]) -> bool:
    """Whether one of the execution's latest tasks ended with this output."""
    history = target.states.get_execution_history(executionArn=execution_arn, reverseOrder=True, maxResults=LATEST)
    results = (event.get("taskSucceededEventDetails", {}).get("output") for event in history["events"])
    return any(json.loads(result) == output for result in results if result)


def sent(target: Target, token: str, given: Mapping[str, Any]) -> bool:
    """Gives a token its answer; False when nobody waits for it."""
    try:
        target.states.send_task_success(taskToken=token, output=json.dumps(given))
    except ClientError as error:
        if error.response["Error"].get("Code") in tokens.GONE:
            return False
        raise
    return True


def _ended_with(target: Target, asked: RunView) -> Any:
    """What the state that asked ended with, as its history tells; something else, or None, when it ended without an answer."""
    pages = target.states.get_paginator("get_execution_history").paginate(executionArn=asked.execution_arn, reverseOrder=True)
    first_since = None
    for event in (event for page in pages for event in page["events"]):
        if details := event.get("taskSucceededEventDetails"):
            first_since = details.get("output")
        entered = event.get("stateEnteredEventDetails")
        if entered and (entered["name"], event["timestamp"]) == (asked.state, asked.since):
            break
    return json.loads(first_since) if first_since else None


def _instead(found: Any, view: RunView) -> str:
    if isinstance(found, Mapping) and isinstance(found.get("approved"), bool):
        return f"{found.get('by') or 'somebody'} was faster and said {'yes' if found['approved'] else 'no'}"
    return f"the question ended without one; the run is in state {view.state}"


def _unheard(run_id: str, kind: str, *, seen: bool, taken: bool, approved: bool) -> Failure:
    again = f"rft run {'approve' if approved else 'reject'} {run_id}"
    if taken:
        what = f"the answer about the {kind} was taken and not heard: the function that asked died, and the run has not asked again yet"
        return Failure(what, hint=f"answer again in a minute: {again}")
    if seen:
        what = f"the answer about the {kind} was not taken: the token is void, and the run has not asked again under another"
        return Failure(what, hint=f"see whether it still waits, with rft run show {run_id}, and answer again: {again}")
    return Failure(
        f"run {run_id} waits for the {kind} approval, but its token is not there yet", hint=f"try again in a few seconds: {again}"
    )
