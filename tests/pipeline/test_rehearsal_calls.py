"""Calls to the reward: cut by count and by bytes, made at once, answered in order, components read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contracts.run import Plan
from pipeline import aws, grading


def samples(count: int) -> list[dict[str, Any]]:
    record = {"id": "a", "messages": [{"role": "user", "content": "q" * 400}], "reference_answer": "#### 7"}
    return [grading.sample(record, f"#### {7 if n % 3 else n + 8}", ident=f"s{n}", run_id="r", split="rehearsal") for n in range(count)]


@pytest.mark.parametrize(("cut", "calls"), [((4_000_000, 64, 1), 1), ((4_000_000, 5, 3), 5), ((2_000, 64, 4), 8)])
def test_scores_come_back_in_order_however_the_samples_are_cut(
    house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch, cut: tuple[int, int, int], calls: int
) -> None:
    most_bytes, batch, at_once = cut
    monkeypatch.setattr(grading, "MAX_BYTES", most_bytes)
    sent: list[int] = []
    aws.functions().meta.events.register("before-send.lambda.Invoke", lambda request, **_: sent.append(len(request.body)))
    graded = grading.grade_parts(a_plan.reward_arn, samples(23), batch=batch, at_once=at_once)
    assert [one.score for one in graded] == [float(n % 3 > 0) for n in range(23)]
    assert len(sent) == calls
    assert max(sent) <= most_bytes


def test_a_throttled_call_is_repeated_by_this_code_alone_and_then_given_up(
    house: Any, graders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reward = house.other_reward(graders["constant"])
    house.lambda_.put_function_concurrency(FunctionName=reward.rpartition(":")[0], ReservedConcurrentExecutions=0)
    sent: list[int] = []
    aws.functions().meta.events.register("before-send.lambda.Invoke", lambda request, **_: sent.append(1))
    monkeypatch.setattr(grading, "FIRST_WAIT_SECONDS", 0.001)
    with pytest.raises(ClientError) as refused:
        grading.grade(reward, samples(1))
    assert aws.is_transient(refused.value)
    assert len(sent) == grading.ATTEMPTS, "the SDK repeats nothing of its own accord"

    house.lambda_.delete_function_concurrency(FunctionName=reward.rpartition(":")[0])
    assert grading.grade(reward, samples(3)) == [0.7] * 3


def test_components_are_read_and_what_is_none_is_passed_over() -> None:
    listed = [
        {"name": "clear", "value": 0.5, "type": "Reward"},
        {"name": "long", "value": 3, "type": "Metric"},
        {"name": "odd", "value": None},
        "no component",
        {"value": 1},
        {"name": "huge", "value": 10**400},
    ]
    answers = [{"id": "a", "aggregate_reward_score": 1, "metrics_list": listed}, {"id": "b", "aggregate_reward_score": 0}]
    found = grading.parts_of(json.dumps(answers).encode(), ["a", "b"])
    assert found == [grading.Graded(1.0, {"clear": 0.5, "long": 3.0}), grading.Graded(0.0, {})]


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
        (b'[{"id": "a", "aggregate_reward_score": 1' + b"0" * 400 + b'}, {"id": "b"}]', "has the score 1000000"),
        (b"[" * 200_000, "is not JSON"),
    ],
)
def test_a_broken_answer_of_a_grader_is_a_fault_that_says_what_is_allowed(body: bytes, said: str) -> None:
    with pytest.raises(grading.GraderFault, match=r"allowed is") as fault:
        grading.scores_of(body, ["a", "b"])
    assert said in str(fault.value)
