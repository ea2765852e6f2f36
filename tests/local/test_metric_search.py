"""`SEARCH` of GetMetricData, and what the local cloud publishes of requests to models."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from ministack.services import cloudwatch as upstream

from local.emulator import alarms, cloudwatch_api, metric_series, model_metrics
from local.emulator.metric_math import MathError
from local.emulator.metric_search import find

DEPLOYMENT = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abc123"
ANOTHER = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/def456"
BASE = "us.amazon.nova-2-lite-v1:0"
OF_DEPLOYMENTS = "SEARCH('{AWS/Bedrock,ModelId} MetricName=\"Invocations\" deployment', 'Sum')"
OK: tuple[int, dict[str, str], bytes] = (200, {}, json.dumps({"usage": {"inputTokens": 12, "outputTokens": 5}}).encode())


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Requests to two deployments and to the base model, in a cloud without any other data."""
    monkeypatch.setattr(alarms, "wake", lambda: None)
    upstream._metrics._data.clear()
    for model, answer in (
        (DEPLOYMENT, OK),
        (DEPLOYMENT, OK),
        (ANOTHER, OK),
        (BASE, OK),
        (DEPLOYMENT, (429, {}, b"{}")),
        (DEPLOYMENT, (503, {}, b"{}")),
        (DEPLOYMENT, (400, {}, b"{}")),
        ("no-such-model", (404, {}, b"{}")),
    ):
        model_metrics.record(f"/model/{model.replace('/', '%2F')}/converse", answer, 0.25)
    yield
    upstream._metrics._data.clear()


def total(name: str, model: str, statistic: str = "Sum") -> float:
    metric = metric_series.Metric(namespace="AWS/Bedrock", name=name, dimensions={"ModelId": model}, period=60, statistic=statistic)
    return sum(metric_series.read(metric, metric_series.Span(0, 1e12)).values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Invocations", 2),
        ("InvocationLatency", 500),
        ("InputTokenCount", 24),
        ("OutputTokenCount", 10),
        ("InvocationThrottles", 1),
        ("InvocationServerErrors", 1),
        ("InvocationClientErrors", 1),
    ],
)
def test_a_request_to_a_model_is_counted_under_its_id(name: str, value: float) -> None:
    assert total(name, DEPLOYMENT) == pytest.approx(value)


def test_a_model_that_does_not_exist_makes_no_metric() -> None:
    assert not [key for key in upstream._metrics if "no-such-model" in str(key)]


def test_a_search_finds_each_deployment_and_no_other_model() -> None:
    found = find({"Id": "q", "Expression": OF_DEPLOYMENTS, "Label": "${PROP('Dim.ModelId')}"}, 60)
    assert [each.label for each in found] == [DEPLOYMENT, ANOTHER]
    assert {each.metric.statistic for each in found} == {"Sum"}
    assert {each.metric.period for each in found} == {60}


def test_an_exact_term_names_one_metric() -> None:
    found = find({"Id": "q", "Expression": f"SEARCH('{{AWS/Bedrock,ModelId}} ModelId=\"{BASE}\"', 'Average', 300)"}, 60)
    assert {each.metric.name for each in found} == {"Invocations", "InvocationLatency", "InputTokenCount", "OutputTokenCount"}
    assert {each.metric.period for each in found} == {300}


def test_a_schema_with_another_dimension_finds_nothing() -> None:
    assert find({"Id": "q", "Expression": OF_DEPLOYMENTS.replace("ModelId", "ModelId,Region")}, 60) == []


@pytest.mark.parametrize(
    "expression",
    ["SEARCH('MetricName=\"x\"', 'Sum')", "SEARCH('{RFT,A} x OR y', 'Sum')", "SEARCH('{RFT,A} x')", "SEARCH('{RFT,A} x-y', 'Sum')"],
)
def test_what_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(MathError, match="cannot read"):
        find({"Id": "q", "Expression": expression}, 60)


def test_a_search_gives_several_results_under_its_id() -> None:
    one = {"Id": "all", "Expression": "1", "Period": 60}
    found = list(cloudwatch_api._found([one, {"Id": "q", "Expression": OF_DEPLOYMENTS, "Period": 60}], start=0, end=60))
    assert [(ident, label) for ident, label, _ in found] == [("all", "1"), ("q", DEPLOYMENT), ("q", ANOTHER)]
