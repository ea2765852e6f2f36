"""A step of the live trend is shown once all of it is there: CloudWatch answers one query before a data point came, and the next after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from rft import live_trend

FIRST = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = FIRST + timedelta(seconds=1)


def answered(*lines: tuple[list[datetime], list[float]]) -> list[dict[str, Any]]:
    """The steps from what CloudWatch says of reward and number of training, then of validation."""
    client = boto3.client("cloudwatch", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    results = [
        {"Id": f"line{number}", "Timestamps": moments, "Values": values, "StatusCode": "Complete"}
        for number, (moments, values) in enumerate(lines)
    ]
    asked = {"MetricDataQueries": ANY, "StartTime": ANY, "EndTime": ANY}
    with Stubber(client) as stubbed:
        stubbed.add_response("get_metric_data", {"MetricDataResults": results}, asked)
        return live_trend.steps(client, "dev", "run-1", FIRST, SECOND)


@pytest.mark.parametrize(
    "lines",
    [
        (([FIRST], [0.5]), ([FIRST, SECOND], [4, 8]), ([], []), ([SECOND], [2])),
        (([FIRST, SECOND], [0.5, 0.7]), ([FIRST], [4]), ([SECOND], [0.1]), ([], [])),
    ],
    ids=["number before mean", "mean before number"],
)
def test_a_data_point_that_came_between_two_queries_is_shown_at_the_next_look(lines: Any) -> None:
    (step,) = answered(*lines)
    assert (step["step"], step["at"], step["training"]) == (1, FIRST.isoformat(), {"reward": 0.5, "graded": 4})
    assert "validation" not in step


def test_both_splits_of_a_moment_are_one_step() -> None:
    (step,) = answered(([FIRST], [0.5]), ([FIRST], [4]), ([FIRST], [0.25]), ([FIRST], [2]))
    assert (step["training"], step["validation"]) == ({"reward": 0.5, "graded": 4}, {"reward": 0.25, "graded": 2})
