"""Metrics are printed as CloudWatch's embedded metric format allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contracts import emf
from contracts.metrics import Metric


def records(values: dict[Metric, Any], *, run_id: str | None = "run-1") -> list[dict[str, Any]]:
    return [json.loads(line) for line in emf.lines(values, environment="dev", run_id=run_id, now_ms=1_700_000_000_000)]


def test_a_record_names_every_metric_with_its_unit_and_the_sets_its_definition_asks_for() -> None:
    assert records({Metric.REWARD: [1.0, 0.5], Metric.GRADER_LATENCY: 3.5}) == [
        {
            "_aws": {
                "Timestamp": 1_700_000_000_000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "RFT",
                        "Dimensions": [["Environment"], ["Environment", "RunId"]],
                        "Metrics": [{"Name": "Reward", "Unit": "None", "StorageResolution": 1}],
                    },
                    {
                        "Namespace": "RFT",
                        "Dimensions": [["Environment"]],
                        "Metrics": [{"Name": "GraderLatency", "Unit": "Milliseconds", "StorageResolution": 1}],
                    },
                ],
            },
            "Environment": "dev",
            "RunId": "run-1",
            "Reward": [1.0, 0.5],
            "GraderLatency": 3.5,
        }
    ]


def test_without_a_run_there_is_one_dimension_set() -> None:
    (record,) = records({Metric.REWARD: 1}, run_id=None)
    assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"]]
    assert "RunId" not in record


def test_more_than_a_hundred_values_go_on_in_further_records() -> None:
    values = [float(number) for number in range(250)]
    found = records({Metric.REWARD: values, Metric.SAMPLES_GRADED: 250})
    assert [value for record in found for value in record["Reward"]] == values
    assert [len(record["Reward"]) for record in found] == [100, 100, 50]
    assert [record.get("SamplesGraded") for record in found] == [250, None, None]


def test_what_is_not_finite_or_empty_is_left_out() -> None:
    nan, infinite = float("nan"), float("inf")
    (record,) = records({Metric.REWARD: [1.0, nan, infinite], Metric.GROUP_SPREAD: [], Metric.GRADER_LATENCY: nan})
    assert record["Reward"] == 1.0
    assert not {"GroupSpread", "GraderLatency"} & record.keys()
    assert records({Metric.REWARD: [nan], Metric.GROUP_SPREAD: []}) == []


def test_of_no_metrics_there_is_no_record() -> None:
    assert emf.lines({}, environment="dev", run_id="run-1", now_ms=1, noted=',"more":1') == []


def test_whole_numbers_and_fractions_keep_their_kind_and_value() -> None:
    (record,) = records({Metric.RESPONSE_LENGTH: [1, 0, 70_000], Metric.REWARD: [1.0, 0.0, 1e-7], Metric.GROUP_SPREAD: [1, 0.5, True]})
    assert repr(record["ResponseLength"]) == "[1, 0, 70000]"
    assert repr(record["Reward"]) == "[1.0, 0.0, 1e-07]"
    assert record["GroupSpread"] == [1, 0.5, True]


def test_a_record_is_one_line_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    emf.emit({Metric.REWARD: [1.0] * 150}, environment="dev", run_id=None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(json.loads(line)["Environment"] == "dev" for line in lines)
