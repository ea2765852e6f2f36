"""Calibration: agreement with people, with intervals, by criterion, and held against a floor before a version may train."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.errors import InvalidInput
from contracts.run import Plan
from contracts.settings import CalibrationSettings, PipelineSettings
from contracts.validation import plain
from hypothesis import given
from hypothesis import strategies as st
from pipeline import calibration, calibration_feedback, rehearse_reward, store
from pipeline.calibration_feedback import OVERALL, Pair, Rating
from pipeline.grading import Graded
from pipeline.rank_correlation import kendall, ranks, spearman

PROMPT = ({"role": "user", "content": "Write a note."},)


def pair(chosen: str, rejected: str, criterion: str = OVERALL) -> Pair:
    return Pair(id="p", messages=PROMPT, chosen=chosen, rejected=rejected, criterion=criterion, metadata={"reference_answer": "r"})


def rating(response: str, value: float, criterion: str = OVERALL) -> Rating:
    return Rating(id="r", messages=PROMPT, response=response, rating=value, criterion=criterion)


def by_length(samples: Sequence[Mapping[str, Any]]) -> list[Graded]:
    """Longer is better; brevity is reported as a component."""
    lengths = [min(1.0, len(sample["messages"][-1]["content"]) / 100) for sample in samples]
    return [Graded(length, {"brevity": 1 - length}) for length in lengths]


def words(count: int) -> str:
    return "w" * count


def test_agreement_counts_wins_and_half_of_the_ties() -> None:
    pairs = [pair(words(9), words(3))] * 6 + [pair(words(3), words(9))] * 2 + [pair(words(3), "abc")] * 2
    found = calibration.calibrate(pairs, [], by_length).overall.agreement
    assert found is not None
    assert (found.pairs, found.ties, found.share) == (10, 2, 0.7)
    assert found.low < 0.7 < found.high


def test_the_reward_sees_a_grader_event_and_not_which_answer_was_chosen() -> None:
    seen: list[Mapping[str, Any]] = []

    def grade(samples: Sequence[Mapping[str, Any]]) -> list[Graded]:
        seen.extend(samples)
        return by_length(samples)

    calibration.calibrate([pair("long answer", "short")], [rating("x", 0.5)], grade)
    assert [sample["messages"][-1] for sample in seen] == [{"role": "assistant", "content": text} for text in ("long answer", "short", "x")]
    assert len({sample["id"] for sample in seen}) == 3
    assert seen[0]["metadata"] == seen[1]["metadata"] == {"reference_answer": "r"}
    assert not any(word in json.dumps(seen) for word in ("chosen", "rejected", 'rating"'))


def test_wilson_is_the_published_interval() -> None:
    # Newcombe 1998, table I: 81 of 263 and 1 of 29, to four digits.
    assert calibration.wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert calibration.wilson(1 / 29, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert calibration.wilson(0.0, 20)[0] == pytest.approx(0.0)
    assert calibration.wilson(1.0, 20)[1] == pytest.approx(1.0)


def test_a_component_named_like_the_criterion_is_what_it_is_compared_with() -> None:
    pairs = [pair(words(3), words(9), "brevity")] * 5 + [pair(words(9), words(3), "detail")] * 4
    found = calibration.calibrate(pairs, [], by_length)
    assert [(one.name, one.scored_by) for one in (found.overall, *found.criteria)] == [
        ("overall", "score"),
        ("brevity", "brevity"),
        ("detail", "score"),
    ]
    assert [one.agreement.share for one in found.criteria if one.agreement] == [1.0, 1.0]
    assert found.overall.agreement is not None
    assert found.overall.agreement.share == pytest.approx(4 / 9)


def test_ratings_are_compared_by_rank() -> None:
    ratings = [rating(words(count), count * count / 2500) for count in range(1, 50)]
    found = calibration.calibrate([], ratings, by_length).overall
    assert found.spearman is not None
    assert found.kendall is not None
    assert found.spearman.value == pytest.approx(1.0)
    assert found.kendall.value == pytest.approx(1.0)
    assert found.spearman.low > 0.9
    constant = calibration.calibrate([], [rating("same", value / 10) for value in range(9)], by_length).overall
    assert constant.spearman is constant.kendall is None


def test_spearman_and_kendall_are_those_of_their_definitions() -> None:
    mathematics, music = [7, 4, 3, 10, 6, 2, 9, 8, 1, 5], [5, 7, 3, 10, 1, 9, 6, 2, 8, 4]
    rho, tau = spearman(mathematics, music, 0.95), kendall(mathematics, music, 0.95)
    assert rho is not None
    assert tau is not None
    squares = sum((a - b) ** 2 for a, b in zip(mathematics, music, strict=True))
    assert rho.value == pytest.approx(1 - 6 * squares / 990)
    assert tau.value == pytest.approx(slow_tau(mathematics, music))
    assert rho.low < rho.value < rho.high
    assert ranks([3, 1, 3, 2]) == [3.5, 1.0, 3.5, 2.0]


def slow_tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Tau-b by its definition, over all couples."""
    signs = [
        ((first[i] > first[j]) - (first[i] < first[j]), (second[i] > second[j]) - (second[i] < second[j]))
        for i, j in itertools.combinations(range(len(first)), 2)
    ]
    untied = math.prod(sum(sign[side] != 0 for sign in signs) for side in (0, 1))
    return sum(a * b for a, b in signs) / math.sqrt(untied)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=5, max_size=40))
