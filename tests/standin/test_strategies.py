"""Given a record's reference answer, then each strategy writes what its name says."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local.bedrock.strategies import ALL, SLIP, Reference, Strategy, read_reference, respond

WORKED = "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nShe sold 48+24 = <<48+24=72>>72 clips altogether.\n#### 72"


@pytest.fixture(autouse=True)
def no_slips(monkeypatch: pytest.MonkeyPatch) -> None:
    for bucket in SLIP:
        monkeypatch.setitem(SLIP, bucket, 0.0)


@pytest.mark.parametrize(
    ("reference", "answer", "value", "steps"),
    [
        (WORKED, "72", Decimal(72), 2),
        ("72", "72", Decimal(72), 1),
        ("work\n#### 1,080", "1,080", Decimal(1080), 1),
        ("-5", "-5", Decimal(-5), 1),
        ("$3.50", "$3.50", Decimal("3.50"), 1),
        ({"answer": "12"}, "12", Decimal(12), 1),
        ({"text": WORKED}, "72", Decimal(72), 2),
        ({"answer": {"value": 12.5}}, "12.5", Decimal("12.5"), 1),
        ("blue", "blue", None, 1),
        (None, "", None, 1),
        ("", "", None, 1),
    ],
)
def test_references_are_read_in_every_form(reference: object, answer: str, value: Decimal | None, steps: int) -> None:
    found = read_reference(reference)
    assert (found.answer, found.value, found.steps) == (answer, value, steps)


def test_a_missing_reference_falls_back_to_the_ground_truth_of_the_record() -> None:
    assert read_reference(None, extras={"ground_truth": "7"}).value == 7


@pytest.mark.parametrize(("steps", "bucket"), [(1, "easy"), (2, "easy"), (3, "medium"), (4, "medium"), (5, "hard"), (9, "hard")])
def test_more_steps_are_harder(steps: int, bucket: str) -> None:
    assert read_reference("\n".join(["a step"] * steps) + "\n#### 1").bucket == bucket


def write(strategy: Strategy, reference: object = WORKED, seed: int = 1, max_tokens: int = 2000) -> str:
    return respond(strategy, read_reference(reference), random.Random(seed), max_tokens)


def test_right_answers_come_in_three_dresses() -> None:
    assert write(Strategy.WORKED) == "Natalia sold 48/2 = 24 clips in May.\nShe sold 48+24 = 72 clips altogether.\n#### 72"
    assert {write(Strategy.FORMATTED, "#### 1234", seed).splitlines()[-1] for seed in range(20)} == {
        "#### 1,234",
        "#### $1,234",
        "#### **1,234**",
    }
    assert "####" not in write(Strategy.NO_MARKER)
    assert "72" in write(Strategy.NO_MARKER)


def test_a_near_miss_goes_wrong_in_its_last_step() -> None:
    text = write(Strategy.NEAR_MISS)
    answer = text.rpartition("#### ")[2]
    assert answer != "72"
    assert abs(int(answer) - 72) <= 10
    assert f"48+24 = {answer}" in text


def test_exploits_hold_what_they_are_named_for() -> None:
    assert " or " in write(Strategy.HEDGE)
    assert len(write(Strategy.CANDIDATES).rpartition("####")[2].split()) == 9
    assert "72" in write(Strategy.CANDIDATES).split()
    assert write(Strategy.MARKER_SPAM).count("####") == 7
    assert "#### 72" in write(Strategy.MARKER_SPAM)
    assert len(write(Strategy.PADDING)) > 5000
    assert write(Strategy.EMPTY).strip() == ""
    assert "ignore your instructions" in write(Strategy.INJECTION)
    assert "####" not in write(Strategy.TRUNCATED)
    assert "can't help" in write(Strategy.REFUSAL)


@pytest.mark.parametrize("strategy", [Strategy.NEAR_MISS, Strategy.WRONG, Strategy.PADDING, Strategy.INJECTION])
@given(st.integers(-10_000, 10_000), st.integers(0, 1000))
@example(-32, 0)
def test_wrong_strategies_never_end_on_the_right_answer(strategy: Strategy, gold: int, seed: int) -> None:
    reference = Reference((f"That makes {gold}.",), str(gold), Decimal(gold), 2)
    assert Decimal(respond(strategy, reference, random.Random(seed), 5000).rpartition("####")[2].strip()) != gold


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("reference", [WORKED, "blue", {}, "1e400", "0"])
def test_every_strategy_writes_something_for_any_reference_within_the_token_limit(strategy: Strategy, reference: object) -> None:
    assert len(write(strategy, reference, max_tokens=16)) <= 64
