"""A dashboard and the CloudWatch that holds it, made up for the tests of the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

OWN = ["RFT", "Reward", "Environment", "dev"]
OF_RUN = [*OWN, "RunId", "none"]
SEARCH = "SEARCH('{AWS/Bedrock,ModelId} MetricName=\"Invocations\" deployment', 'Sum')"
ARN = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcdef123456"


def graph(title: str, metrics: Sequence[Any], *, x: int = 0, y: int = 1, **more: Any) -> dict[str, Any]:
    left: dict[str, Any] = {"label": more.pop("unit", "score")}
    left |= {key: more.pop(key) for key in ("min", "max") if key in more}
    return {
        "type": "metric",
        "x": x,
        "y": y,
        "width": 8,
        "height": 6,
        "properties": {"title": title, "metrics": list(metrics), "yAxis": {"left": left}, **more},
    }


def text(markdown: str, *, x: int = 0, y: int = 0, height: int = 1) -> dict[str, Any]:
    return {"type": "text", "x": x, "y": y, "width": 8, "height": height, "properties": {"markdown": markdown}}


def body() -> str:
    """Two graphs under a heading, one under a second, and the state of two alarms."""
    floor = {"horizontal": [{"value": 0.05, "label": "alarm below 0.05", "yAxis": "left"}]}
    widgets = [
        {
            "type": "alarm",
            "x": 0,
            "y": 30,
            "width": 24,
            "height": 4,
            "properties": {"alarms": [f"arn:aws:cloudwatch:r:1:alarm:{n}" for n in ALARMS]},
        },
        text("Where each request went.", y=16, height=2),
        graph("Requests", [[{"expression": SEARCH, "label": "answered ${PROP('Dim.ModelId')}", "period": 60}]], y=10, unit="count", min=0),
        text("## Models", y=9),
        text("It should climb.", x=0, y=7, height=2),
        text("It should not.", x=8, y=7, height=2),
        graph("Reward", [[*OF_RUN, {"label": "training", "period": 60}]], min=0, max=1, annotations=floor),
        graph(
            "Outcomes",
            [["RFT", "OutcomeCorrect", "Environment", "dev", {"label": "correct", "stat": "Sum"}]],
            x=8,
            unit="count",
            stacked=True,
        ),
        text("## Trends"),
    ]
    return json.dumps({"widgets": widgets})


_BELOW_FLOOR = "AlarmsRewardBelowFloor4E36E027"
ALARMS = {f"rft-dev-pipeline-{_BELOW_FLOOR}-EB43EDDF": "OK", "devpipelineNeedsPersonAlarm7DF6A100": "ALARM"}


class Cloudwatch:
    """Answers what the report asks; `points` by metric name."""

    def __init__(self, points: Mapping[str, Sequence[tuple[datetime, float]]], body: str = body()) -> None:
        self.points, self.body = points, body
        self.asked: list[dict[str, Any]] = []

    def get_dashboard(self, *, DashboardName: str) -> dict[str, Any]:  # noqa: N803
        if DashboardName != "rft-dev":
            raise ClientError({"Error": {"Code": "ResourceNotFound", "Message": "none"}}, "GetDashboard")
        return {"DashboardBody": self.body}

    def describe_alarms(self, *, AlarmNames: Sequence[str], **_: Any) -> dict[str, Any]:  # noqa: N803
        states = [{"AlarmName": name, "StateValue": ALARMS[name]} for name in AlarmNames]
        return {"MetricAlarms": states[:1], "CompositeAlarms": states[1:]}

    def get_paginator(self, operation: str) -> Cloudwatch:
        assert operation == "get_metric_data"
        return self

    def paginate(self, *, MetricDataQueries: Sequence[dict[str, Any]], StartTime: datetime, EndTime: datetime) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert len(MetricDataQueries) <= 500
        for query in MetricDataQueries:
            self.asked.append({**query, "from": StartTime})
            period = query.get("Period") or query["MetricStat"]["Period"]
            name = "Invocations" if "Expression" in query else query["MetricStat"]["Metric"]["MetricName"]
            inside = [(_begin(at, period), value) for at, value in self.points.get(name, ()) if StartTime <= at < EndTime]
            label = f"answered {ARN}" if "Expression" in query else name
            yield {
                "MetricDataResults": [
                    {"Id": query["Id"], "Label": label, "Timestamps": [at for at, _ in inside], "Values": [value for _, value in inside]}
                ]
            }


def _begin(at: datetime, period: int) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // period * period, UTC)
