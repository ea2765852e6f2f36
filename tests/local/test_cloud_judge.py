"""A judged reward in the local cloud: the deployed handler, its role, the stand-in's judge, and what happens when it fails."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import names
from reward import graders
from reward.contract import Sample
from reward.judging.consistency import Pair, repeat, swap
from reward.judging.judge import Judge
from reward.judging.options import read

from local.bedrock import faults_client

LAMBDA = Path(__file__).resolve().parents[2] / "lambda"
PROFILE = "us.amazon.nova-pro-v1:0"
PROFILE_ARN = f"arn:aws:bedrock:us-east-1:000000000000:inference-profile/{PROFILE}"
GOOD = "The cat sat on the mat because it was warm."
PRICES = {"input_usd_per_million": 0.8, "output_usd_per_million": 3.2}


def package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for folder in ("reward", "contracts"):
            for path in (LAMBDA / folder).rglob("*.py"):
                archive.write(path, path.relative_to(LAMBDA))
    return buffer.getvalue()


def item(number: int, response: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Where did the cat sit, and why?"}, {"role": "assistant", "content": response}]
    return {"id": f"s{number}", "messages": messages, "metadata": {"reference_answer": GOOD, names.META_RUN_ID: "judged-run"}}


EVENT = [item(0, GOOD), item(1, "Dogs bark."), item(2, "The cat sat on a mat."), item(3, "")]


@pytest.fixture
def deployed(bench: Any, allowing: Any) -> Iterator[Any]:
    """Deploys the reward with a judge's options and grades with it."""

    class Deployed:
        def __init__(self) -> None:
            self.function = ""

        def make(self, *, resource: str = PROFILE_ARN, **options: Any) -> None:
            role = bench.role("lambda.amazonaws.com", allowing("bedrock:InvokeModel", resource=resource))
            variables = {
                names.ENV_ENVIRONMENT: "dev",
                names.ENV_GRADER: "judge",
                names.ENV_GRADER_OPTIONS: json.dumps({"model": PROFILE, "deadline_seconds": 5, **options}),
            }
            self.function = bench.client("lambda").create_function(
                FunctionName=bench.name("judge"),
                Role=role,
                Runtime="python3.14",
                Handler="reward.handler.handler",
                Code={"ZipFile": package()},
                Timeout=60,
                MemorySize=512,
                Environment={"Variables": variables},
            )["FunctionArn"]

        def grade(self, event: Any = EVENT) -> tuple[Any, bool]:
            found: tuple[Any, bool] = bench.invoke(self.function, event)
            return found

        def logged(self, word: str, waiting: Any) -> str:
            name = self.function.rsplit(":", 1)[1]

            def look() -> str:
                events = bench.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}").get("events", [])
                text = "\n".join(each["message"] for each in events)
                return text if word in text else ""

            found: str = waiting(look)
            return found

    yield Deployed()
    faults_client.clear(bench.endpoint)


@pytest.mark.parametrize("answer_by", ["tool", "text"])
def test_the_deployed_reward_is_judged_and_says_what_it_cost(deployed: Any, waiting: Any, answer_by: str) -> None:
    deployed.make(answer_by=answer_by, **PRICES)
    results, failed = deployed.grade()
    assert not failed
    scores = [each["aggregate_reward_score"] for each in results]
    assert [each["id"] for each in results] == ["s0", "s1", "s2", "s3"]
    assert scores[0] == 1.0 > scores[2] > scores[1] == scores[3] == 0.0
    assert [metric["name"] for metric in results[0]["metrics_list"]] == ["follows", "correct", "nothing_extra"]
    log = deployed.logged("JudgeCalls", waiting)
    (line,) = [json.loads(each) for each in log.splitlines() if "JudgeCalls" in each]
    assert (line["JudgeCalls"], line["JudgeErrors"], line["RunId"]) == (3, 0, "judged-run")
    assert line["JudgeCost"] == pytest.approx((line["JudgeInputTokens"] * 0.8 + line["JudgeOutputTokens"] * 3.2) / 1e6)
    assert "cat" not in log and "Dogs" not in log


@pytest.mark.parametrize(
    "fault",
    [
        ("throttle", {"operation": "Converse", "count": 3}),
        ("judge_malformed", {"count": 3}),
        ("server_error", {"operation": "Converse", "count": 3}),
    ],
)
def test_a_judge_that_fails_for_a_while_changes_no_score(deployed: Any, bench: Any, fault: tuple[str, dict[str, Any]]) -> None:
    deployed.make(attempts=8, concurrency=2)
    undisturbed, _ = deployed.grade()
    faults_client.set_fault(bench.endpoint, fault[0], **fault[1])
    disturbed, failed = deployed.grade()
    assert not failed
    assert disturbed == undisturbed


def test_a_judge_that_stays_away_fails_the_batch_so_that_bedrock_retries(deployed: Any, bench: Any, waiting: Any) -> None:
    deployed.make(attempts=2)
    faults_client.set_fault(bench.endpoint, "throttle", operation="Converse", count=0)
    error, failed = deployed.grade()
    assert failed and error["errorType"] == "BatchFailed"
    assert "ThrottlingException" in error["errorMessage"]
    log = deployed.logged("JudgeCalls", waiting)
    assert '"GraderFaults":1' in log and "cat" not in log + json.dumps(error)


def test_a_judge_that_stays_away_leaves_samples_ungraded_where_the_policy_says_so(deployed: Any, bench: Any, waiting: Any) -> None:
    deployed.make(attempts=2, unanswered="ungraded")
    faults_client.set_fault(bench.endpoint, "judge_malformed", count=0)
    results, failed = deployed.grade()
    assert not failed
    assert {each["aggregate_reward_score"] for each in results} == {0.0}
    log = deployed.logged("OutcomeJudgeError", waiting)
    (line,) = [json.loads(each) for each in log.splitlines() if "OutcomeJudgeError" in each]
    assert (line["OutcomeJudgeError"], line["GraderFaults"], line["OutcomeWrong"]) == (3, 3, 1)


@pytest.mark.parametrize(
    "resource", [PROFILE_ARN.replace("nova-pro", "nova-lite"), "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"]
)
def test_a_role_that_may_not_invoke_the_judge_gets_no_score(deployed: Any, resource: str) -> None:
    deployed.make(resource=resource, unanswered="ungraded")
    error, failed = deployed.grade()
    assert failed and "AccessDeniedException" in error["errorMessage"]


def test_a_slow_judge_is_asked_side_by_side(deployed: Any, bench: Any) -> None:
    deployed.make(concurrency=8, deadline_seconds=30)
    deployed.grade()
    faults_client.set_fault(bench.endpoint, "slow_judge", seconds=3.0)
    event = [item(number, f"The cat sat on mat number {number}.") for number in range(8)]
    started = time.perf_counter()
    results, failed = deployed.grade(event)
    assert not failed and len(results) == 8
    assert time.perf_counter() - started < 24, "as long as they take one after the other"


def test_the_consistency_check_runs_against_the_stand_in(bench: Any) -> None:
    messages = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": GOOD}]
    samples = [Sample("1", GOOD, GOOD, messages, {}), Sample("2", "Dogs bark.", GOOD, messages, {})]
    for answer_by in ("tool", "text"):
        options = graders.options_of("judge") | {"model": PROFILE, "answer_by": answer_by}
        judge = Judge(read(**options), client=lambda _options: bench.client("bedrock-runtime"))
        assert repeat(judge, samples).same == 1.0
        found = swap(judge, [Pair(sample, "The cat sat.") for sample in samples])
        assert (found.pairs, found.consistent, found.first_favoured) == (2, 1.0, 0.0)
