"""The time bound of user patterns, in the main thread and outside it; and composites that hold a judge."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from reward import grading
from reward.batches import BatchFailed
from reward.contract import Sample
from reward.graders import build, composite, limits
from reward.score import Outcome, Score

BOUND = 0.2
ENDLESS = {"criteria": [{"kind": "must_match", "pattern": "^(a|a)+$"}], "seconds": BOUND}
PATIENT = {**ENDLESS, "seconds": 10}
"""For what has an end, on a busy machine as well."""

SLOW = Sample("s", "a" * 60 + "b", None, [], {})
QUICK = Sample("s", "aaa", None, [], {})


def test_a_pattern_without_end_is_stopped_in_time_and_the_next_sample_is_graded() -> None:
    score = build("format", ENDLESS)(SLOW)
    assert (score.value, score.outcome) == (0.0, Outcome.TIMEOUT)
    assert build("format", PATIENT)(QUICK).outcome is Outcome.CORRECT


def test_work_that_catches_the_interruption_is_late_all_the_same() -> None:
    def stubborn(_sample: Sample) -> Score:
        with suppress(BaseException):  # as a bare `except` in a user's grader does
            time.sleep(5)
        return Score(1.0, Outcome.CORRECT)

    grade = limits.limited(stubborn, name="mine", options={}, seconds=0.05, components=())
    assert grade(QUICK) == Score(0.0, Outcome.TIMEOUT)


def test_the_bound_holds_in_another_thread() -> None:
    scores: list[Score] = []

    def work() -> None:
        patient = build("format", PATIENT)
        scores.append(patient(QUICK))  # starts the worker
        scores.append(build("format", ENDLESS)(SLOW))
        scores.append(patient(QUICK))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert [score.outcome for score in scores] == [Outcome.CORRECT, Outcome.TIMEOUT, Outcome.CORRECT]
    assert scores[0] == build("format", PATIENT)(QUICK)


def test_a_timer_and_a_handler_that_were_there_before_are_there_after() -> None:
    fired: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _frame: fired.append(number))
    try:
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 600)
        build("format", ENDLESS)(SLOW)
        left = signal.getitimer(signal.ITIMER_REAL)[0]
        assert began + 600 - time.monotonic() - 0.01 <= left <= 600 - BOUND + 0.01
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        score = build("format", ENDLESS)(SLOW)
        time.sleep(0.01)
        assert score.outcome is Outcome.TIMEOUT
        assert fired == [signal.SIGALRM], "a bound set outside that is nearer must still end what it bounds"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_no_timer_is_left_running() -> None:
    build("format", ENDLESS)(QUICK)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


class Panel:
    """A grader that grades a whole batch in one call, as a judge does."""

    identity = "panel-1"

    def __init__(self, verdicts: dict[str, Score]) -> None:
        self.verdicts = verdicts
        self.asked: list[list[str]] = []

    def __call__(self, sample: Sample) -> Score:
        return self.batch([sample])[0]

    def batch(self, samples: Sequence[Sample]) -> list[Score]:
        self.asked.append([sample.id for sample in samples])
        if any(sample.id == "down" for sample in samples):
            raise BatchFailed("the judge cannot be reached")
        return [self.verdicts[sample.id] for sample in samples]

    def usage(self) -> dict[str, Any]:
        return {"calls": len(self.asked), "tokens": [1, 2]}


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Panel:
    """A batch grader that composite settings can name as `panel`."""
    found = Panel({"a": Score(1.0, Outcome.CORRECT), "b": Score(0.5, Outcome.WRONG), "c": Score(0.0, Outcome.JUDGE_ERROR)})
    monkeypatch.setattr(composite, "build", lambda name, options: found if name == "panel" else build(name, options))
    return found


def samples(*ids: str, response: str = "so\n#### 42") -> list[Sample]:
    return [Sample(ident, response, "42", [], {}) for ident in ids]


def judged(**gate: Any) -> Any:
    return composite.grader(parts=[{"name": "right", "grader": "math", "weight": 0.5, **gate}, {"grader": "panel", "weight": 0.5}])


def test_a_composite_with_a_judge_asks_it_once_for_the_whole_batch(panel: Panel) -> None:
    grade = judged()
    scores = grade.batch(samples("a", "b", "c"))
    assert panel.asked == [["a", "b", "c"]]
    assert [score.value for score in scores] == [1.0, 0.75, 0.0]
    assert [score.outcome for score in scores] == [Outcome.CORRECT, Outcome.WRONG, Outcome.JUDGE_ERROR]
    assert scores[:2] == [grade(sample) for sample in samples("a", "b")]


def test_a_judge_behind_a_closed_gate_is_not_asked(panel: Panel) -> None:
    grade = judged(gate=1.0)
    scores = grade.batch([*samples("a", response="#### 41"), *samples("b")])
    assert panel.asked == [["b"]]
    assert [score.value for score in scores] == [0.0, 0.75]
    assert [part["name"] for part in scores[0].components] == [part["name"] for part in scores[1].components] == ["right", "panel"]


def test_a_judge_that_fails_the_call_fails_it_through_the_composite(panel: Panel) -> None:
    with pytest.raises(BatchFailed):
        judged().batch(samples("a", "down"))


def test_what_a_judge_spends_and_is_shows_through_the_composite(panel: Panel) -> None:
    grade = judged()
    grade.batch(samples("a"))
    assert grade.usage() == {"calls": 1, "tokens": [1, 2]}
    first = grade.identity
    assert first == judged().identity != judged(gate=1.0).identity
    panel.identity = "panel-2"
    assert grade.identity != first


def test_a_part_that_raises_costs_its_own_sample_only(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(sample: Sample) -> Score:
        if sample.id == "b":
            raise ZeroDivisionError
        return Score(1.0, Outcome.CORRECT)

    monkeypatch.setattr(composite, "build", lambda name, _options: panel if name == "panel" else fails)
    scored, raised = judged().batch(samples("a", "b"))
    assert scored.outcome is Outcome.CORRECT
    assert isinstance(raised, ZeroDivisionError)


def test_the_place_of_a_parts_fault_is_kept_through_nested_composites_and_never_its_words(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(sample: Sample) -> Score:
        raise KeyError(sample.response)

    inner = composite.grader(parts=[{"name": "own", "grader": "panel", "gate": 0.5}, {"grader": "math", "weight": 1}])
    monkeypatch.setattr(composite, "build", lambda name, _options: {"inner": inner, "fails": fails}[name])
    grade = composite.grader(parts=[{"grader": "inner", "weight": 0.5}, {"name": "broken", "grader": "fails", "weight": 0.5}])
    items = [
        {"id": ident, "messages": [{"role": "assistant", "content": "a word\n#### 42"}], "metadata": {"reference_answer": "42"}}
        for ident in ("a", "c")
    ]
    found = grading.grade_all(items, grade)
    assert found.outcomes == [Outcome.INTERNAL_ERROR, Outcome.JUDGE_ERROR]
    assert len(found.faults) == 1
    assert re.fullmatch(r"KeyError at test_grader_limits\.py:\d+", found.faults[0])


def test_a_composite_without_a_judge_has_no_batch_of_its_own() -> None:
    grade = build("composite", {"parts": [{"grader": "math", "weight": 1}]})
    assert not hasattr(grade, "batch") and not hasattr(grade, "usage")