def test_kendall_with_ties_is_its_definition(points: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in points], [b for _, b in points]
    found = kendall(first, second, 0.95)
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert found is None
        return
    assert found is not None
    assert found.value == pytest.approx(slow_tau(first, second))
    assert -1 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("truth", [0.0, 0.4, 0.8])
def test_the_interval_of_spearman_covers_what_it_should(truth: float) -> None:
    rng, held = random.Random(11), 0
    expected = 6 / math.pi * math.asin(truth / 2)
    for _ in range(400):
        first = [rng.gauss(0, 1) for _ in range(60)]
        second = [truth * value + math.sqrt(1 - truth * truth) * rng.gauss(0, 1) for value in first]
        found = spearman(first, second, 0.95)
        assert found is not None
        held += found.low <= expected <= found.high
    assert 0.92 <= held / 400 <= 0.98


SETTINGS = CalibrationSettings(required=True, min_pair_agreement=0.6, min_rank_correlation=0.3, min_samples=30)


def pairs_with(agreeing: int, of: int, criterion: str = OVERALL) -> list[Pair]:
    return [pair(words(9), words(3), criterion) if number < agreeing else pair(words(3), words(9), criterion) for number in range(of)]


@pytest.mark.parametrize(
    ("pairs", "ratings", "said"),
    [
        (pairs_with(40, 50), [], []),
        (pairs_with(29, 29), [], ["there are 29 pairs and 0 ratings; allowed are 30 or more of one of them"]),
        (pairs_with(35, 50), [], ["overall: the reward agrees with 0.70 of 50 pairs, at least 0.56 with 95% confidence"]),
        ([], [rating(words(n), n / 60) for n in range(40)], []),
        ([], [rating(words(40 - n), n / 60) for n in range(40)], ["overall: the rank correlation with 40 ratings is -1.00"]),
        ([], [rating("same", n / 60) for n in range(40)], ["overall: the reward gives all 40 rated answers one score"]),
        (pairs_with(90, 90) + pairs_with(5, 30, "tone"), [], ["tone: the reward agrees with 0.17 of 30 pairs"]),
        (pairs_with(90, 90) + pairs_with(0, 9, "tone"), [], []),
    ],
)
def test_the_lower_end_of_the_interval_is_held_against_the_floor(pairs: list[Pair], ratings: list[Rating], said: list[str]) -> None:
    found = calibration.below_floor(calibration.calibrate(pairs, ratings, by_length), SETTINGS)
    assert len(found) == len(said), found
    assert all(line.startswith(start) and "allowed" in line for line, start in zip(found, said, strict=True)), found


