"""What became of the release of an execution that was cut short: it may be under way still, and the pointer is what counts in the end.

StopExecution, or the execution's own timeout, ends the state machine at once and leaves the function that was called to run on. Its time is
bounded by Lambda; after that the pointer has moved or never will.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.errors import TransientFault

from pipeline import aws, tokens

RELEASE_STATE = "Release"
RELEASE_SECONDS = 60
"""Lambda's bound on one call of the function Release; the stack sets it from here."""

START_SECONDS = 15
"""Within which a function that was called before the end has started."""

LOOK_SECONDS, LOOKS = 1.0, 10
"""Between two looks at the pointer or the history, and how many there are for an end that is not shown yet."""

LATEST = 100
"""Events of a history that are looked at, the newest first: more than one state makes with all its attempts."""

APPROVAL_OF_STATE = {"VerifySpend": tokens.SPEND, "VerifyContinue": tokens.CONTINUE, "VerifyRelease": tokens.RELEASE}
"""The states whose result is who answered what."""


def await_release(execution_arn: str, moved: Callable[[], bool]) -> None:
    """Waits until `moved` says that the pointer has moved, or until no Release of the execution can be under way any more.

    Raises:
        TransientFault: when Step Functions does not show the execution's end yet.
    """
    until = _under_way_until(_ended(execution_arn))
    while until is not None and datetime.now(UTC) < until and not moved():
        time.sleep(LOOK_SECONDS)


def approvals(execution_arn: str) -> dict[str, Any]:
    """Who answered what, as the states that verify it gave it; None for what was not asked or not answered."""
    found: dict[str, Any] = dict.fromkeys(APPROVAL_OF_STATE.values())
    pages = aws.states().get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    for event in (event for page in pages for event in page["events"]):
        details = event.get("stateExitedEventDetails")
        if details and (kind := APPROVAL_OF_STATE.get(details["name"])):
            found[kind] = _payload(details.get("output"))
    return found


def _ended(execution_arn: str) -> list[Mapping[str, Any]]:
    """The events up to the end, the end first; an end that has just come may not be shown at once."""
    for _ in range(LOOKS):
        newest_first: list[Mapping[str, Any]] = list(
            aws.states().get_execution_history(
                executionArn=execution_arn, reverseOrder=True, maxResults=LATEST, includeExecutionData=False
            )["events"]
        )
        for at, event in enumerate(newest_first):
            if str(event["type"]).startswith("Execution") and event["type"] != "ExecutionStarted":
                return newest_first[at:]
        time.sleep(LOOK_SECONDS)
    raise TransientFault("the history does not show the end of the execution yet")


def _under_way_until(newest_first: Sequence[Mapping[str, Any]]) -> datetime | None:
    """Until when a call of Release may go on after the execution's end; None when the end came in another state."""
    ended = newest_first[0]["timestamp"]
    for event in newest_first[1:]:
        if "stateExitedEventDetails" in event:
            return None
        if "stateEnteredEventDetails" in event:
            began = event["stateEnteredEventDetails"]["name"] == RELEASE_STATE
            last: datetime = ended + timedelta(seconds=START_SECONDS + RELEASE_SECONDS)
            return last if began else None
    return None


def _payload(output: str | None) -> Any:
    try:
        result = json.loads(output or "null")
    except ValueError:
        return None
    return result.get("Payload") if isinstance(result, Mapping) else None
