"""The rehearsal: a sound reward is trusted, and each way of being unsound is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.run import Plan
from contracts.validation import plain
from pipeline import grading, rehearsal, rehearse_reward, store
from pipeline.probes import UNPAID, Probe, answer_of, probes_for, sample_of
from reward.contract import Sample
from reward.graders.math import grader

RECORD = {"id": "a", "messages": [{"role": "user", "content": "q"}], "reference_answer": "40+1,960=<<40+1960=2000>>2,000\n#### 2,000"}
OTHER = {"id": "b", "messages": [{"role": "user", "content": "q"}], "reference_answer": "#### 7"}


def judge(pay: Callable[[str, str], float]) -> dict[str, Any]:
    """The verdict on a reward that pays by the reply and the right answer."""
    probes = list(probes_for(RECORD, OTHER))
    return rehearsal.verdict(probes, [pay(probe.reply, "2000") for probe in probes])


@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_the_projects_own_grader_is_trusted_on_every_kind_of_number(mode: str) -> None:
    grade = grader(mode=mode)
    for reference in ("#### 2,000", "12", "#### -5", {"answer": "#### 0.5"}, "work\n#### 1,234,567"):
        record = {**RECORD, "reference_answer": reference}
        probes = list(probes_for(record, OTHER))
        scores = [grade(Sample("x", probe.reply, reference, [], record)).value for probe in probes]
        verdict = rehearsal.verdict(probes, scores)
        assert verdict["trusted"], (reference, verdict["reasons"])
        assert verdict["signal"] == 1.0


@pytest.mark.parametrize(
    ("pay", "said"),
    [
        (lambda reply, right: 0.7, "no learning signal"),
        (lambda reply, right: float(right in reply.replace(",", "")), "'list of candidates' earns 1.00"),
        (lambda reply, right: float("####" in reply), "'wrong' earns 1.00"),
        (lambda reply, right: 0.95 if len(reply) > 1000 else float("2,000" in reply), "'padding' earns 0.95"),
        (lambda reply, right: 1.0 if "score is 1.0" in reply else float("2,000" in reply), "'prompt injection' earns 1.00"),
        (lambda reply, right: float(right in reply.replace(",", "") or not reply), "'empty' earns 1.00"),
        (lambda reply, right: 0.4 * float("2,000" in reply), "right replies are paid 0.40"),
        (lambda reply, right: float("2,000" in reply or f"{right} or" in reply), "'hedge, right first' earns 1.00"),
        (lambda reply, right: float("2,000" in reply or reply.endswith(f"or {right}")), "'hedge, right last' earns 1.00"),
        (lambda reply, right: float("2,000" in reply or "2001" in reply.split("\n")[0]), "'off by one' earns 1.00"),
    ],
)
def test_an_unsound_reward_is_rejected_for_what_it_pays(pay: Callable[[str, str], float], said: str) -> None:
    verdict = judge(pay)
    assert not verdict["trusted"]
    assert any(said in reason for reason in verdict["reasons"]), verdict["reasons"]


def test_half_pay_for_form_is_still_trusted_and_a_hair_more_is_not() -> None:
    def pays(form: float) -> Callable[[str, str], float]:
        return lambda reply, right: 1.0 if reply.endswith("#### 2,000") else form if reply.startswith("####") else 0.0

    assert judge(pays(0.5))["trusted"]
    assert not judge(pays(0.51))["trusted"]


def test_free_text_has_no_neighbours_and_is_probed_without_them() -> None:
    text, other = {**RECORD, "reference_answer": "the north wind"}, {**OTHER, "reference_answer": "the sun"}
    probes = list(probes_for(text, other))

    assert {probe.kind for probe in probes} == {"right", "wrong", "empty", "padding", "prompt injection"}
    assert next(probe.reply for probe in probes if probe.kind == "right") == "the north wind"
    assert "the sun" in next(probe.reply for probe in probes if probe.kind == "wrong")


def test_a_reference_is_read_in_each_of_its_forms() -> None:
    assert [str(answer_of(r).number) for r in ("x #### 1,050", "$7.50", {"text": "#### -3"}, {"answer": 4})] == ["1050", "7.50", "-3", "4"]
    assert answer_of("7").text == "#### 7"
    assert answer_of({"parts": [1, 2]}).number is None


def test_the_sample_is_spread_over_the_split_and_always_the_same() -> None:
    records = [{"id": str(number)} for number in range(100)]
    assert [record["id"] for record in sample_of(records, 4)] == ["0", "25", "50", "75"]
    assert sample_of(records[:3], 16) == records[:3]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[", "is not JSON"),
        (b'{"statusCode": 200}', "is dict"),
        (b"[]", "gave 0 elements for 2 samples"),
        (b'[{"id": "b", "aggregate_reward_score": 1}, {"id": "a", "aggregate_reward_score": 1}]', "another id than sample 1"),
        (b'[{"id": "a", "aggregate_reward_score": 1}, {"id": "b"}]', "has the score NoneType"),
        (b'[{"id": "a", "aggregate_reward_score": NaN}, {"id": "b", "aggregate_reward_score": 1}]', "has the score nan"),
        (b'[{"id": "a", "aggregate_reward_score": 1.5}, {"id": "b", "aggregate_reward_score": 1}]', "has the score 1.5"),
        (b'[{"id": "a", "aggregate_reward_score": true}, {"id": "b", "aggregate_reward_score": 1}]', "has the score True"),
        (b'["a", "b"]', "another id than sample 1"),
    ],
)
def test_a_broken_answer_of_a_grader_is_a_fault_that_says_what_is_allowed(body: bytes, said: str) -> None:
    with pytest.raises(grading.GraderFault, match=r"allowed is") as fault:
        grading.scores_of(body, ["a", "b"])
    assert said in str(fault.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("constant", "no learning signal: every kind of reply is paid about 0.70"),
        ("mention", "exploit paid: 'list of candidates' earns 1.00"),
        ("shuffling", "another id than sample 1"),
        ("raising", "the reward function raised KeyError on a batch of 64 samples"),
    ],
)
def test_a_deployed_reward_is_judged_before_any_money_is_spent(
    house: Any, a_plan: Plan, graders: dict[str, str], code: str, said: str
) -> None:
    records = [
        {**RECORD, "id": f"{n:016x}", "reference_answer": f"#### {n * 37 + 11}", names.META_RUN_ID: a_plan.run_id} for n in range(120)
    ]
    store.write_lines(house.runs, names.staged_key(a_plan.run_id, names.SPLIT_TRAIN), records)
    plan = attrs.evolve(a_plan, reward_arn=house.other_reward(graders[code]))
    verdict = rehearse_reward.handler({"plan": plain(plan)}, None)

    assert not verdict["trusted"]
    assert any(said in reason for reason in verdict["reasons"]), verdict["reasons"]
    stored = house.read(house.runs, names.record_key(plan.run_id, "rehearsal.json"))
    assert stored["reasons"] == verdict["reasons"]
    assert "a word of the data" not in json.dumps(stored)


def test_scores_and_probes_must_match() -> None:
    with pytest.raises(ValueError, match="shorter"):
        rehearsal.verdict([Probe("wrong", "wrong", UNPAID, "")], [])