def test_the_table_has_a_row_for_each_criterion() -> None:
    found = calibration.calibrate(pairs_with(40, 50) + pairs_with(5, 30, "tone"), [rating(words(n), n / 60) for n in range(9)], by_length)
    head, overall, tone = calibration.table(found).splitlines()
    assert head.split() == ["criterion", "scored", "by", "pairs", "ties", "agreement", "ratings", "Spearman", "Kendall"]
    assert overall.startswith("overall    score      80     0     0.56 (0.45 to 0.67)  9        1.00 (")
    assert tone.split()[:5] == ["tone", "score", "30", "0", "0.17"]


def test_feedback_that_is_none_and_scores_that_are_missing_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no feedback"):
        calibration.calibrate([], [], by_length)
    with pytest.raises(ValueError, match="1 scores for 2 samples"):
        calibration.calibrate([pair("a", "b")], [], lambda samples: by_length(samples[:1]))


def lines(*records: Mapping[str, Any]) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def test_feedback_is_read_in_each_of_its_shapes() -> None:
    body = lines(
        {"id": "a", "prompt": "Hi", "chosen": "x", "rejected": "", "reference_answer": "r", "criterion": "tone", "rater": "anna"},
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}], "response": "", "rating": 4, "topic": 7},
        {"prompt": "Hi", "response": "y", "rating": 1},
    )
    found = calibration_feedback.read_feedback(body + b"\n\n", "f.jsonl")
    (one,), (two, three) = found.pairs, found.ratings
    assert (one.id, one.messages, one.chosen, one.rejected) == ("a", ({"role": "user", "content": "Hi"},), "x", "")
    assert (one.criterion, one.rater, one.metadata) == ("tone", "anna", {"reference_answer": "r"})
    assert (two.id, two.rating, two.criterion, two.metadata, len(two.messages)) == ("line-2", 0.75, OVERALL, {"topic": 7}, 2)
    assert three.rating == 0.0
    shares = calibration_feedback.read_feedback(lines({"prompt": "p", "response": "y", "rating": 0.25}), "f")
    assert shares.ratings[0].rating == 0.25


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "holds 0 records"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"{", "line 1: is not JSON"),
        (b"[1]", "line 1: is list"),
        (lines({"prompt": "p"}), "either response and rating, or chosen and rejected"),
        (lines({"prompt": "p", "response": "secret", "rating": 1, "chosen": "a"}), "either response and rating, or chosen and rejected"),
        (lines({"prompt": "p", "chosen": "secret", "rejected": "secret"}), "are the same"),
        (lines({"chosen": "secret", "rejected": "b"}), "one of messages and prompt"),
        (lines({"messages": [], "chosen": "secret", "rejected": "b"}), "messages: allowed is a list of turns"),
        (
            lines({"messages": [{"role": "assistant", "content": ""}], "chosen": "secret", "rejected": "b"}),
            "the last turn is the assistant's",
        ),
        (lines({"prompt": "p", "response": "secret", "rating": 7}), "rating = 7: allowed"),
        (lines({"prompt": "p", "response": "secret", "rating": 2.5}), "rating = 2.5: allowed"),
        (lines({"prompt": "p", "response": "secret", "rating": True}), "rating: allowed"),
        (lines({"prompt": "p", "response": 5, "rating": 1}), "response: allowed is a string"),
        (lines({"prompt": "p", "response": "secret", "rating": 1, "criterion": 3}), "criterion: allowed"),
        (lines({"prompt": "p", "response": "a", "rating": 0.5}, {"prompt": "p", "response": "b", "rating": 3}), "allowed is one scale"),
    ],
)
def test_a_fault_in_feedback_names_line_and_what_is_allowed(body: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        calibration_feedback.read_feedback(body, "f.jsonl")
    assert said in str(fault.value)
    assert "allowed" in str(fault.value)
    assert "secret" not in str(fault.value)


def a_record(plan: Plan, agreeing: int) -> dict[str, Any]:
    return calibration.record_of(
        calibration.calibrate(pairs_with(agreeing, 50), [rating(words(n), n / 60) for n in range(9)], by_length),
        dataset=plan.dataset,
        reward_arn=plan.reward_arn,
        reward_version=plan.reward_version,
        reward_sha256=plan.reward_sha256,
        feedback_sha256="0" * 64,
        calibrated_at="2026-11-20T19:00:00+00:00",
        calibrated_by="a test",
    )


def test_a_stored_calibration_comes_back_and_belongs_to_one_version(a_plan: Plan) -> None:
    record = json.loads(json.dumps(a_record(a_plan, 40)))
    found = calibration.of_record(record, "there", reward_arn=a_plan.reward_arn, reward_sha256=a_plan.reward_sha256)
    assert found == calibration.calibrate(pairs_with(40, 50), [rating(words(n), n / 60) for n in range(9)], by_length)
    with pytest.raises(InvalidInput, match="reward_sha256 = 'hash': allowed is 'other', the version of this run"):
        calibration.of_record(record, "there", reward_arn=a_plan.reward_arn, reward_sha256="other")
    with pytest.raises(InvalidInput, match="calibration is missing"):
        calibration.of_record({key: record[key] for key in record if key != "calibration"}, "there", reward_arn="", reward_sha256="")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (None, "is not calibrated on the feedback of plums"),
        (lambda record: record, ""),
        (lambda record: {**record, "reward_arn": "another"}, "reward_arn = 'another': allowed is"),
        (lambda record: {"format": 1}, "is missing"),
    ],
)
def test_a_run_that_requires_calibration_is_refused_without_one(
    house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any] | None, said: str
) -> None:
    verdict = rehearse(house, a_plan, monkeypatch, change(a_record(a_plan, 40)) if change else None)
    assert verdict["trusted"] is (not said), verdict["reasons"]
    if said:
        assert said in verdict["reasons"][0]
        assert verdict["probes"] == [], "the reward was not even called"
    else:
        assert verdict["calibration"]["feedback_sha256"] == "0" * 64


