"""How long approvals have waited, read from histories of the local Step Functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts import names
from contracts.run import Plan
from pipeline import waiting

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(kind: str, state: str, *, minutes_ago: float) -> dict[str, Any]:
    return {"timestamp": NOW - timedelta(minutes=minutes_ago), f"state{kind}EventDetails": {"name": state}}


def hours(*newest_first: dict[str, Any]) -> float:
    return waiting._hours(newest_first, NOW)


def test_an_approval_waits_since_its_state_was_entered() -> None:
    scheduled = {"timestamp": NOW, "taskScheduledEventDetails": {}}
    assert hours(scheduled, event("Entered", "ApproveRelease", minutes_ago=90)) == 1.5


def test_other_states_and_an_approval_that_was_left_do_not_wait() -> None:
    assert hours(event("Entered", "AwaitJobChange", minutes_ago=90), event("Entered", "ApproveSpend", minutes_ago=99)) == 0
    assert hours(event("Exited", "ApproveSpend", minutes_ago=1), event("Entered", "ApproveSpend", minutes_ago=99)) == 0
    assert hours() == 0


@pytest.mark.cloud
def test_the_longest_of_the_running_executions_counts(house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting.longest(datetime.now(UTC)) == 0
    house.waiting_execution(a_plan.run_id)
    (state,) = {
        found["stateEnteredEventDetails"]["name"]
        for found in house.states.get_execution_history(executionArn=house.execution(a_plan.run_id)["executionArn"])["events"]
        if found["type"] == "TaskStateEntered"
    }
    monkeypatch.setattr(names, "APPROVAL_STATES", (state,))
    assert waiting.longest(datetime.now(UTC) + timedelta(hours=3)) == pytest.approx(3, abs=0.1)
    waits = house.execution(a_plan.run_id)
    assert waits["status"] == "RUNNING", waits
    house.states.stop_execution(executionArn=waits["executionArn"])
    assert waiting.longest(datetime.now(UTC) + timedelta(hours=3)) == 0
