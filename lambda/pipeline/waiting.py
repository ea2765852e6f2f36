"""How long approvals have been waiting, by Step Functions' own history: the token's object is not read, and no clock is kept beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from contracts import names

from pipeline import aws, config

LATEST = 20
"""Events of a history that are looked at, the newest first: those of one state, its retries included."""


def longest(now: datetime) -> float:
    """Hours the longest of this environment's approvals has waited; 0 when none waits."""
    return max((_hours(events, now) for events in _running()), default=0.0)


def _running() -> Iterable[list[Mapping[str, Any]]]:
    pages = aws.states().get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=config.variable(names.ENV_STATE_MACHINE), statusFilter="RUNNING"):
        for execution in page["executions"]:
            history = aws.states().get_execution_history(
                executionArn=execution["executionArn"], reverseOrder=True, maxResults=LATEST, includeExecutionData=False
            )
            yield list(history["events"])


def _hours(newest_first: Iterable[Mapping[str, Any]], now: datetime) -> float:
    for event in newest_first:
        if "stateExitedEventDetails" in event:
            return 0.0
        if "stateEnteredEventDetails" in event:
            waits = event["stateEnteredEventDetails"]["name"] in names.APPROVAL_STATES
            return (now - event["timestamp"]).total_seconds() / 3600 if waits else 0.0
    return 0.0
