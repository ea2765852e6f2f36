"""Given the deployed entry point with a judge in its settings: contract kept, cost told, nothing of any text told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contracts import names
from contracts.metrics import Metric
from reward import batches, grading
from reward.batches import BatchFailed
from reward.graders import build
from reward.handler import configured, handler
from reward.score import METRIC_OF, Outcome, Score

from tests.reward.judge_fakes import FakeConverse, error, levels, used

CANARY = "canary-heliotrope"


def item(text: str, ident: str = "a", **meta: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{CANARY}?"}, {"role": "assistant", "content": text}]
    return {"id": ident, "messages": messages, "metadata": {"reference_answer": CANARY, **meta}}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FakeConverse]]:
    """Puts a judge with this fake behind the handler."""

    def make(reply: Callable[[dict[str, Any]], Any], *, grader: str = "judge", **options: Any) -> FakeConverse:
        fake = FakeConverse(reply)
        monkeypatch.setattr("reward.judging.asking.FIRST_WAIT", 0.001)
        monkeypatch.setattr("boto3.client", lambda *_args, **_more: fake)
        monkeypatch.setenv(names.ENV_ENVIRONMENT, "dev")
        monkeypatch.setenv(names.ENV_GRADER, grader)
        monkeypatch.setenv(names.ENV_GRADER_OPTIONS, json.dumps(options))
        configured.cache_clear()
        return fake

    yield make
    configured.cache_clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_bad_items_are_told_apart_and_the_rest_is_asked_about_in_order(judged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake = judged(lambda request: used(levels(5 if "good" in str(request["messages"]) else 1)))
    event = [item("good", "1"), {"id": "2"}, item("poor", "3"), item("x" * 500_001, "4"), CANARY, item("good too", "6")]
    results = handler(event)
    assert [(each["id"], each["aggregate_reward_score"]) for each in results] == [
        ("1", 1.0), ("2", 0.0), ("3", 0.0), ("4", 0.0), ("sample-4", 0.0), ("6", 1.0),
    ]  # fmt: skip
    assert len(fake.asked) == 3
    (outcomes,) = [line for line in lines(capsys) if "OutcomeInvalid" in line]
    assert (outcomes["OutcomeInvalid"], outcomes["OutcomeOversize"], outcomes["OutcomeCorrect"]) == (2, 1, 2)


def test_what_a_batch_cost_is_told_under_its_run_and_once(judged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    judged(lambda _: used(levels(3)), input_usd_per_million=1.0, output_usd_per_million=2.0)
    for _ in range(2):
        handler([item("one", rft_run_id="run-7"), item("two", rft_run_id="run-7")])
        (spent,) = [line for line in lines(capsys) if "JudgeCalls" in line]
        assert (spent["JudgeCalls"], spent["JudgeInputTokens"], spent["JudgeOutputTokens"], spent["RunId"]) == (2, 200, 20, "run-7")
        assert spent["JudgeCost"] == pytest.approx(240e-6)


@pytest.mark.parametrize("run_id", [CANARY + " x", 7, None, {"a": 1}, "a" * 49])
def test_a_crafted_run_id_is_no_dimension(judged: Any, capsys: pytest.CaptureFixture[str], run_id: object) -> None:
    judged(lambda _: used(levels(3)))
    handler([item("one", rft_run_id=run_id)])
    assert "RunId" not in next(line for line in lines(capsys) if "JudgeCalls" in line)


def test_a_batch_that_fails_still_tells_what_it_cost_and_counts_as_a_fault(judged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    judged(lambda _: used({"follows": {"reason": CANARY, "score": 9}}), attempts=2)
    with pytest.raises(BatchFailed) as failed:
        handler([item(CANARY)])
    told = lines(capsys)
    assert {"JudgeCalls": 2, "JudgeErrors": 2}.items() <= next(line for line in told if "JudgeCalls" in line).items()
    assert next(line for line in told if "GraderFaults" in line)["GraderFaults"] == 1
    assert CANARY not in json.dumps(told) + str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    "reply", [used(levels(5)), used({CANARY: CANARY}), error("ValidationException"), error("ThrottlingException", 429)]
)
def test_nothing_of_any_text_is_printed(judged: Any, capfd: pytest.CaptureFixture[str], reply: Any) -> None:
    judged(lambda _: reply, attempts=1, unanswered="ungraded")
    handler([item(CANARY, rft_run_id=f"{CANARY} x")])
    captured = capfd.readouterr()
    assert captured.out and CANARY not in captured.out + captured.err


def test_a_judge_as_a_part_is_asked_for_the_whole_batch_and_its_failure_is_not_swallowed(judged: Any) -> None:
    parts = [
        {"name": "near", "grader": "math", "options": {"mode": "lenient"}, "weight": 0.5},
        {"name": "judged", "grader": "judge", "options": {"concurrency": 4, "attempts": 1}, "weight": 0.5},
    ]
    fake = judged(lambda _: used(levels(5)), grader="composite", parts=parts)
    fake.meet(4)
    event = [item(f"so it is #### {n}", str(n)) | {"metadata": {"reference_answer": "3"}} for n in range(4)]
    assert [each["aggregate_reward_score"] for each in handler(event)] == [0.5, 0.5, 0.5, 1.0]
    assert fake.most == 4
    judged(lambda _: used({}), grader="composite", parts=parts)
    with pytest.raises(BatchFailed):
        handler(event)


def test_a_grader_that_fails_the_batch_on_one_sample_is_not_scored_for_it() -> None:
    def grade(_sample: Any) -> Score:
        raise BatchFailed("no verdict")

    with pytest.raises(BatchFailed):
        grading.grade_all([item("x")], grade)


def test_a_grader_that_loses_a_sample_fails_the_batch() -> None:
    class Short:
        def __call__(self, _sample: Any) -> Score:
            return Score(1.0, Outcome.CORRECT)

        def batch(self, samples: Any) -> list[Score]:
            return [Score(1.0, Outcome.CORRECT)] * (len(samples) - 1)

    with pytest.raises(BatchFailed, match="1 scores for 2 samples"):
        grading.grade_all([item("x"), item("y")], Short())


def test_a_score_out_of_range_in_a_batch_is_an_internal_error() -> None:
    class Wild:
        def __call__(self, _sample: Any) -> Score:
            raise AssertionError("asked one by one")

        def batch(self, samples: Any) -> list[Score]:
            return [Score(value, Outcome.CORRECT) for value in (1.0, 1.5, float("nan"))][: len(samples)]

    graded = grading.grade_all([item("x"), item("y"), item("z")], Wild())
    assert graded.outcomes == [Outcome.CORRECT, Outcome.INTERNAL_ERROR, Outcome.INTERNAL_ERROR]


def test_a_grader_without_a_batch_is_handed_on_untouched() -> None:
    grade = build("math")
    assert batches.ahead([item("x")], grade, longest=10) is grade


def test_a_judge_error_has_its_own_metric() -> None:
    assert METRIC_OF[Outcome.JUDGE_ERROR] is Metric.OUTCOME_JUDGE_ERROR
