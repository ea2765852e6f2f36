"""The trend of a job: steps counted from the grader's own records, gone on with, joined and merged with the job's output."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts import names
from contracts.metrics import REWARD_BY_SPLIT, Metric
from contracts.trends import BY_PATH, GRADER, JUDGE, MAX_COMPONENTS, OUTPUT, STEP, TABLES, TRAINING, TRENDS, VALIDATION
from hypothesis import given
from hypothesis import strategies as st
from pipeline import grader_log, trend
from pipeline.grader_log import Record
from reward import grading, telemetry
from reward.handler import configured

RUN = "a-run"
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)


def record(at: int, rewards: list[float], split: str = names.SPLIT_TRAIN, **members: Any) -> Record:
    return Record(at=NOON + at, split=split, members={REWARD_BY_SPLIT[split].metric_name: rewards, **members})


def judged(at: int, usd: float) -> Record:
    return Record(at=NOON + at, split=names.SPLIT_TRAIN, members={"JudgeCalls": 2, "JudgeInputTokens": 900, "JudgeCost": usd})


def test_steps_are_counted_by_what_was_graded() -> None:
    found = trend.steps([], [record(n, [0.0, 0.5, 1.0, 0.5]) for n in range(4)], 8)
    assert [(step["since"], step["step"], step["training"]["graded"]) for step in found] == [(0, 1, 8), (1, 2, 8)]
    assert (found[0]["began"], found[0]["at"]) == ("2026-11-20T12:00:00.000+00:00", "2026-11-20T12:00:00.001+00:00")
    (large,) = trend.steps([], [record(0, [1.0] * 24)], 8)
    assert (large["since"], large["step"]) == (0, 3), "a call that holds several steps is all of them"


def test_a_step_holds_the_figures_of_what_was_graded() -> None:
    rewards = [n / 10 for n in range(11)]
    (step,) = trend.steps(
        [],
        [
            record(
                0,
                rewards,
                GroupSpread=[0.0, 0.2, 0.0, 0.4],
                ResponseLength=[100, 200],
                OutcomeCorrect=7,
                OutcomeTimeout=4,
                GraderLatency=20.0,
                Components={"clear": [5.5, 11]},
            ),
            record(1, [], GraderLatency=40.0),
            judged(2, 0.25),
            judged(3, 0.5),
        ],
        100,
    )
    trained = step["training"]
    assert {key: trained[key] for key in ("graded", "reward", "reward_p10", "reward_p50", "reward_p90")} == {
        "graded": 11, "reward": 0.5, "reward_p10": 0.1, "reward_p50": 0.5, "reward_p90": 0.9,
    }  # fmt: skip
    assert (trained["groups"], trained["spread"], trained["no_spread"]) == (4, 0.15, 0.5)
    assert (trained["length"], trained["length_p90"]) == (150.0, 190.0)
    assert (trained["outcomes"], trained["components"]) == ({"correct": 7, "timeout": 4}, {"clear": 0.5})
    assert step["grader"] == {"calls": 2, "ms": 30.0, "ms_p50": 30.0, "ms_p95": 39.0, "ms_p99": 39.8}
    assert step["judge"] == {"calls": 4, "errors": 0, "input_tokens": 1800, "output_tokens": 0, "usd": 0.75}
    assert "validation" not in step


def test_validation_is_told_apart_and_belongs_to_the_step_that_was_trained_last() -> None:
    found = trend.steps([], [record(0, [1.0] * 8), record(1, [0.0, 1.0], names.SPLIT_VALIDATION, OutcomeWrong=1), record(2, [0.5] * 8)], 8)
    assert found[0]["validation"]["reward"] == 0.5
    assert (found[0]["validation"]["outcomes"], found[0]["training"]["outcomes"]) == ({"wrong": 1}, {})
    assert "validation" not in found[1]


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    looks=st.lists(st.integers(0, 60), max_size=6),
    per_step=st.integers(1, 30),
)
def test_a_trend_gone_on_with_is_the_trend_read_at_once(sizes: list[int], looks: list[int], per_step: int) -> None:
    noise = random.Random(sum(sizes))
    # Several records of a moment, and validation between them, as calls run beside each other.
    records = [
        record(n // 2 * 1000, [noise.random() for _ in range(size)], noise.choice([names.SPLIT_TRAIN] * 3 + [names.SPLIT_VALIDATION]))
        for n, size in enumerate(sizes)
    ]
    kept: list[trend.Step] = []
    for look in sorted(looks):
        until = NOON + look * 1000
        since = after(kept)
        found = trend.steps(kept, [one for one in records if since <= one.at <= until], per_step)
        kept = found[: trend.settled(found, datetime.fromtimestamp(until / 1000, UTC) + timedelta(milliseconds=1))]
    gone_on = trend.steps(kept, [one for one in records if one.at >= after(kept)], per_step)
    assert gone_on == trend.steps([], records, per_step)


def after(kept: list[trend.Step]) -> int:
    return int(datetime.fromisoformat(kept[-1]["at"]).timestamp() * 1000) + 1 if kept else 0


def test_nothing_settles_that_is_young_or_shares_its_moment_with_the_next_step() -> None:
    found = trend.steps([], [record(0, [1.0] * 8), record(1000, [1.0] * 8), record(1000, [1.0] * 8), record(9000, [1.0] * 8)], 8)
    late = datetime.fromtimestamp(NOON / 1000, UTC) + timedelta(hours=1)
    assert trend.settled(found, late) == 1
    assert trend.settled(found, datetime.fromtimestamp(NOON / 1000, UTC)) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), max_size=300), st.integers(1, 50))
def test_thinning_keeps_number_mean_and_order(rows: list[tuple[float, int]], most: int) -> None:
    full = trend.steps([], [record(n, [mean] * samples) for n, (mean, samples) in enumerate(rows)], 10)
    thin = trend.thinned(full, most)

    assert len(thin) <= most
    assert trend.reward(thin)["samples"] == trend.reward(full)["samples"]
    assert [step["since"] for step in thin[1:]] == [step["step"] for step in thin[:-1]]
    if rows:
        assert trend.reward(thin)["mean"] == pytest.approx(trend.reward(full)["mean"], abs=1e-4)
        assert (thin[-1]["at"], thin[-1]["step"]) == (full[-1]["at"], full[-1]["step"])


def test_joined_steps_weigh_each_figure_by_what_it_is_of() -> None:
    first = {
        "step": 1,
        "since": 0,
        "training": {"graded": 10, "reward": 0.2, "groups": 1, "spread": 0.4, "outcomes": {"wrong": 8}, "components": {"a": 0.0}},
    }
    second = {
        "step": 2,
        "since": 1,
        "training": {"graded": 30, "reward": 0.6, "groups": 3, "spread": 0.0, "outcomes": {"wrong": 1}, "components": {"a": 1.0}},
    }
    joined = trend.totals([first, second])
    assert joined["training"] == {
        "graded": 40, "reward": 0.5, "groups": 4, "spread": 0.1, "outcomes": {"wrong": 9}, "components": {"a": 0.75},
    }  # fmt: skip
    assert trend.reward([]) == {"mean": None, "samples": 0}


def test_the_latest_components_are_those_of_the_last_steps_and_bounded() -> None:
    steps = trend.steps([], [record(n, [1.0] * 8, Components={"clear": [8.0 if n > 1 else 0.0, 8], "old": [n, 8]}) for n in range(4)], 8)
    assert trend.latest_components(steps, 2) == {"clear": 1.0, "old": 0.3125}
    many = trend.steps([], [record(0, [1.0] * 8, Components={f"c{n:02}": [1, 8] for n in range(12)})], 8)
    assert list(trend.latest_components(many, 5)) == [f"c{n:02}" for n in range(MAX_COMPONENTS)]
    assert trend.latest_components([], 5) == {}


def test_the_jobs_own_columns_are_merged_on_the_step() -> None:
    steps = trend.steps([], [record(0, [1.0] * 8), record(1, [1.0] * 16)], 8)
    columns = {
        "training": {1: {"loss": 2.0}, 2: {"loss": 1.0}, 3: {"loss": 0.0, "entropy": 1.0}, 4: {"loss": 9.0}},
        "validation": {3: {"loss": 5.0}},
    }
    merged = trend.with_output(steps, columns)
    assert [(step["step"], step.get("output")) for step in merged] == [
        (1, {"training": {"loss": 2.0}}),
        (3, {"training": {"loss": 0.5, "entropy": 1.0}, "validation": {"loss": 5.0}}),
        (4, {"training": {"loss": 9.0}}),
    ]
    assert "training" not in merged[2], "a step that only the output knows holds nothing graded"
    assert trend.with_output(steps, {}) == steps


def test_every_line_that_is_defined_is_found_in_a_record_the_grader_prints(capsys: pytest.CaptureFixture[str]) -> None:
    def sample(number: int, split: str) -> dict[str, Any]:
        marks = {names.META_RUN_ID: RUN, names.META_SPLIT: split, names.META_RECORD_ID: "one"}
        return {
            "id": str(number),
            "messages": [{"role": "assistant", "content": f"#### {number}"}],
            "metadata": {"reference_answer": "1", **marks},
        }

    for split in (names.SPLIT_TRAIN, names.SPLIT_VALIDATION, names.SPLIT_HELDOUT, names.SPLIT_REHEARSAL):
        graded = grading.grade_all([sample(number, split) for number in range(4)], configured("math", "{}"))
        telemetry.report(graded, environment="dev", milliseconds=3.5)
    lines = capsys.readouterr().out.splitlines()
    records = [grader_log.parsed(line, RUN, at=NOON) for line in lines]
    assert [found.split if found else None for found in records] == ["train", "validation", None, None], "evaluation is no part of a job"

    (step,) = trend.steps([], [*(found for found in records if found), judged(5, 0.1)], 8)
    assert [line.path for line in TRENDS if line.of(step) is None] == []
    assert step.keys() == STEP.keys() - {OUTPUT}
    columns = {f"{part}.{column}" for part in (TRAINING, VALIDATION, GRADER, JUDGE) for column in step[part]}
    assert columns == BY_PATH.keys() | {f"{part}.{table}" for part in (TRAINING, VALIDATION) for table in TABLES}
    for line in TRENDS:
        if line.metric and line.statistic == "Average":
            least, most = line.metric.value.least or 0.0, line.metric.value.most or math.inf
            assert least <= (line.of(step) or 0.0) <= most, line.path
    assert step["validation"]["length"] == 6.0
    assert step["training"]["components"] == {"correct": 0.25, "answered": 1.0}


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 1",
        "{",
        "[]",
        "12",
        json.dumps({"RunId": "another", "Split": "train", "Reward": [1.0]}),
        json.dumps({"RunId": RUN, "Reward": [1.0]}),
        json.dumps({"RunId": RUN, "Split": ["train"]}) + "x",
    ],
)
def test_a_line_that_is_no_record_of_this_run_is_passed_over(line: str) -> None:
    assert grader_log.parsed(line, RUN, at=NOON) is None


def test_what_a_graders_own_code_prints_cannot_break_the_reading() -> None:
    members = {
        "RunId": RUN,
        "Split": "train",
        "Reward": ["x", None, True, 0.5, float("nan")],
        "Components": {"a": [1], "b": "x", "c": [2.0, 4]},
    }
    found = grader_log.parsed(json.dumps(members), RUN, at=NOON)
    assert found is not None
    assert found.values(Metric.REWARD) == [0.5]
    assert list(found.components()) == [("c", 2.0, 4)]
