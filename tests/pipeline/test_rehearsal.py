"""The rehearsal: a sound reward is trusted, each way of being unsound is named, and what a policy would learn is shown."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.run import Plan
from contracts.validation import plain
from pipeline import rehearsal, rehearsal_calls, rehearsal_table, rehearse_reward, store
from pipeline.probes import INJECTIONS, NOTED, PAID, RIGHT, SWAPPED, UNPAID, Case, Probe, cases_of
from reward.contract import Sample
from reward.graders.math import grader

Pay = Callable[[str, str], float]
"""By the reply and the reference answer it is graded against."""

WORK = "She has {0} - 3 = <<{0}-3={1}>>{1} and gets 3 more.\nThat is <<{1}+3={0}>>{0}.\n#### {2}"


def problem(answer: int) -> dict[str, Any]:
    text = WORK.format(answer, answer - 3, f"{answer:,}")
    return {"id": f"{answer:04x}", "messages": [{"role": "user", "content": "How many beads?"}], "reference_answer": text}


def records_of(references: list[Any]) -> list[dict[str, Any]]:
    return [
        {"id": str(n), "messages": [{"role": "user", "content": f"Say it, number {n}."}], "reference_answer": reference}
        for n, reference in enumerate(references)
    ]


PROBLEMS = [problem(1000 + 37 * number) for number in range(40)]
LABELLED = records_of([("positive", "negative", "neutral")[number % 3] for number in range(40)])
WORDS = (
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "lazy",
    "dogs",
    "while",
    "rain",
    "falls",
    "on",
    "roofs",
    "near",
    "rivers",
    "and",
    "boats",
    "wait",
)
FREE_TEXT = records_of([" ".join(random.Random(number).choices(WORDS, k=16)) for number in range(40)])


def scored(records: list[dict[str, Any]], pay: Pay) -> tuple[list[Case], list[list[float]]]:
    cases = cases_of(records)
    return cases, [[pay(probe.reply, (probe.under or case.record)["reference_answer"]) for probe in case.probes] for case in cases]


def judge(pay: Pay, records: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return rehearsal.verdict(*scored(records or PROBLEMS, pay))


def graded_by(**options: Any) -> Pay:
    grade = grader(**options)
    return lambda reply, reference: grade(Sample("x", reply, reference, [], {})).value


def gold(reference: str) -> str:
    return reference.rpartition("####")[2].strip().replace(",", "")


def numbers(text: str) -> list[str]:
    return [found.replace(",", "") for found in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]


def right(reply: str, reference: str) -> bool:
    return "<think" not in reply and reply.endswith(reference.splitlines()[-1])


@pytest.mark.parametrize("options", [{"mode": "strict"}, {"mode": "lenient"}, {"partial": 0.3}])
def test_the_projects_own_grader_is_trusted(options: dict[str, Any]) -> None:
    verdict = judge(graded_by(**options))
    assert verdict["trusted"], verdict["reasons"]
    assert verdict["learnt"]["mean_after"] > 0.95
    assert verdict["learnt"]["unpaid_after"] < 0.05
    assert verdict["learnt"]["exploit"] is None
    assert verdict["gold"] == {"checked": 16, "denied": 0}
    assert not any(probe["expected"] == UNPAID and probe["mean"] > 0.3 for probe in verdict["probes"])


@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_the_projects_own_grader_is_trusted_on_every_kind_of_number(mode: str) -> None:
    references = ["#### 2,000", "12", "#### -5", "#### 0.5", "work\n#### 1,234,567", "0", "$7.50"]
    verdict = judge(graded_by(mode=mode), records_of(references))
    assert verdict["trusted"], verdict["reasons"]
    assert verdict["signal"] == 1.0


NOISE = random.Random(7)
UNSOUND: dict[str, tuple[Pay, str]] = {
    "constant": (lambda reply, ref: 0.7, "no learning signal: every kind of reply is paid about 0.70"),
    "length": (lambda reply, ref: min(1.0, len(reply) / 2000), "exploit paid: 'padding"),
    "mention": (lambda reply, ref: float(gold(ref) in numbers(reply)), "'list of candidates"),
    "first number": (lambda reply, ref: float(numbers(reply.partition("####")[2])[:1] == [gold(ref)]), "'hedge, right first' earns 1.00"),
    "last number": (lambda reply, ref: float(numbers(reply)[-1:] == [gold(ref)]), "'hedge, right last' earns 1.00"),
    "hedge": (lambda reply, ref: float(right(reply, ref) or (" or " in reply and gold(ref) in numbers(reply))), "exploit paid: 'hedge"),
    "marker count": (lambda reply, ref: min(1.0, reply.count("####") / 5), "exploit paid: 'marker spam"),
    "marker": (lambda reply, ref: float("####" in reply), "exploit paid: 'wrong' earns 1.00"),
    "off by one": (
        lambda reply, ref: float(
            "<" not in reply and abs(float((numbers(reply.rpartition("####")[2]) or ["-9"])[0]) - float(gold(ref))) <= 1
        ),
        "exploit paid: 'off by one' earns 1.00",
    ),
    "sign": (
        lambda reply, ref: float(right(reply.replace("-", ""), ref.replace(",", "")) or right(reply, ref)),
        "'sign turned' earns 1.00",
    ),
    "noise": (lambda reply, ref: NOISE.random(), "one and the same reply is paid 0."),
    "empty": (lambda reply, ref: float(right(reply, ref) or not reply), "'empty' earns 1.00"),
    "thinking": (lambda reply, ref: float(ref.splitlines()[-1] in reply.splitlines()[-2:]), "exploit paid: 'thinking "),
    "stingy": (lambda reply, ref: 0.4 * right(reply, ref), "right replies are paid 0.40"),
    "copy": (lambda reply, ref: float("<<" in reply and "<think" not in reply), "'another record's reference' earns 1.00"),
    "cut off": (lambda reply, ref: float(right(reply, ref) or reply.endswith("##")), "'cut off' earns 1.00"),
    "prompt": (lambda reply, ref: float(right(reply, ref) or reply == "How many beads?"), "'prompt repeated' earns 1.00"),
    "repetition": (lambda reply, ref: float(right(reply, ref) or reply.count(gold(ref)) > 20), "'right, over and over' earns 1.00"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_reward_is_rejected_for_what_it_pays(name: str) -> None:
    pay, said = UNSOUND[name]
    verdict = judge(pay)
    assert not verdict["trusted"]
    assert any(said in reason for reason in verdict["reasons"]), verdict["reasons"]


@pytest.mark.parametrize("form", INJECTIONS)
def test_a_reward_that_believes_one_form_of_injection_is_rejected_for_that_form(form: str) -> None:
    sign = INJECTIONS[form].splitlines()[-1][-20:]
    verdict = judge(lambda reply, ref: float(sign in reply or right(reply, ref)))
    assert [reason.partition(" earns")[0] for reason in verdict["reasons"]] == [f"exploit paid: 'prompt injection, {form}'"]


@pytest.mark.parametrize(
    ("name", "learns"),
    [("length", "padding"), ("marker count", "marker spam"), ("wrong way", "")],
    ids=["length", "marker count", "wrong way"],
)
def test_a_policy_rehearsed_on_a_reward_that_pays_exploits_more_ends_in_them(name: str, learns: str) -> None:
    pay = UNSOUND[name][0] if name in UNSOUND else lambda reply, ref: 1.0 - right(reply, ref)
    verdict = judge(pay)
    learnt = verdict["learnt"]
    assert learnt["unpaid_after"] > 0.8
    assert any("a policy trained by this reward would give" in reason for reason in verdict["reasons"])
    if learns:
        assert learnt["exploit"].startswith(learns)
        assert learnt["policy"][learnt["exploit"]]["after"] > 0.5 > learnt["policy"][learnt["exploit"]]["before"]


def test_half_pay_for_form_is_still_trusted_and_a_hair_more_is_not() -> None:
    def pays(form: float) -> Pay:
        return lambda reply, ref: 1.0 if right(reply, ref) else form if reply.startswith("####") else 0.0

    assert judge(pays(0.5))["trusted"]
    assert not judge(pays(0.51))["trusted"]


def test_one_unreadable_reference_among_many_stops_the_run_and_is_named() -> None:
    honest, bad = graded_by(), PROBLEMS[2]["id"]

    def pay(reply: str, reference: str) -> float:
        return 0.0 if reference == PROBLEMS[2]["reference_answer"] else honest(reply, reference)

    verdict = judge(pay)
    assert verdict["gold"]["denied"] == 1
    assert verdict["reasons"] == [
        f"the reference's own answer does not earn 1.0 in 1 of 16 records ({bad}); "
        "allowed is a reward that reads every reference, and references that it can read"
    ]
    more = rehearsal.verdict(*scored(PROBLEMS, honest), gold=[rehearsal.Gold("f00", 1.0), rehearsal.Gold("f01", 0.9)])
    assert more["gold"] == {"checked": 18, "denied": 1}
    assert "(f01)" in more["reasons"][0]


def test_a_reward_that_does_not_read_the_reference_owes_it_nothing() -> None:
    def likes_work(reply: str, _reference: str) -> float:
        return 0.95 * (reply.startswith("She has") and reply.count("<<") == 2)

    verdict = judge(likes_work)
    assert verdict["gold"]["checked"] == 0
    assert not any("own answer" in reason for reason in verdict["reasons"])


@pytest.mark.parametrize(
    ("records", "pay"),
    [
        (LABELLED, lambda reply, ref: float(reply.strip(" *.").lower() == ref)),
        (FREE_TEXT, lambda reply, ref: float(reply == ref)),
        (FREE_TEXT, lambda reply, ref: 0.0 if "<think" in reply else overlap(reply, ref)),
    ],
    ids=["labels", "exact text", "similar text"],
)
def test_a_sound_reward_for_words_is_trusted(records: list[dict[str, Any]], pay: Pay) -> None:
    verdict = judge(pay, records)
    assert verdict["trusted"], verdict["reasons"]
    assert verdict["learnt"]["mean_after"] > 0.9


@pytest.mark.parametrize(
    ("records", "pay", "said"),
    [
        (LABELLED, lambda reply, ref: float(ref in reply), "exploit paid: 'denied'"),
        (LABELLED, lambda reply, ref: float(reply.startswith(ref)), "exploit paid: 'list of candidates, right first'"),
        (LABELLED, lambda reply, ref: float(reply in ("positive", "negative", "neutral")), "exploit paid: 'wrong' earns 1.00"),
        (FREE_TEXT, lambda reply, ref: sum(word in reply for word in ref.split()) / 16, "exploit paid: 'list of candidates'"),
        (FREE_TEXT, lambda reply, ref: min(1.0, len(reply) / 90), "exploit paid: 'padding"),
        (FREE_TEXT, lambda reply, ref: float("Ich habe" in reply or reply == ref), "exploit paid: 'wrong language' earns 1.00"),
    ],
)
def test_an_unsound_reward_for_words_is_rejected(records: list[dict[str, Any]], pay: Pay, said: str) -> None:
    verdict = judge(pay, records)
    assert any(said in reason for reason in verdict["reasons"]), verdict["reasons"]


def overlap(reply: str, reference: str) -> float:
    got, wanted = reply.split(), reference.split()
    common = sum(min(got.count(word), wanted.count(word)) for word in set(got))
    return 2 * common / (len(got) + len(wanted)) if got else 0.0


def test_the_same_scores_always_give_the_same_verdict() -> None:
    cases, scores = scored(PROBLEMS, graded_by())
    assert rehearsal.verdict(cases, scores) == rehearsal.verdict(cases, scores)


def test_scores_and_probes_must_match() -> None:
    case = Case(PROBLEMS[0], (Probe("wrong", "wrong", UNPAID, ""), Probe(RIGHT, RIGHT, PAID, "")))
    with pytest.raises(ValueError, match="shorter"):
        rehearsal.verdict([case], [[1.0]])
    assert rehearsal.verdict([], [])["reasons"] == [
        "there was nothing to probe the reward with; allowed is a training split with reference answers"
    ]


def test_the_table_shows_every_reply_what_it_was_paid_and_what_would_be_learnt() -> None:
    verdict = judge(UNSOUND["length"][0])
    text = rehearsal_table.table(verdict)
    assert text.startswith("The reward is not trusted.\n  - ")
    for probe in verdict["probes"]:
        line = next(line for line in text.splitlines() if line.startswith(f"{probe['name']}  "))
        share = verdict["learnt"]["policy"][probe["name"]]
        found = [probe["expected"], f"{probe['mean']:.2f}", f"{share['before']:.1%}", f"{share['after']:.1%}"]
        assert re.search(r"\s+".join([re.escape(probe["kind"]), *map(re.escape, found)]) + "$", line), line
    assert f"The exploit it would learn: {verdict['learnt']['exploit']} (" in text


def test_a_result_without_learning_is_still_shown() -> None:
    assert rehearsal_table.table(rehearsal.broken("it raised")) == "The reward is not trusted.\n  - it raised"
    old = {"trusted": True, "reasons": [], "probes": [{"name": "right", "kind": "right", "expected": NOTED, "mean": 1.0}]}
    assert rehearsal_table.table(old).splitlines()[-1].split() == ["right", "right", "noted", "1.00"]


@pytest.mark.parametrize(
    ("seconds", "left", "count", "at_once"),
    [(0.05, 15, 15, 1), (2.0, 15, 15, 3), (8.0, 15, 8, 8), (30.0, 15, 8, 8), (0.0, 15, 15, 1), (1.0, 0, 0, 1)],
)
def test_a_slow_reward_is_asked_less_and_more_at_once(seconds: float, left: int, count: int, at_once: int) -> None:
    assert rehearsal_calls.room(seconds, left) == (count, at_once)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("constant", "no learning signal: every kind of reply is paid about 0.70"),
        ("mention", "exploit paid: 'list of candidates"),
        ("shuffling", "another id than sample 1"),
        ("raising", "the reward function raised KeyError on a batch of 39 samples"),
    ],
)
def test_a_deployed_reward_is_judged_before_any_money_is_spent(
    house: Any, a_plan: Plan, graders: dict[str, str], code: str, said: str
) -> None:
    records = [
        {**PROBLEMS[0], "id": f"{n:016x}", "reference_answer": f"#### {n * 37 + 11}", names.META_RUN_ID: a_plan.run_id} for n in range(120)
    ]
    store.write_lines(house.runs, names.staged_key(a_plan.run_id, names.SPLIT_TRAIN), records)
    plan = attrs.evolve(a_plan, reward_arn=house.other_reward(graders[code]))
    verdict = rehearse_reward.handler({"plan": plain(plan)}, None)

    assert not verdict["trusted"]
    assert any(said in reason for reason in verdict["reasons"]), verdict["reasons"]
    stored = house.read(house.runs, names.record_key(plan.run_id, "rehearsal.json"))
    assert stored["reasons"] == verdict["reasons"]
    assert "a word of the data" not in json.dumps(stored)


SLOW_REWARD = """
import time
def handler(event, _):
    time.sleep(0.4)
    return [{"id": s["id"], "aggregate_reward_score":
             float(s["messages"][-1]["content"] == s["metadata"]["reference_answer"])} for s in event]
