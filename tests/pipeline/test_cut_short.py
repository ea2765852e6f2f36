"""An execution that is cut short in Release leaves the function running: nothing is decided before its time is up or the pointer moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.errors import TransientFault
from pipeline import aws, cut_short

ENDED = datetime(2026, 11, 26, 7, tzinfo=UTC)
BOUND = cut_short.RELEASE_SECONDS + cut_short.START_SECONDS


def event(kind: str, state: str = "", **more: Any) -> dict[str, Any]:
    details = {"Entered": "stateEnteredEventDetails", "Exited": "stateExitedEventDetails"}
    named = {field: {"name": state, **more} for end, field in details.items() if kind.endswith(end)}
    return {"type": kind, "timestamp": ENDED, **named}


ABORTED = event("ExecutionAborted")
IN_RELEASE = [
    ABORTED,
    event("TaskScheduled"),
    event("TaskFailed"),
    event("TaskScheduled"),
    event("TaskStateEntered", "Release"),
    event("ChoiceStateExited", "ReleaseNeedsApproval"),
]


class Time:
    """Step Functions' history, and a clock that moves only while somebody waits."""

    def __init__(self, history: Sequence[Sequence[dict[str, Any]]], began: datetime) -> None:
        self.histories, self.now, self.waited = list(history), began, 0.0

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        return {"events": self.histories.pop(0) if len(self.histories) > 1 else self.histories[0]}

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def arrange(*history: Sequence[dict[str, Any]], seconds_after: float = 0) -> Time:
        time = Time(history, ENDED + timedelta(seconds=seconds_after))
        monkeypatch.setattr(aws, "states", lambda: time)
        monkeypatch.setattr(cut_short, "time", time)
        monkeypatch.setattr(cut_short, "datetime", type("Now", (), {"now": staticmethod(lambda _zone: time.now)}))
        return time

    return arrange


def test_a_release_that_is_under_way_has_its_whole_time(at: Any) -> None:
    time = at(IN_RELEASE)
    cut_short.await_release("arn", lambda: False)
    assert time.waited == BOUND


def test_the_wait_ends_when_the_pointer_has_moved(at: Any) -> None:
    time = at(IN_RELEASE)
    cut_short.await_release("arn", lambda: time.waited >= 3)
    assert time.waited == 3


def test_what_is_tried_again_later_waits_no_more(at: Any) -> None:
    time = at(IN_RELEASE, seconds_after=BOUND)
    cut_short.await_release("arn", lambda: False)
    assert time.waited == 0


@pytest.mark.parametrize(
    "last",
    [
        [event("ChoiceStateEntered", "ReleaseNeedsApproval")],
        [event("TaskScheduled"), event("TaskStateEntered", "Gate")],
        [event("TaskStateExited", "Release"), event("TaskSucceeded"), event("TaskStateEntered", "Release")],
        [],
    ],
)
def test_an_end_outside_release_is_not_waited_for(at: Any, last: list[dict[str, Any]]) -> None:
    time = at([ABORTED, *last])
    cut_short.await_release("arn", lambda: pytest.fail("the pointer was looked at"))
    assert time.waited == 0


def test_what_is_written_after_the_end_does_not_count(at: Any) -> None:
    time = at([event("TaskStateExited", "Release"), event("TaskSucceeded"), *IN_RELEASE])
    cut_short.await_release("arn", lambda: False)
    assert time.waited == BOUND


def test_an_end_that_is_not_shown_yet_is_waited_for_and_asked_for_again(at: Any) -> None:
    time = at(IN_RELEASE[1:], IN_RELEASE)
    cut_short.await_release("arn", lambda: False)
    assert time.waited >= BOUND
    at(IN_RELEASE[1:])
    with pytest.raises(TransientFault, match="does not show the end"):
        cut_short.await_release("arn", lambda: False)


def test_who_answered_what_is_read_from_the_states_that_verified_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def verified(state: str, payload: Any) -> dict[str, Any]:
        return event("TaskStateExited", state, output=json.dumps({"Payload": payload, "StatusCode": 200}))

    pages = [
        {"events": [verified("VerifySpend", {"approved": True, "by": "ana"}), verified("Gate", {"passed": True})]},
        {
            "events": [
                verified("VerifyContinue", {"approved": True, "by": "ana"}),
                verified("VerifyContinue", {"approved": False, "by": "bo"}),
            ]
        },
    ]
    history = type("Pages", (), {"paginate": lambda *_, **__: pages})
    monkeypatch.setattr(aws, "states", lambda: type("States", (), {"get_paginator": lambda *_: history()}))
    found = cut_short.approvals("arn")
    assert found == {"spend": {"approved": True, "by": "ana"}, "continue": {"approved": False, "by": "bo"}, "release": None}
