"""Given judges with known habits, then the consistency check finds them."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from reward.judging.asking import Unreachable
from reward.judging.consistency import Pair, repeat, swap

from tests.reward.judge_fakes import FakeConverse, error, judge, levels, said, sample, used

SAMPLES = [sample(f"answer {n}", ident=str(n)) for n in range(8)]
PAIRS = [Pair(each, "another answer, which is longer") for each in SAMPLES]


def message(request: dict[str, Any]) -> str:
    text: str = request["messages"][0]["content"][0]["text"]
    return text


def chosen(pick: Callable[[str], str]) -> FakeConverse:
    return FakeConverse(lambda request: used({"choice": pick(message(request))}, name="record_choice"))


def test_a_steady_judge_agrees_with_itself() -> None:
    found = repeat(judge(FakeConverse(lambda _: used(levels(4)))), SAMPLES)
    assert (found.samples, found.unanswered, found.same, found.difference) == (8, 0, 1.0, 0.0)


def test_a_judge_that_changes_its_mind_is_found_out_by_how_much() -> None:
    lock, counter = threading.Lock(), itertools.count()

    def reply(_: dict[str, Any]) -> dict[str, Any]:
        with lock:
            return used(levels(2 if next(counter) % 2 else 4))

    found = repeat(judge(FakeConverse(reply), concurrency=1), SAMPLES)
    assert found.same == 0.0
    assert found.difference == pytest.approx(0.5)


def test_the_same_sample_is_really_asked_twice() -> None:
    fake = FakeConverse(lambda _: used(levels(4)))
    repeat(judge(fake), SAMPLES)
    assert len(fake.asked) == 2 * len(SAMPLES)


def test_what_the_judge_does_not_answer_is_counted_and_not_averaged() -> None:
    fake = FakeConverse(lambda request: used({}) if "answer 3" in message(request) else used(levels(5)))
    found = repeat(judge(fake, attempts=1), SAMPLES)
    assert (found.samples, found.unanswered, found.same) == (7, 1, 1.0)
    none = repeat(judge(FakeConverse(lambda _: used({})), attempts=1), SAMPLES)
    assert (none.samples, none.unanswered, none.same, none.difference) == (0, 8, None, None)


def test_a_judge_that_looks_at_the_text_is_consistent_in_both_orders() -> None:
    def longer(text: str) -> str:
        return "first" if text.index("another answer") < text.index("[[[BEGIN SECOND") else "second"

    found = swap(judge(chosen(longer)), PAIRS)
    assert (found.pairs, found.consistent, found.first_favoured, found.second_favoured) == (8, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("habit", "first", "second"), [("first", 1.0, 0.0), ("second", 0.0, 1.0)])
def test_a_judge_that_favours_a_place_is_found_out(habit: str, first: float, second: float) -> None:
    found = swap(judge(chosen(lambda _: habit)), PAIRS)
    assert (found.consistent, found.first_favoured, found.second_favoured) == (0.0, first, second)


def test_a_judge_that_sees_no_difference_is_consistent() -> None:
    assert swap(judge(chosen(lambda _: "tie")), PAIRS).consistent == 1.0


@pytest.mark.parametrize("content", [{"choice": "both"}, {"choice": "first", "sure": True}, {}, {"choice": 1}])
def test_what_is_no_choice_counts_as_unanswered(content: dict[str, Any]) -> None:
    found = swap(judge(FakeConverse(lambda _: used(content, name="record_choice")), attempts=1), PAIRS)
    assert (found.pairs, found.unanswered, found.consistent) == (0, 8, None)


def test_a_judge_without_forced_tools_chooses_in_json() -> None:
    fake = FakeConverse(lambda _: said(json.dumps({"choice": "tie"})))
    assert swap(judge(fake, answer_by="text"), PAIRS).consistent == 1.0


@pytest.mark.parametrize("check", [lambda made: repeat(made, SAMPLES), lambda made: swap(made, PAIRS)], ids=["repeat", "swap"])
def test_a_judge_that_cannot_be_called_is_an_error_and_no_result(check: Callable[[Any], Any]) -> None:
    with pytest.raises(Unreachable, match="AccessDenied"):
        check(judge(FakeConverse(lambda _: error("AccessDeniedException", 403))))