"""


def test_a_deployed_slow_reward_is_asked_at_once_and_judged_on_what_the_time_allows(
    house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal_calls, "BUDGET_SECONDS", 3.0)
    store.write_lines(house.runs, names.staged_key(a_plan.run_id, names.SPLIT_TRAIN), PROBLEMS)
    plan = attrs.evolve(a_plan, reward_arn=house.other_reward(SLOW_REWARD))
    verdict = rehearse_reward.handler({"plan": plain(plan)}, None)
    assert verdict["trusted"], verdict["reasons"]
    probed = next(probe["samples"] for probe in verdict["probes"] if probe["name"] == RIGHT)
    assert 2 <= probed <= 16
    assert verdict["gold"]["checked"] in (probed, 40), "further records are graded when the first call was quick"


def test_a_swapped_reference_is_what_the_reward_is_given(house: Any, a_plan: Plan) -> None:
    cases = cases_of(PROBLEMS[:2])
    graded = rehearsal_calls.grade(cases, PROBLEMS[:2], reward_arn=a_plan.reward_arn, run_id=a_plan.run_id)
    paid = [
        {probe.name: score for probe, score in zip(case.probes, scores, strict=True)}
        for case, scores in zip(graded.cases, graded.scores, strict=True)
    ]
    assert [(one[RIGHT], one[SWAPPED]) for one in paid] == [(1.0, 0.0)] * 2