def test_a_run_whose_reward_is_below_the_floor_is_refused_and_one_that_needs_no_calibration_is_not(
    house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = rehearse(house, a_plan, monkeypatch, a_record(a_plan, 30))
    assert refused["reasons"] == [
        "not calibrated well enough: overall: the reward agrees with 0.60 of 50 pairs, at least 0.46 with 95% confidence; "
        "allowed is a lower end of 0.60 or more"
    ]
    free = rehearse(house, a_plan, monkeypatch, a_record(a_plan, 30), required=False)
    assert (free["trusted"], free["calibration"]) == (True, None)


def rehearse(house: Any, plan: Plan, monkeypatch: pytest.MonkeyPatch, record: Any, *, required: bool = True) -> dict[str, Any]:
    settings = plain(attrs.evolve(PipelineSettings(), calibration=attrs.evolve(SETTINGS, required=required)))
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(settings))
    key = names.calibration_key(plan.dataset, plan.reward_version)
    assert key.startswith("feedback/plums/calibration/")
    store.delete(house.datasets, key)
    if record is not None:
        store.write_json(house.datasets, key, record)
    problems = [
        {"id": f"{n:04x}", "messages": [{"role": "user", "content": "How many?"}], "reference_answer": f"{n} and 7\n#### {n * 37 + 7}"}
        for n in range(30)
    ]
    store.write_lines(house.runs, names.staged_key(plan.run_id, names.SPLIT_TRAIN), problems)
    return rehearse_reward.handler({"plan": plain(plan)}, None)
