"""The symbolic grader beside its labelled cases (benchmarks/labelled/symbolic.py): time, bad references, options."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from contracts.errors import InvalidInput
from reward import bounded, grading
from reward.batches import BatchFailed
from reward.contract import Sample
from reward.graders import build, symbolic
from reward.score import FAULTS, Outcome

from benchmarks import labelled
from benchmarks.labelled import PATIENCE
from benchmarks.labelled.symbolic import boxed


@pytest.fixture(autouse=True, scope="module")
def closed() -> Iterator[None]:
    yield
    bounded.close()


def sample(ident: str, response: str, reference: str) -> dict[str, Any]:
    return {"id": ident, "messages": [{"role": "assistant", "content": response}], "metadata": {"reference_answer": reference}}


HOSTILE = [case for case in labelled.cases("symbolic") if not case.paid]


@pytest.mark.parametrize("case", HOSTILE, ids=[case.name for case in HOSTILE])
def test_no_wrong_or_hostile_answer_takes_long(case: labelled.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed: list[float] = []
    run = bounded.run

    def noting(function: Any, argument: Any, seconds: float) -> Any:
        allowed.append(seconds)
        return run(function, argument, seconds)

    monkeypatch.setattr(bounded, "run", noting)
    began = time.process_time()
    replace(case, options={**case.options, "seconds": 1.0}).score("symbolic")
    assert sum(allowed) <= 3, "for reading the reference, comparing and rounding"
    assert time.process_time() - began < 4, "what is done before and after runs in this process, by no bound"


@pytest.mark.parametrize(
    "gold", [None, "", " ", True, [], {}, float("nan"), r"\frac{1}{", "1 2 3", "42?", r"10^{10^{10}}", r"\frac{1}{0}", "#### "]
)
def test_a_reference_that_cannot_be_read_is_its_own_outcome_whatever_is_answered(gold: object) -> None:
    for answer in ("42", str(gold)):
        score = build("symbolic", PATIENCE["symbolic"])(Sample("s", boxed(answer), gold, [], {}))
        assert (score.value, score.outcome) == (0.0, Outcome.BAD_GOLD)


def test_a_comparison_that_takes_too_long_is_a_timeout_and_the_next_is_graded() -> None:
    hard = r"\int_0^1 \frac{\sin(x^7+\exp(x))}{\ln(x+\sqrt{x})} dx"
    outcome = build("symbolic", {"seconds": 1.0})(Sample("s", f"\\boxed{{{hard}}}", r"\pi", [], {})).outcome
    assert outcome is Outcome.TIMEOUT
    assert build("symbolic", {"seconds": 10.0})(Sample("s", r"\boxed{\frac{\pi}{1}}", r"\pi", [], {})).outcome is Outcome.CORRECT


HANGING = r"\int_0^{%d} \frac{\sin(x^7+\exp(x))}{\ln(x+\sqrt{x})} dx"


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed for the grader: an integral takes all it is given, anything else no time."""
    found, run = [0.0], bounded.run

    def timed(function: Any, argument: list[str], seconds: float) -> Any:
        if any(r"\int" in text for text in argument):
            found[0] += seconds
            raise bounded.TimedOut
        return run(function, argument, 60.0)

    monkeypatch.setattr(bounded, "run", timed)
    monkeypatch.setattr(symbolic, "monotonic", lambda: found[0])
    return found


def test_a_batch_of_hanging_answers_ends_within_its_budget_and_every_fault_is_counted(passed: list[float]) -> None:
    event = [sample(f"h-{number}", boxed(HANGING % (number + 2)), r"\pi") for number in range(64)]
    event += [sample("same", boxed(r"\pi"), r"\pi"), sample("bad", boxed("1"), "")]
    grade = build("symbolic", {"seconds": 0.5, "batch_seconds": 2.0})
    graded = grading.grade_all(event, grade)
    assert passed == [2.0]
    assert graded.outcomes == [Outcome.TIMEOUT] * 64 + [Outcome.CORRECT, Outcome.BAD_GOLD]
    assert graded.values == [0.0] * 64 + [1.0, 0.0]
    assert Outcome.TIMEOUT in FAULTS


def test_a_reference_the_budget_left_no_time_for_is_read_by_the_next_batch(passed: list[float]) -> None:
    grade = build("symbolic", {"seconds": 10.0, "batch_seconds": 1.0})
    late = [sample("h", boxed(HANGING % 2), r"\pi"), sample("late", boxed(r"\frac{2\sqrt{3}}{1}"), r"\sqrt{12}")]
    outcomes = [grading.grade_all(items, grade).outcomes for items in (late, late[1:])]
    assert outcomes == [[Outcome.TIMEOUT, Outcome.TIMEOUT], [Outcome.CORRECT]]
    assert passed == [1.0]


def test_a_reference_that_was_late_is_no_bad_one_and_the_next_batch_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    grade = build("symbolic", PATIENCE["symbolic"])
    items = [sample("a", boxed(r"\frac{7}{2}"), r"3\frac{1}{2}"), sample("b", boxed(r"\frac{14}{4}"), r"3\frac{1}{2}")]
    asked = []

    def late(*_: object) -> None:
        asked.append(1)
        raise bounded.TimedOut

    with monkeypatch.context() as busy:
        busy.setattr(bounded, "run", late)
        assert grading.grade_all(items, grade).outcomes == [Outcome.TIMEOUT] * 2
    assert len(asked) == 1
    assert grading.grade_all(items, grade).outcomes == [Outcome.CORRECT] * 2


def test_what_goes_wrong_on_one_answer_leaves_the_rest_and_a_missing_layer_fails_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    grade = build("symbolic", PATIENCE["symbolic"])
    items = [sample("a", boxed("x+1"), "1+x"), sample("b", boxed("42"), "42")]

    def fail(*_: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr(bounded, "run", fail)
    assert grading.grade_all(items, grade).outcomes == [Outcome.INTERNAL_ERROR, Outcome.CORRECT]

    def missing() -> None:
        raise InvalidInput("reward settings", ["its layer is not installed"])

    monkeypatch.setattr(symbolic, "_algebra", missing)
    with pytest.raises(BatchFailed, match="layer"):
        grading.grade_all(items, grade)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mode": "loose"}, "options.mode = 'loose': allowed is one of strict, lenient"),
        ({"seconds": 0}, "options.seconds = '0': allowed is a number from 0.1 to 10"),
        ({"seconds": True}, "options.seconds"),
        ({"seconds": "1"}, "options.seconds"),
        ({"batch_seconds": 0.5}, "options.batch_seconds = '0.5': allowed is a number from 1 to 840"),
        ({"batch_seconds": float("nan")}, "options.batch_seconds"),
        ({"depth": 3}, "options.depth is not an option"),
    ],
)
def test_wrong_options_are_refused_with_what_is_allowed(options: dict[str, object], expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        build("symbolic", options)
