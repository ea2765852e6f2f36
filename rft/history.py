"""Where a run is, read from its execution history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from rft.phases import PHASE_OF_STATE, PHASES, Mark, Phase

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@attrs.frozen(kw_only=True)
class Entered:
    """One entry into a state."""

    state: str
    at: datetime


@attrs.frozen(kw_only=True)
class Step:
    """A phase as this run went through it.

    Attributes:
        began, ended: None when it has not.
    """

    phase: Phase
    mark: Mark
    began: datetime | None = None
    ended: datetime | None = None

    def seconds(self, now: datetime) -> float | None:
        """How long it took, or has taken so far."""
        return None if self.began is None else max(0.0, ((self.ended or now) - self.began).total_seconds())


class History:
    """An execution's history that is read on from where it was read last: a run of a day has thousands of events."""

    def __init__(self, client: SFNClient, execution_arn: str) -> None:
        self._client, self._arn = client, execution_arn
        self._last_id = 0
        self.entries: list[Entered] = []

    def read_on(self) -> None:
        """Takes in what has happened since the last call."""
        fresh: list[Any] = []
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=self._arn, reverseOrder=True, includeExecutionData=False, PaginationConfig={"PageSize": 200}
        )
        for page in pages:
            fresh += [event for event in page["events"] if event["id"] > self._last_id]
            if not page["events"] or page["events"][-1]["id"] <= self._last_id + 1:
                break
        self._last_id = max([self._last_id, *(event["id"] for event in fresh)])
        for event in reversed(fresh):
            details = event.get("stateEnteredEventDetails")
            if details and details["name"] in PHASE_OF_STATE:
                self.entries.append(Entered(state=details["name"], at=event["timestamp"]))


def steps(entries: Sequence[Entered], *, ended_at: datetime | None, failed_state: str | None) -> list[Step]:
    """Every phase with its mark and times.

    Args:
        entries: states in the order entered.
        ended_at: when the execution ended; None while it runs.
        failed_state: the state that decided against the run, if one did.
    """
    spans = _spans(entries, ended_at)
    current = PHASE_OF_STATE[entries[-1].state] if entries and ended_at is None else None
    failed = PHASE_OF_STATE.get(failed_state or "")
    result: list[Step] = []
    for phase in PHASES:
        span = spans.get(phase.key)
        if span is None:
            result.append(Step(phase=phase, mark=Mark.SKIPPED if ended_at is not None else Mark.PENDING))
            continue
        began, finished = span
        result.append(Step(phase=phase, mark=_mark(phase, entries, current, failed), began=began, ended=finished))
    return result


def _mark(phase: Phase, entries: Sequence[Entered], current: Phase | None, failed: Phase | None) -> Mark:
    if phase == failed:
        return Mark.FAILED
    if phase == current:
        return Mark.WAITING if entries[-1].state == phase.asks else Mark.CURRENT
    visited = {entry.state for entry in entries if entry.state in phase.states}
    return Mark.SKIPPED if phase.optional and visited <= set(phase.optional) else Mark.DONE


def _spans(entries: Sequence[Entered], ended_at: datetime | None) -> dict[str, tuple[datetime, datetime | None]]:
    """First entry into each phase, and when the run left it for the last time."""
    spans: dict[str, tuple[datetime, datetime | None]] = {}
    for position, entry in enumerate(entries):
        phase = PHASE_OF_STATE[entry.state]
        left = entries[position + 1].at if position + 1 < len(entries) else ended_at
        began = spans[phase.key][0] if phase.key in spans else entry.at
        spans[phase.key] = (began, left)
    return spans
