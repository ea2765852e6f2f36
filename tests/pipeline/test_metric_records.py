"""Embedded metric format: what CloudWatch accepts, and nothing it refuses."""

from __future__ import annotations

import json
import math

import pytest
from contracts.emf import MAX_VALUES, emit, lines
from contracts.metrics import Metric
from hypothesis import given
from hypothesis import strategies as st


def test_one_moment_is_one_line_and_only_some_metrics_are_the_runs_own(capsys: pytest.CaptureFixture[str]) -> None:
    emit({Metric.REWARD: [0.0, 1.0], Metric.SAMPLES_GRADED: 2, Metric.OUTCOME_CORRECT: 1}, environment="dev", run_id="a-run")
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)

    own, shared = record["_aws"]["CloudWatchMetrics"]
    assert own["Dimensions"] == [["Environment"], ["Environment", "RunId"]]
    assert shared["Dimensions"] == [["Environment"]]
    assert {metric["Name"]: metric["StorageResolution"] for metric in own["Metrics"]} == {"Reward": 1}
    assert {metric["Name"]: metric["StorageResolution"] for metric in shared["Metrics"]} == {"SamplesGraded": 1, "OutcomeCorrect": 60}
    assert (record["Environment"], record["RunId"], record["Reward"], record["SamplesGraded"]) == ("dev", "a-run", [0.0, 1.0], 2)


def test_without_a_run_there_is_no_run_dimension() -> None:
    (record,) = map(json.loads, lines({Metric.DATASET_REJECTED: 1}, environment="dev", run_id=None, now_ms=1))
    assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"]]
    assert "RunId" not in record


@given(st.lists(st.floats(), max_size=450), st.lists(st.floats(0, 1), max_size=150))
def test_no_value_is_lost_or_repeated_and_none_is_not_a_number(long: list[float], short: list[float]) -> None:
    found = [
        json.loads(line) for line in lines({Metric.REWARD: long, Metric.RESPONSE_LENGTH: short}, environment="dev", run_id="r", now_ms=1)
    ]

    for metric, given_ in ((Metric.REWARD, long), (Metric.RESPONSE_LENGTH, short)):
        parts = [record[metric.metric_name] for record in found if metric.metric_name in record]
        series = [value for part in parts for value in (part if isinstance(part, list) else [part])]
        assert series == [value for value in given_ if math.isfinite(value)]
        assert all(len(part) <= MAX_VALUES for part in parts if isinstance(part, list))
    for record in found:
        named = {metric["Name"] for metric in record["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        assert named == record.keys() - {"_aws", "Environment", "RunId"}, "a metric that is named must be there, and the other way round"
