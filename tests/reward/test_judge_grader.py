"""Given a judge model, when it answers, then every criterion counts by its weight; when it does not, then no score is made up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from contracts.errors import InvalidInput
from contracts.metrics import Metric
from reward import graders
from reward.batches import BatchFailed
from reward.graders.judge import grader
from reward.judging.asking import TRANSIENT
from reward.score import Outcome

from tests.reward.judge_fakes import Answer, FakeConverse, error, judge, levels, said, sample, used

TWO = [
    {"name": "right", "description": "It is right.", "weight": 0.75},
    {"name": "kind", "description": "It is kind.", "weight": 0.25, "scale": "binary"},
]
FAST: dict[str, Any] = {"attempts": 3, "deadline_seconds": 5.0}


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reward.judging.asking.FIRST_WAIT", 0.001)


@pytest.mark.parametrize(
    ("right", "kind", "value", "outcome"),
    [
        (5, 1, 1.0, Outcome.CORRECT),
        (1, 0, 0.0, Outcome.WRONG),
        (3, 1, 0.625, Outcome.WRONG),
        (2, 0, 0.1875, Outcome.WRONG),
        (5.0, 0, 0.75, Outcome.WRONG),
    ],
)
def test_scales_are_normalised_and_weighted(right: float, kind: int, value: float, outcome: Outcome) -> None:
    fake = FakeConverse(lambda _: used({"right": {"score": right}, "kind": {"score": kind}}))
    score = judge(fake, template="custom", criteria=TWO)(sample())
    assert score.value == pytest.approx(value)
    assert score.outcome is outcome
    assert [(each["name"], each["value"], each["type"]) for each in score.components] == [
        ("right", (right - 1) / 4, "Reward"),
        ("kind", kind, "Reward"),
    ]


def test_the_request_forces_one_tool_whose_schema_holds_every_criterion() -> None:
    fake = FakeConverse(lambda _: used({"right": {"score": 5}, "kind": {"score": 1}}))
    judge(fake, template="custom", criteria=TWO, model="us.amazon.nova-lite-v1:0", max_tokens=300)(sample())
    (request,) = fake.asked
    assert request["modelId"] == "us.amazon.nova-lite-v1:0"
    assert request["inferenceConfig"] == {"maxTokens": 300, "temperature": 0.0}
    (tool,) = request["toolConfig"]["tools"]
    assert request["toolConfig"]["toolChoice"] == {"tool": {"name": tool["toolSpec"]["name"]}}
    schema = tool["toolSpec"]["inputSchema"]["json"]
    assert (schema["required"], schema["additionalProperties"]) == (["right", "kind"], False)
    assert schema["properties"]["right"]["properties"]["score"]["enum"] == [1, 2, 3, 4, 5]
    assert schema["properties"]["kind"]["properties"]["score"]["enum"] == [0, 1]


def test_a_model_without_forced_tools_is_asked_for_one_json_object() -> None:
    fake = FakeConverse(lambda _: said(json.dumps(levels(4))))
    assert judge(fake, model="openai.gpt-oss-120b-1:0")(sample()).value == pytest.approx(0.75)
    (request,) = fake.asked
    assert "toolConfig" not in request
    assert "one JSON object and nothing around it" in request["messages"][0]["content"][0]["text"]


def test_reasons_are_asked_for_before_the_score_and_never_kept() -> None:
    fake = FakeConverse(lambda _: used({"right": {"reason": "canary", "score": 5}, "kind": {"reason": "canary", "score": 1}}))
    score = judge(fake, template="custom", criteria=TWO, reasons=True)(sample())
    schema = fake.asked[0]["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]
    assert list(schema["properties"]["right"]["properties"]) == ["reason", "score"]
    assert score.value == 1.0 and "canary" not in repr(score)


NO_VERDICTS = {
    "score above its scale": used(levels(6)),
    "score below its scale": used(levels(0)),
    "half a point": used({**levels(4), "correct": {"score": 4.5}}),
    "a score in words": used({**levels(4), "correct": {"score": "4"}}),
    "a boolean": used({**levels(4), "correct": {"score": True}}),
    "not a number": used({**levels(4), "correct": {"score": float("nan")}}),
    "a bare score": used({**levels(4), "correct": 4}),
    "a missing criterion": used({"follows": {"score": 5}}),
    "a further criterion": used({**levels(4), "extra": {"score": 5}}),
    "a further key": used({**levels(4), "correct": {"score": 4, "sure": True}}),
    "another tool": used(levels(5), name="other"),
    "no call": said(json.dumps(levels(5))),
    "two calls": {**used(levels(5)), "output": {"message": {"content": used(levels(5))["output"]["message"]["content"] * 2}}},
    "input that is no object": used([5, 5, 5]),
    "an answer that was cut off": used(levels(5), stopReason="max_tokens"),
    "a stop nobody knows": used(levels(5), stopReason="malformed_tool_use"),
    "no content": {"stopReason": "tool_use", "output": {}},
    "nothing": {},
}


@pytest.mark.parametrize("answer", NO_VERDICTS.values(), ids=NO_VERDICTS)
def test_what_is_no_verdict_is_asked_again_and_never_scored(answer: dict[str, Any]) -> None:
    fake = FakeConverse(lambda _: answer)
    score = judge(fake, unanswered="ungraded", **FAST)(sample())
    assert (score.value, score.outcome, score.components) == (0.0, Outcome.JUDGE_ERROR, ())
    assert len(fake.asked) == 3


TEXTS = {
    "text before": "Sure! " + json.dumps(levels(5)),
    "text after": json.dumps(levels(5)) + " Hope it helps.",
    "a code fence": f"```json\n{json.dumps(levels(5))}\n```",
    "two objects": json.dumps(levels(1)) + json.dumps(levels(5)),
    "a list": json.dumps([levels(5)]),
    "a key twice": json.dumps(levels(1))[:-1] + ', "follows": {"score": 5}}',
    "nothing": "",
    "deep nesting": "[" * 100_000,
    "infinity": json.dumps(levels(5)).replace("5", "Infinity"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_that_is_not_exactly_one_object_is_no_verdict(text: str) -> None:
    fake = FakeConverse(lambda _: said(text))
    assert judge(fake, answer_by="text", unanswered="ungraded", **FAST)(sample()).outcome is Outcome.JUDGE_ERROR


@pytest.mark.parametrize("stop", ["content_filtered", "guardrail_intervened", "model_context_window_exceeded"])
def test_an_answer_that_is_withheld_is_not_asked_for_again(stop: str) -> None:
    fake = FakeConverse(lambda _: used(levels(5), stopReason=stop))
    assert judge(fake, unanswered="ungraded", **FAST)(sample()).outcome is Outcome.JUDGE_ERROR
    assert len(fake.asked) == 1


@pytest.mark.parametrize("code", sorted(TRANSIENT))
def test_a_busy_judge_is_asked_again(code: str) -> None:
    answers: Iterator[Answer] = iter([error(code, 429), error("Whatever", 503), used(levels(5))])
    fake = FakeConverse(lambda _: next(answers))
    assert judge(fake, **FAST)(sample()).value == 1.0
    assert len(fake.asked) == 3


@pytest.mark.parametrize("policy", ["raise", "ungraded"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ExpiredTokenException"])
def test_a_judge_that_may_not_be_called_fails_the_batch_whatever_the_policy(code: str, policy: str) -> None:
    fake = FakeConverse(lambda _: error(code))
    with pytest.raises(BatchFailed, match=f"cannot be called: {code}") as failed:
        judge(fake, unanswered=policy, concurrency=1, **FAST).batch([sample(f"{n}") for n in range(20)])
    assert len(fake.asked) == 1
    assert "canary" not in str(failed.value)


def test_a_request_the_model_refuses_concerns_that_sample_alone() -> None:
    fake = FakeConverse(lambda request: error("ValidationException") if "poison" in str(request["messages"]) else used(levels(5)))
    scores = judge(fake, unanswered="ungraded", **FAST).batch([sample("fine"), sample("poison"), sample("good")])
    assert [score.outcome for score in scores] == [Outcome.CORRECT, Outcome.JUDGE_ERROR, Outcome.CORRECT]
    assert len(fake.asked) == 3


def test_the_policy_raise_fails_the_batch_with_the_problem_and_no_text() -> None:
    fake = FakeConverse(lambda request: used({}) if "poison" in str(request["messages"]) else used(levels(5)))
    with pytest.raises(BatchFailed, match="gave no verdict on a sample: the answer's criteria are not the ones asked for"):
        judge(fake, **FAST).batch([sample("fine"), sample("poison")])


def test_answers_keep_the_order_of_the_samples() -> None:
    def reply(request: dict[str, Any]) -> dict[str, Any]:
        number = int(request["messages"][0]["content"][0]["text"].split("number ")[1][0])
        time.sleep(0.02 * (5 - number))
        return used(levels(number))

    scores = judge(FakeConverse(reply), concurrency=5).batch([sample(f"number {n}") for n in (1, 5, 2, 4, 3)])
    assert [score.value for score in scores] == [pytest.approx(value) for value in (0.0, 1.0, 0.25, 0.75, 0.5)]


def test_no_more_requests_are_under_way_than_allowed() -> None:
    fake = FakeConverse(lambda _: used(levels(5)), together=3)
    judge(fake, concurrency=3).batch([sample(f"answer {n}") for n in range(12)])
    assert (fake.most, len(fake.asked)) == (3, 12)


def test_the_same_question_is_asked_once_in_a_batch_at_temperature_zero() -> None:
    fake = FakeConverse(lambda _: used(levels(4)))
    assert {score.value for score in judge(fake).batch([sample(ident=str(n)) for n in range(4)])} == {0.75}
    assert len(fake.asked) == 1
    warm = FakeConverse(lambda _: used(levels(4)))
    judge(warm, temperature=0.5).batch([sample(ident=str(n)) for n in range(4)])
    assert len(warm.asked) == 4


@pytest.mark.parametrize("policy", ["raise", "ungraded"])
def test_a_batch_ends_at_its_deadline(policy: str) -> None:
    release = threading.Event()

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        if "slow" in str(request["messages"]):
            release.wait(60)
        return used(levels(5))

    fake = FakeConverse(reply)
    made = judge(fake, unanswered=policy, batch_seconds=3, concurrency=2)
    try:
        if policy == "raise":
            with pytest.raises(BatchFailed, match="did not answer in time"):
                made.batch([sample("quick"), sample("slow")])
        else:
            assert [s.outcome for s in made.batch([sample("quick"), sample("slow")])] == [Outcome.CORRECT, Outcome.JUDGE_ERROR]
    finally:
        release.set()


def test_what_needs_no_judge_costs_no_call() -> None:
    fake = FakeConverse(lambda _: used(levels(5)))
    responses = ["", " \n", "<think>all of it</think>", "\u200b\u2060", "x" * 101]
    graded = judge(fake, max_characters=100).batch([sample(response) for response in responses])
    assert [score.outcome for score in graded] == [*[Outcome.WRONG] * 4, Outcome.OVERSIZE]
    assert fake.asked == []
    # A criterion's figures, which calibration compares with people's, cover them as well.
    names = [each.name for each in judge(fake).options.criteria]
    assert all([(part["name"], part["value"]) for part in score.components] == [(name, 0.0) for name in names] for score in graded)


@pytest.mark.parametrize(
    ("meta", "outcome"), [({}, Outcome.BAD_GOLD), ({"context": "  "}, Outcome.BAD_GOLD), ({"context": "Paris is it."}, Outcome.CORRECT)]
)
def test_faithfulness_needs_a_context(meta: dict[str, Any], outcome: Outcome) -> None:
    fake = FakeConverse(lambda _: used({"supported": {"score": 5}, "uncontradicted": {"score": 1}, "answers": {"score": 5}}))
    assert judge(fake, template="faithfulness")(sample(**meta)).outcome is outcome


def test_only_the_reasoning_template_judges_thinking() -> None:
    seen = {}
    for template in ("instruction_following", "summarisation", "reasoning"):
        fake = FakeConverse(lambda _: used({}))
        judge(fake, template=template, attempts=1, unanswered="ungraded")(sample("<think>because</think>Paris"))
        seen[template] = "because" in fake.asked[0]["messages"][0]["content"][0]["text"]
    assert seen == {"instruction_following": False, "summarisation": False, "reasoning": True}


def test_calls_tokens_time_and_dollars_are_counted_and_taken_once() -> None:
    answers: Iterator[Answer] = iter([error("ThrottlingException", 429), used({}), used(levels(5))])
    made = judge(FakeConverse(lambda _: next(answers)), input_usd_per_million=3.0, output_usd_per_million=15.0, **FAST)
    made(sample())
    usage = made.usage()
    assert (usage[Metric.JUDGE_CALLS], usage[Metric.JUDGE_ERRORS]) == (3, 2)
    assert (usage[Metric.JUDGE_INPUT_TOKENS], usage[Metric.JUDGE_OUTPUT_TOKENS]) == (200, 20)
    assert usage[Metric.JUDGE_COST] == pytest.approx(200 * 3e-6 + 20 * 15e-6)
    assert len(usage[Metric.JUDGE_LATENCY]) == 3  # type: ignore[arg-type]
    assert made.usage() == {}


def test_without_prices_no_cost_is_claimed() -> None:
    made = judge(FakeConverse(lambda _: used(levels(5))))
    made(sample())
    assert Metric.JUDGE_COST not in made.usage()


def test_the_identity_changes_with_whatever_decides_a_verdict() -> None:
    plain = grader()
    assert (
        plain.identity
        == grader().identity
        == grader(concurrency=2, attempts=9, unanswered="ungraded", input_usd_per_million=1, output_usd_per_million=1).identity
    )
    others = [
        grader(model="us.amazon.nova-lite-v1:0"),
        grader(template="summarisation"),
        grader(template="custom", criteria=TWO),
        grader(template="custom", criteria=[{**TWO[0], "weight": 0.25}, {**TWO[1], "weight": 0.75}]),
        grader(temperature=0.1),
        grader(max_tokens=100),
        grader(reasons=True),
        grader(answer_by="text"),
    ]
    assert len({each.identity for each in [plain, *others]}) == len(others) + 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"template": "poetry"},
            "options.template = 'poetry': allowed is one of instruction_following, summarisation, reasoning, faithfulness, custom",
        ),
        ({"template": "custom"}, "options.criteria is missing"),
        ({"model": "my model"}, "options.model = 'my model': allowed is the id or ARN"),
        ({"model": 7}, "options.model"),
        ({"concurrency": 0}, "options.concurrency = 0: allowed is a whole number from 1 to 64"),
        ({"concurrency": 2.5}, "allowed is a whole number"),
        ({"attempts": True}, "options.attempts"),
        ({"temperature": float("nan")}, "options.temperature = nan: allowed is a number from 0 to 1"),
        ({"unanswered": "half"}, "options.unanswered = 'half': allowed is one of raise, ungraded"),
        ({"reasons": 1}, "options.reasons = 1: allowed is true or false"),
        ({"context_key": ""}, "options.context_key"),
        ({"input_usd_per_million": 1.0}, "allowed are both or neither"),
        ({"criteria": "all"}, "options.criteria = 'all': allowed is a list of 1 to 8 tables"),
        ({"criteria": [{**TWO[0], "weight": 0.5}, TWO[1]]}, "options.criteria: the weights sum to 0.75; allowed is 1"),
        ({"criteria": [{**TWO[0], "weight": 0}]}, "options.criteria[0].weight = 0: allowed is a number above 0"),
        ({"criteria": [{**TWO[0], "scale": "1-10"}]}, "options.criteria[0].scale = '1-10': allowed is one of 1-5, binary"),
        ({"criteria": [{**TWO[0], "name": "Right!"}]}, "options.criteria[0].name"),
        ({"criteria": [{**TWO[0], "points": 3}]}, "options.criteria[0].points is not a known key"),
        ({"criteria": [{"name": "a", "weight": 1.0}]}, "options.criteria[0].description"),
        ({"criteria": [TWO[0], {**TWO[0], "weight": 0.25}]}, "allowed is names that differ from each other"),
        ({"colour": "red"}, "options.colour is not an option of the grader judge"),
    ],
)
def test_options_that_are_not_allowed_are_refused_by_name(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        graders.build("judge", options)
    assert expected in str(refused.value)
