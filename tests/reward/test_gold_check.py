"""The gold check: a sound grader passes, and each way of being unsound is named without a word of the data."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from reward import gold, graders
from reward.contract import Sample
from reward.score import Component, Outcome, Score

SECRET = "violet-heron"
RIGHT, WRONG = Score(1.0, Outcome.CORRECT), Score(0.0, Outcome.WRONG)


def items(count: int = 4) -> list[dict[str, Any]]:
    """Elements of the grader event whose replies are right."""
    return [
        {
            "id": f"r{number}",
            "messages": [{"role": "user", "content": SECRET}, {"role": "assistant", "content": f"{SECRET}\n#### {number}"}],
            "metadata": {"reference_answer": f"#### {number}"},
        }
        for number in range(count)
    ]


def honest(sample: Sample) -> Score:
    return RIGHT if sample.response.endswith(str(sample.reference)) else WRONG


@pytest.mark.parametrize("name", ["math", "starting_point"])
def test_shipped_graders_pass(name: str) -> None:
    assert gold.problems(graders.build(name), items()) == []


def forgets(sample: Sample) -> Score:
    return WRONG if sample.id == "r2" else honest(sample)


def rolls(_sample: Sample) -> Score:
    return Score(random.random(), Outcome.CORRECT)


def raises_on_empty(sample: Sample) -> Score:
    return RIGHT if sample.response[0] else WRONG


def raises_always(sample: Sample) -> Score:
    raise KeyError(sample.response)


def out_of_range(_sample: Sample) -> Score:
    return Score(1.5, Outcome.CORRECT)


def not_a_number(_sample: Sample) -> Score:
    return Score(float("nan"), Outcome.CORRECT)


def a_float(_sample: Sample) -> Score:
    return cast(Score, 1.0)


def own_word(_sample: Sample) -> Score:
    return Score(1.0, cast(Outcome, "fine"))


def names_parts_by_sample(sample: Sample) -> Score:
    return Score(1.0, Outcome.CORRECT, (Component(name=f"part {sample.id}", value=1.0, type="Metric"),))


def prints(sample: Sample) -> Score:
    print(sample.response)
    return honest(sample)


def exits(_sample: Sample) -> Score:
    sys.exit(1)


def slow_pattern(sample: Sample) -> Score:
    return RIGHT if re.fullmatch(r"(a+)+b?", sample.response) or honest(sample) == RIGHT else WRONG


@pytest.mark.parametrize(
    ("grade", "check", "where", "says"),
    [
        (forgets, gold.GOLD, "r2", "scores 0.00 (wrong); allowed is 1.0"),
        (rolls, gold.STEADY, "r0", "allowed is the same"),
        (raises_on_empty, gold.HARD, "empty", "raises IndexError at test_gold_check.py:"),
        (raises_always, gold.SOUND, "r0", "raises KeyError at test_gold_check.py:"),
        (out_of_range, gold.SOUND, "r0", "gives the score 1.5"),
        (not_a_number, gold.SOUND, "r0", "gives the score nan"),
        (a_float, gold.SOUND, "r0", "gives float; allowed is reward.score.Score"),
        (prints, gold.SOUND, "r0", "prints"),
        (exits, gold.SOUND, "r0", "raises SystemExit"),
        (own_word, gold.SOUND, "r0", "gives the outcome str"),
        (names_parts_by_sample, gold.SOUND, "r1", "another record has part r0"),
    ],
)
def test_an_unsound_grader_is_told_what_is_wrong(grade: Callable[[Sample], Score], check: str, where: str, says: str) -> None:
    found = gold.problems(grade, items())
    assert any(problem.check == check and problem.where == where and says in problem.says for problem in found), found
    assert SECRET not in gold.told(found)


def test_a_grader_that_depends_on_the_order_of_samples_is_found() -> None:
    seen: list[str] = []

    def grade(sample: Sample) -> Score:
        seen.append(sample.id)
        return RIGHT if len(seen) <= 4 else Score(0.5, Outcome.WRONG)

    assert {problem.check for problem in gold.problems(grade, items(), hostile=False)} == {gold.STEADY}


def test_a_pattern_that_would_run_for_ever_is_ended_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold, "SECONDS", 0.2)
    found = gold.problems(slow_pattern, items(1))
    assert ("a huge word and its end", gold.HARD) in {(problem.where, problem.check) for problem in found}
    assert all("0.2 s" in problem.says for problem in found if problem.where == "a huge word and its end")


def test_a_time_limit_is_not_caught_by_a_grader_that_catches_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold, "SECONDS", 2.0)

    def grade(sample: Sample) -> Score:
        try:
            time.sleep(60 if not sample.response else 0)
        except Exception:
            return RIGHT
        return honest(sample)

    assert [problem.where for problem in gold.problems(grade, items(1))] == ["empty"]


def test_without_samples_there_is_no_pass() -> None:
    with pytest.raises(ValueError, match="nothing to check"):
        gold.problems(honest, [])


def test_many_problems_are_told_in_part() -> None:
    assert gold.told(gold.problems(raises_always, items(30), hostile=False)).endswith("and 10 more")
