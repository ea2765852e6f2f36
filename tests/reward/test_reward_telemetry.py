"""What the grader tells of a batch: the metrics of its run, the places of faults, and nothing of any text."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest
from contracts import names
from contracts.errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st
from reward import graders, grading, telemetry
from reward.contract import Sample
from reward.handler import configured, handler
from reward.score import Component, Outcome, Score

RUN = "maths-2026-01"


def sample(answer: str, *, record: str = "a", **metadata: object) -> dict[str, Any]:
    staged = {names.META_RUN_ID: RUN, names.META_SPLIT: names.SPLIT_TRAIN, names.META_RECORD_ID: record}
    return {
        "id": "r",
        "messages": [{"role": "assistant", "content": answer}],
        "metadata": {"reference_answer": "42"} | staged | metadata,
    }


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(names.ENV_ENVIRONMENT, "dev")


def test_a_training_batch_tells_rewards_lengths_spread_and_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    handler(
        [sample("#### 42"), sample("#### 41"), sample("#### 42", record="b"), sample("42", record="b"), sample("#### 4 or 2", record="c")]
    )
    (line,) = lines(capsys)
    assert (line["Environment"], line["RunId"]) == ("dev", RUN)
    assert line["Reward"] == [1.0, 0.0, 1.0, 0.0, 0.0]
    assert line["ResponseLength"] == [7, 7, 7, 2, 11]
    assert line["GroupSpread"] == [0.5, 0.5]
    assert line["SamplesGraded"] == 5
    assert (line["OutcomeCorrect"], line["OutcomeWrong"], line["OutcomeNoMarker"], line["OutcomeUnparsable"]) == (2, 1, 1, 1)
    assert line["GraderFaults"] == 0
    assert 0 < line["GraderLatency"] < 10_000


def test_a_record_notes_its_split_and_validations_lengths_and_spread_which_are_no_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    validation = {names.META_SPLIT: names.SPLIT_VALIDATION}
    handler([sample("#### 42"), sample("#### 42", **validation), sample("#### 4", **validation), sample("no", record="b", **validation)])
    train, validated = lines(capsys)
    assert (train["Split"], validated["Split"]) == ("train", "validation")
    assert (validated["ResponseLength"], validated["GroupSpread"]) == ([7, 6, 2], [0.5])
    assert (train["OutcomeCorrect"], validated["OutcomeCorrect"], validated["OutcomeWrong"], validated["OutcomeNoMarker"]) == (1, 1, 1, 1)


def test_components_are_noted_as_sum_and_number_whether_a_grader_scores_by_outcome_or_by_sample(capsys: pytest.CaptureFixture[str]) -> None:
    batch = [sample("#### 42"), sample("#### 41"), sample("no marker"), sample("#### 42", record="b")]
    handler(batch)
    (line,) = lines(capsys)
    assert line["Components"] == {"correct": [2.0, 4], "answered": [3.0, 4]}
    handler([*batch, {"id": "of the wrong shape"}])
    read_one_by_one = lines(capsys)[0]
    assert read_one_by_one["Components"] == line["Components"], "a sample without components counts in none"


@pytest.mark.parametrize(
    ("parts", "noted"),
    [
        ({"clear": 0.5, "Short/long": 1.0}, {"clear": [1.0, 2], "Short/long": [2.0, 2]}),
        ({"clear": 0.5, 'a "word" of the answer': 1.0}, {"clear": [1.0, 2]}),
        ({"huge": 1.7e308, "clear": 0.5}, {"clear": [1.0, 2]}),
        ({f"name {number}": 0.5 for number in range(telemetry.MAX_COMPONENTS + 1)}, None),
    ],
)
def test_a_component_is_noted_under_a_plain_name_only_and_a_grader_of_many_names_not_at_all(
    parts: dict[str, float], noted: object, capsys: pytest.CaptureFixture[str]
) -> None:
    score = Score(1.0, Outcome.CORRECT, tuple(Component(name=name, value=value, type="Reward") for name, value in parts.items()))
    telemetry.report(grading.grade_all([sample("a"), sample("b")], lambda _sample: score), environment="dev", milliseconds=1.0)
    assert lines(capsys)[0].get("Components") == noted


def test_a_group_with_equal_scores_has_no_spread(capsys: pytest.CaptureFixture[str]) -> None:
    handler([sample("#### 42"), sample("#### 42")])
    (line,) = lines(capsys)
    assert line["GroupSpread"] == 0.0


@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b", "c", 1, None]), st.sampled_from([0.0, 0.25, 1.0])), min_size=1, max_size=24),
    size=st.integers(1, 4),
)
def test_the_spread_of_a_prompt_is_its_standard_deviation_however_the_batch_is_ordered(rows: list[tuple[object, float]], size: int) -> None:
    regular = [(f"p-{index // size}", reward) for index, (_, reward) in enumerate(rows)]
    for batch in (rows, regular, regular + rows, [(f"p-{index % size}", reward) for index, (_, reward) in enumerate(rows)]):
        groups: dict[str, list[float]] = {}
        for record, reward in batch:
            if isinstance(record, str):
                groups.setdefault(record, []).append(reward)
        expected = [statistics.pstdev(group) for group in groups.values() if len(group) > 1]
        assert telemetry._spreads([record for record, _ in batch], [reward for _, reward in batch]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("split", "metric"),
    [(names.SPLIT_VALIDATION, "ValidationReward"), (names.SPLIT_HELDOUT, "EvaluationReward"), (names.SPLIT_REHEARSAL, "RehearsalReward")],
)
def test_another_split_feeds_its_own_metric_and_not_the_training_trend(split: str, metric: str, capsys: pytest.CaptureFixture[str]) -> None:
    handler([sample("#### 42", **{names.META_SPLIT: split}), sample("#### 41", **{names.META_SPLIT: split})])
    (line,) = lines(capsys)
    assert line[metric] == [1.0, 0.0]
    published = {each["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for each in directive["Metrics"]}
    assert not {"Reward", "ResponseLength", "GroupSpread"} & published


def test_the_probes_of_a_rehearsal_are_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    handler([sample("#### 42", **{names.META_SPLIT: names.SPLIT_REHEARSAL, "reference_answer": "none"})])
    (line,) = lines(capsys)
    assert not {"OutcomeBadGold", "GraderFaults"} & line.keys()


def test_runs_and_splits_in_one_batch_are_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    validation = {names.META_SPLIT: names.SPLIT_VALIDATION}
    handler(
        [sample("#### 42"), sample("#### 41", **validation), sample("#### 42", **{names.META_RUN_ID: "other"}), sample("#### 42"), None]
    )
    found = {
        (line.get("RunId"), metric): line[metric] for line in lines(capsys) for metric in ("Reward", "ValidationReward") if metric in line
    }
    assert found == {(RUN, "Reward"): [1.0, 1.0], (RUN, "ValidationReward"): 0.0, ("other", "Reward"): 1.0, (None, "Reward"): 0.0}


def test_records_without_staging_keys_count_as_training_without_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    handler([{"id": "r", "messages": [{"role": "assistant", "content": "#### 42"}], "metadata": {"reference_answer": "42"}}])
    (line,) = lines(capsys)
    assert "RunId" not in line
    assert line["Reward"] == 1.0


def test_what_claims_to_be_a_run_id_is_no_metric_dimension_unless_it_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    claims: list[Any] = ["Not A Run", "x" * 49, "", "a--b", 7, None, ["a"], {"a": 1}]
    handler([sample("#### 42", **{names.META_RUN_ID: claim}) for claim in claims])
    assert all("RunId" not in line for line in lines(capsys))


def test_a_batch_cannot_make_metrics_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    handler([sample("#### 42", **{names.META_RUN_ID: f"run-{number}"}) for number in range(500)])
    assert len({line.get("RunId") for line in lines(capsys)}) < 20


def test_faults_of_data_and_grader_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    handler([sample("#### 42", reference_answer="none"), sample("#### 42"), sample("x" * 600_000)])
    (line,) = lines(capsys)
    assert (line["OutcomeBadGold"], line["OutcomeOversize"], line["GraderFaults"]) == (1, 1, 1)


def test_an_unusable_event_is_counted_before_it_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput):
        handler([])
    (line,) = lines(capsys)
    assert (line["GraderFaults"], line["SamplesGraded"]) == (1, 0)


def test_a_grader_that_fails_costs_its_sample_only_and_leaves_the_place_but_not_the_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def grade(sample: Sample) -> Score:
        if "boom" in sample.response:
            raise KeyError(sample.response)
        values = {"above": 1.5, "below": -0.1, "nan": float("nan"), "inf": float("inf")}
        return Score(values.get(sample.response, 1.0), Outcome.CORRECT)

    monkeypatch.setattr(graders, "build", lambda name, options: grade)
    configured.cache_clear()
    monkeypatch.setenv(names.ENV_GRADER, "failing")
    results = handler([sample(text) for text in ("fine", "boom canary-71", "above", "below", "nan", "inf", "fine")])
    assert [result["aggregate_reward_score"] for result in results] == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    configured.cache_clear()
    metrics, fault = lines(capsys)
    assert (metrics["OutcomeInternalError"], metrics["GraderFaults"]) == (5, 5)
    assert any(key.startswith("KeyError at test_reward_telemetry.py:") for key in fault["faults"])
    assert "canary" not in json.dumps(fault)


CANARY = "canary-heliotrope"


@pytest.mark.parametrize(
    "event",
    [
        [sample(f"{CANARY} #### 42")],
        [sample(f"#### {CANARY}")],
        [sample("#### 42", reference_answer=CANARY)],
        [sample("#### 42", **{CANARY: CANARY, names.META_RUN_ID: f"{CANARY} x", names.META_SPLIT: CANARY, names.META_RECORD_ID: CANARY})],
        [{"id": CANARY, "messages": [{"role": CANARY, "content": CANARY}]}, CANARY, {CANARY: CANARY}],
        [sample(f"<think>{CANARY}"), sample(CANARY * 40_000)],
        {"trajectories": CANARY},
        {CANARY: CANARY},
        CANARY,
        [],
    ],
    ids=range(10),
)
def test_no_text_of_an_event_is_ever_printed_or_raised(event: object, capfd: pytest.CaptureFixture[str]) -> None:
    message = ""
    try:
        handler(event)
    except InvalidInput as error:
        message = str(error)
    captured = capfd.readouterr()
    assert captured.out
    assert CANARY not in captured.out + captured.err + message


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("maths", "{}", "grader = 'maths': allowed is one of"),
        ("math", '{"mood": "strict"}', "options.mood is not an option of the grader math; its options: mode, partial"),
        ("math", '{"mode": "loose"}', "options.mode = 'loose': allowed is one of strict, lenient"),
        ("math", '{"partial": 0.5}', "options.partial = '0.5': allowed is a number from 0 to 0.3"),
        ("math", '{"partial": true}', "allowed is a number from 0 to 0.3"),
        ("math", '{"partial": "0.1"}', "allowed is a number from 0 to 0.3"),
        ("math", '{"partial": NaN}', "allowed is a number from 0 to 0.3"),
        ("math", "[]", "is no JSON object"),
        ("math", "{", "is no JSON object"),
    ],
)
def test_settings_that_name_no_grader_are_refused_with_what_is_allowed(name: str, options: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        configured(name, options)
    assert expected in str(refused.value)


def test_the_environment_chooses_grader_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    event = [sample("The answer is 42.")]
    assert handler(event)[0]["aggregate_reward_score"] == 0.0
    monkeypatch.setenv(names.ENV_GRADER_OPTIONS, '{"mode": "lenient"}')
    assert handler(event)[0]["aggregate_reward_score"] == 1.0
