"""A look at the released model: which five minutes, of which deployment, and what is published of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from contracts.metrics import NAMESPACE

from stacks.released_definition import released_definition
from tests.released.looking import DEPLOYMENT, Model

AT = datetime(2026, 11, 20, 12, 8, 30, tzinfo=UTC)
DEFINITION = released_definition(environment="prod", pointer="/rft/prod/released-model")


def looked(model: Model, at: datetime = AT) -> dict[str, float]:
    return {point["MetricName"]: point["Value"] for point in model.look(DEFINITION, at)}


def test_it_asks_of_the_pointers_deployment_what_aws_counted_in_the_last_whole_five_minutes() -> None:
    model = Model(answered=40, failed=2, throttled=3, latency=1234.5)
    assert looked(model) == {"ReleasedRequests": 45, "ReleasedErrors": 5, "ReleasedLatency": 1234.5, "ReleasedDown": 0}
    assert model.asked["ssm:getParameter"] == {"Name": "/rft/prod/released-model"}
    asked = model.asked["cloudwatch:getMetricData"]
    assert (asked["StartTime"], asked["EndTime"]) == ("2026-11-20T12:00:00.000Z", "2026-11-20T12:05:00.000Z")
    for query in asked["MetricDataQueries"]:
        assert query["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "ModelId", "Value": DEPLOYMENT}]


def test_each_five_minutes_are_looked_at_once_whatever_second_the_schedule_began_at() -> None:
    for second in range(0, 300, 17):
        windows = []
        for look in range(12):
            model = Model(answered=1)
            looked(model, AT.replace(minute=0, second=0) + timedelta(seconds=second + 300 * look))
            windows.append(model.asked["cloudwatch:getMetricData"]["StartTime"])
        assert len(set(windows)) == 12
        assert windows == sorted(windows)


def test_the_points_carry_the_environment_and_the_time_of_the_look() -> None:
    model = Model(answered=1)
    for point in model.look(DEFINITION, AT):
        assert point["Dimensions"] == [{"Name": "Environment", "Value": "prod"}]
        assert point["Timestamp"] == "2026-11-20T12:08:30Z"
    assert model.asked["cloudwatch:putMetricData"]["Namespace"] == NAMESPACE


@pytest.mark.parametrize(
    ("model", "published"),
    [
        (Model(), {"ReleasedDown": 0}),
        (Model(throttled=4), {"ReleasedRequests": 4, "ReleasedErrors": 4, "ReleasedDown": 0}),
        (Model(status=None), {"ReleasedDown": 1}),
        (Model(status="Failed", answered=3), {"ReleasedRequests": 3, "ReleasedErrors": 0, "ReleasedLatency": 800, "ReleasedDown": 1}),
        (Model(released=None, answered=5), {}),
    ],
    ids=["nobody asked", "all throttled", "deployment deleted", "deployment failed", "nothing released"],
)
def test_what_was_not_measured_is_left_out(model: Model, published: dict[str, float]) -> None:
    assert looked(model) == published


def test_what_the_evaluation_asked_before_the_release_is_not_counted() -> None:
    assert looked(Model(answered=96, throttled=30, released=timedelta(minutes=8, seconds=29))) == {}
    assert looked(Model(answered=96, throttled=30, released=timedelta(minutes=8, seconds=30)))["ReleasedErrors"] == 30
