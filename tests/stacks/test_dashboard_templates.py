"""The dashboard: it draws what is emitted, all of it, for its own environment."""

from __future__ import annotations

import json

from contracts import names
from contracts.metrics import DIMENSION_ENVIRONMENT, NAMESPACE, Metric

from tests.stacks.template_reader import Synthesised, flat, listed

DEFINED = {metric.metric_name for metric in Metric}


def test_the_dashboard_draws_defined_metrics_of_its_own_environment(environment: Synthesised) -> None:
    (dashboard,) = environment.of_type("AWS::CloudWatch::Dashboard").values()
    assert dashboard["Properties"]["DashboardName"] == names.dashboard(environment.settings.name)
    body = json.loads(flat(dashboard["Properties"]["DashboardBody"]))
    drawn = [line for widget in body["widgets"] for line in listed(widget["properties"].get("metrics", []))]
    custom = [line for line in drawn if line[0] == NAMESPACE]
    assert {line[1] for line in custom} <= DEFINED
    assert {Metric.REWARD.metric_name, Metric.GROUP_SPREAD.metric_name, Metric.CANDIDATE_GAIN.metric_name} <= {line[1] for line in custom}
    assert {tuple(line[2:4]) for line in custom} == {(DIMENSION_ENVIRONMENT, environment.settings.name)}


def test_every_metric_of_the_project_is_on_the_dashboard(dev: Synthesised) -> None:
    (dashboard,) = dev.of_type("AWS::CloudWatch::Dashboard").values()
    body = json.loads(flat(dashboard["Properties"]["DashboardBody"]))
    drawn = {line[1] for widget in body["widgets"] for line in widget["properties"].get("metrics", [])}
    assert drawn >= DEFINED
