"""The dashboards: they draw what is emitted, all of it, for their own environment, and say what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from contracts import names
from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

from rft.report.board import read
from stacks.dashboards import environment as environment_dashboard
from stacks.dashboards import run as run_dashboard
from stacks.dashboards.widgets import Widget, of_run, trend
from stacks.settings import EnvironmentSettings
from tests.stacks.template_reader import Synthesised, flat, listed
from tests.stacks.variants import judged_settings

DEFINED = {metric.metric_name for metric in Metric}
JUDGED = {metric.metric_name for metric in Metric if metric.name.startswith("JUDGE_")}
SECTIONS = ["## Runs", "## Trends", "## Cost", "## Health", "## Released model"]


def bodies(environment: Synthesised) -> dict[str, dict[str, Any]]:
    """The dashboards' bodies by name."""
    found = environment.of_type("AWS::CloudWatch::Dashboard").values()
    return {board["Properties"]["DashboardName"]: json.loads(flat(board["Properties"]["DashboardBody"])) for board in found}


def graphs(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {widget["properties"]["title"]: widget["properties"] for widget in body["widgets"] if widget["type"] == "metric"}


def drawn(body: dict[str, Any]) -> list[list[Any]]:
    return [line for graph in graphs(body).values() for line in graph["metrics"]]


def of_the_project(body: dict[str, Any]) -> list[list[Any]]:
    return [line for line in drawn(body) if line[0] == NAMESPACE]


@pytest.fixture(scope="session")
def judged(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    return synthesise(judged_settings())


def test_an_environment_has_one_dashboard_and_one_for_any_of_its_runs(environment: Synthesised) -> None:
    name = environment.settings.name
    assert set(bodies(environment)) == {names.dashboard(name), names.run_dashboard(name)}
    texts = [w["properties"]["markdown"] for w in bodies(environment)[names.dashboard(name)]["widgets"] if w["type"] == "text"]
    assert [text for text in texts if text.startswith("##")] == SECTIONS


def test_the_dashboard_of_an_environment_draws_all_runs_of_its_own(environment: Synthesised) -> None:
    lines = of_the_project(bodies(environment)[names.dashboard(environment.settings.name)])
    assert {line[1] for line in lines} <= DEFINED
    assert {tuple(line[2:-1]) for line in lines} == {(DIMENSION_ENVIRONMENT, environment.settings.name)}


def test_every_metric_of_the_project_is_on_the_dashboard(dev: Synthesised, judged: Synthesised) -> None:
    def names_on(environment: Synthesised) -> set[str]:
        body = bodies(environment)[names.dashboard("dev")]
        searched = [re.findall(rf'{{{NAMESPACE},.*}} MetricName="(\w+)" Environment="dev"', str(line[0])) for line in drawn(body)]
        return {line[1] for line in of_the_project(body)} | {name for found in searched for name in found}

    assert names_on(judged) == DEFINED
    assert names_on(dev) == DEFINED - JUDGED


def test_a_run_is_drawn_by_what_is_published_for_each_run(judged: Synthesised) -> None:
    body = bodies(judged)[names.run_dashboard("dev")]
    lines = [line for line in of_the_project(body) if DIMENSION_RUN in line]
    assert {line[1] for line in lines} == {metric.metric_name for metric in Metric if metric.value.per_run}
    assert {tuple(line[2:-1:2]) for line in lines} == {(DIMENSION_ENVIRONMENT, DIMENSION_RUN)}


def test_a_run_is_chosen_among_those_that_have_a_reward(environment: Synthesised) -> None:
    (variable,) = bodies(environment)[names.run_dashboard(environment.settings.name)]["variables"]
    assert (variable["type"], variable["property"], variable["populateFrom"]) == ("property", DIMENSION_RUN, DIMENSION_RUN)
    assert variable["search"] == f'{{{NAMESPACE},{DIMENSION_ENVIRONMENT},{DIMENSION_RUN}}} MetricName="{Metric.REWARD.metric_name}"'


def test_every_graph_has_its_meaning_right_below_it_and_nothing_overlaps(environment: Synthesised) -> None:
    for body in bodies(environment).values():
        below = {(w["x"], w["y"]): w["properties"]["markdown"] for w in body["widgets"] if w["type"] == "text"}
        taken: set[tuple[int, int]] = set()
        for widget in body["widgets"]:
            cells = {(widget["x"] + x, widget["y"] + y) for x in range(widget["width"]) for y in range(widget["height"])}
            assert not cells & taken
            taken |= cells
            if widget["type"] == "metric":
                assert len(below[widget["x"], widget["y"] + widget["height"]]) > 40
        assert max(x for x, _ in taken) < 24


@pytest.mark.parametrize("module", [environment_dashboard, run_dashboard])
def test_a_meaning_fits_below_its_graph_and_titles_are_unique(module: Any) -> None:
    widgets: list[Widget] = [widget for section in module.sections(judged=True) for widget in section.widgets]
    assert len({widget.title for widget in widgets}) == len(widgets)
    for widget in widgets:
        assert 60 <= len(widget.meaning) <= 150, (widget.title, len(widget.meaning))
        assert len({line.label for line in widget.lines}) == len(widget.lines) <= 10


def test_alarms_and_guard_rails_are_drawn_where_they_watch(environment: Synthesised) -> None:
    rails, found = environment.settings.guard_rails, graphs(bodies(environment)[names.dashboard(environment.settings.name)])

    def lines(title: str) -> list[tuple[float, str]]:
        return [(line["value"], line["label"]) for line in found[title]["annotations"]["horizontal"]]

    assert lines("Reward") == [(rails.reward_floor, f"guard rail below {rails.reward_floor:g}")]
    assert lines("Spread within groups") == [(rails.spread_floor, f"guard rail below {rails.spread_floor:g}")]
    assert lines("Duration of reward calls")[0][0] == 0.8 * environment.settings.reward.timeout_seconds * 1000
    # A threshold of 0 is the axis.
    assert "annotations" not in found["Must stay at zero"]


def test_every_alarm_is_on_the_dashboard(environment: Synthesised) -> None:
    (shown,) = [
        w["properties"]["alarms"]
        for w in bodies(environment)[names.dashboard(environment.settings.name)]["widgets"]
        if w["type"] == "alarm"
    ]
    made = [name for name, resource in environment.pipeline["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    assert {flat(arn) for arn in listed(shown)} >= {f"${{{name}.Arn}}" for name in made}


def test_deployed_models_are_searched_for_as_none_is_known_when_the_stacks_are_deployed(environment: Synthesised) -> None:
    found = graphs(bodies(environment)[names.dashboard(environment.settings.name)])["Requests to deployed models"]["metrics"]
    assert {line[0]["expression"] for line in found if isinstance(line[0], dict)} == {
        f"SEARCH('{{AWS/Bedrock,ModelId}} MetricName=\"{name}\" deployment', 'Sum')"
        for name in ("Invocations", "InvocationClientErrors", "InvocationServerErrors", "InvocationThrottles")
    }


def test_a_metric_that_no_run_has_is_not_drawn_for_one() -> None:
    with pytest.raises(ValueError, match="JobHours is published for the environment only"):
        of_run(Metric.JOB_HOURS, "Maximum", "hours")
    with pytest.raises(ValueError, match=r"validation\.spread is in a run's record only"):
        trend("validation.spread", "spread")


def test_what_the_report_reads_from_a_deployed_dashboard_is_what_was_defined(judged: Synthesised) -> None:
    found = judged.of_type("AWS::CloudWatch::Dashboard").values()
    deployed = {made["Properties"]["DashboardName"]: flat(made["Properties"]["DashboardBody"]) for made in found}
    for name, module in ((names.dashboard("dev"), environment_dashboard), (names.run_dashboard("dev"), run_dashboard)):
        defined = module.sections(judged=True)
        board = read(name, deployed[name])
        assert [(title, len(graphs)) for title, graphs in board.sections] == [(each.title, len(each.widgets)) for each in defined]
        for graph, widget in zip(board.graphs, [widget for each in defined for widget in each.widgets], strict=True):
            assert (graph.title, graph.meaning, graph.unit, graph.highest) == (widget.title, widget.meaning, widget.unit, widget.highest)
            assert (graph.stacked, graph.lowest) == (widget.stacked, None if widget.negative else 0)
            read_back = [(line.label.partition(" $")[0], line.statistic, line.namespace or None) for line in graph.series]
            assert read_back == [
                (line.label, line.statistic, None if None in line.dimensions.values() else line.namespace) for line in widget.lines
            ]
