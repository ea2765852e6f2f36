"""A batch of documented samples is graded at once; the verdicts are those of one sample after the other."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reward import contract, grading
from reward.contract import Sample
from reward.graders import build
from reward.score import ByOutcome, Component, Outcome, Score

PIECES = [
    "#### ",
    "####",
    "42",
    "41",
    "1,080",
    "042",
    " ",
    "\t",
    "\n",
    "\r",
    "$",
    "**",
    ".",
    " or 41",
    "-",
    "\u0664\u0662",
    "<think>",
    "</think>",
    "x" * 50,
    "9" * 41,
    "0",
]
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
references = st.sampled_from(["42", "#### 42", "work\n#### 1,080", "042", "-42", "none", "", "42.0", "\u0664\u0662"])


def item(number: int, response: Any, reference: Any) -> dict[str, Any]:
    metadata = {"reference_answer": reference}
    return {"id": f"s-{number}", "messages": [{"role": "assistant", "content": response}], "metadata": metadata}


def one_by_one(grade: Any) -> Any:
    return lambda sample: grade(sample)  # noqa: PLW0108 - without the attribute `by_outcome`


@pytest.mark.parametrize("mode", ["strict", "lenient"])
@given(batch=st.lists(st.tuples(texts, references), min_size=1, max_size=12))
def test_the_verdicts_of_a_batch_are_those_of_its_samples(mode: str, batch: list[tuple[str, str]]) -> None:
    grade = build("math", {"mode": mode})
    items = [item(number, *pair) for number, pair in enumerate(batch)]
    assert contract.columns(items) is not None
    together = grading.grade_all(items, grade)
    assert together.shared is not None
    assert together._replace(shared=None) == grading.grade_all(items, one_by_one(build("math", {"mode": mode})))


@pytest.mark.parametrize("mode", ["strict", "lenient"])
@given(text=texts, reference=references)
def test_the_short_way_to_a_verdict_ends_where_the_long_one_does(mode: str, text: str, reference: str) -> None:
    """A line that ends has the number of one that does not, and is never read the short way."""
    grade = build("math", {"mode": mode})
    assert grade(Sample("s", text, reference, [], {})) == grade(Sample("s", f"{text}\n", reference, [], {}))


@pytest.mark.parametrize(
    "odd",
    [
        item(1, "#### 42", 42),
        item(1, [{"text": "#### 42"}], "42"),
        item(1, None, "42"),
        item(7, "#### 42", "42") | {"id": 7},
        item(1, "#### 42", "42") | {"metadata": None},
        item(1, "#### 42" + " " * grading.MAX_RESPONSE, "42"),
        {"id": "s"},
        None,
    ],
    ids=range(8),
)
def test_one_sample_out_of_the_ordinary_leaves_its_neighbours_alone(odd: Any) -> None:
    grade = build("math")
    items = [item(0, "#### 42", "42"), odd, item(2, "#### 41", "42")]
    graded = grading.grade_all(items, grade)
    assert graded == grading.grade_all(items, one_by_one(grade))
    assert [graded.outcomes[0], graded.outcomes[2]] == [Outcome.CORRECT, Outcome.WRONG]


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan")])
def test_a_score_out_of_range_is_refused_for_a_batch_and_a_fault_for_a_sample(value: float) -> None:
    def grade(sample: Sample) -> Score:
        return Score(value if sample.response == "bad" else 1.0, Outcome.CORRECT)

    with pytest.raises(ValueError, match="from 0 to 1"):
        ByOutcome({Outcome.CORRECT: Score(value, Outcome.CORRECT)}, lambda *_: [])
    graded = grading.grade_all([item(0, "good", "42"), item(1, "bad", "42")], grade)
    assert graded.values == [1.0, 0.0]
    assert graded.outcomes == [Outcome.CORRECT, Outcome.INTERNAL_ERROR]
    assert len(graded.faults) == 1


def test_a_batch_that_fails_or_comes_up_short_is_graded_one_by_one() -> None:
    def grade(_: Sample) -> Score:
        return Score(1.0, Outcome.CORRECT)

    def fail(*_: object) -> list[Outcome]:
        raise KeyError("a")

    for outcomes in (fail, lambda *_: [], lambda *_: [Outcome.WRONG, Outcome.WRONG]):
        grade.by_outcome = ByOutcome({Outcome.CORRECT: Score(1.0, Outcome.CORRECT)}, outcomes)  # type: ignore[attr-defined]
        assert grading.grade_all([item(0, "a", "42"), item(1, "b", "42")], grade).values == [1.0, 1.0]


PART: dict[str, Any] = {"name": "part", "value": 1.0, "type": "Reward"}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        1.0,
        Score(True, Outcome.CORRECT),
        Score(Decimal(1), Outcome.CORRECT),  # type: ignore[arg-type]
        Score(10**400, Outcome.CORRECT),
        Score(1.0, "fine"),  # type: ignore[arg-type]
        Score(1.0, Outcome.CORRECT, None),  # type: ignore[arg-type]
        Score(1.0, Outcome.CORRECT, ("part",)),  # type: ignore[arg-type]
        *(
            Score(1.0, Outcome.CORRECT, (cast(Component, PART | change),))
            for change in ({"value": float("nan")}, {"value": 10**400}, {"value": Decimal(1)}, {"name": None}, {"type": "Part"})
        ),
        SystemExit(1),
    ],
    ids=repr,
)
def test_an_answer_of_a_grader_that_is_no_score_costs_its_own_sample_and_no_other(bad: Any) -> None:
    def grade(sample: Sample) -> Score:
        if sample.response == "bad":
            if isinstance(bad, BaseException):
                raise bad
            return bad  # type: ignore[no-any-return]
        return Score(1.0, Outcome.CORRECT)

    graded = grading.grade_all([item(0, "bad", "42"), item(1, "good", "42")], grade)
    assert graded.outcomes == [Outcome.INTERNAL_ERROR, Outcome.CORRECT]
    assert graded.values == [0.0, 1.0]
    assert len(graded.faults) == 1
    json.dumps(graded.results, allow_nan=False)
