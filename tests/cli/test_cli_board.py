"""Dashboards in the report: what is deployed is what is drawn, over the time in which there is data, for everyone to read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest

from rft.exits import Failure
from rft.report import board_data, board_page
from rft.report.board import fetch, read
from rft.report.board_data import BoardData, Drawn, Window, lately, over, rounded
from rft.report.board_picture import whole
from rft.report.board_pictures import draw, figure, words
from rft.report.command import write_environment
from rft.report.drawing import standalone
from rft.report.gather import ReportData
from rft.report.page import render
from tests.cli.made_board import ARN, SEARCH, Cloudwatch, body

NOW = datetime(2026, 3, 1, 9, 30, 17, tzinfo=UTC)


class Stopped(datetime):
    """A clock that stands still: many tests may run between the import of this module and a test of it."""

    @classmethod
    def now(cls, tz: Any = None) -> Stopped:
        return cls.fromtimestamp(NOW.timestamp(), UTC)


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_data, "datetime", Stopped)


def target(points: dict[str, list[tuple[datetime, float]]]) -> Any:
    return SimpleNamespace(cloudwatch=Cloudwatch(points), environment="dev", local=True, place="the local cloud")


def minutes_ago(*values: float) -> list[tuple[datetime, float]]:
    return [(NOW - timedelta(minutes=len(values) - number), value) for number, value in enumerate(values)]


@pytest.fixture
def data() -> BoardData:
    cloud = target({"Reward": minutes_ago(0.3, 0.5, 0.9), "OutcomeCorrect": minutes_ago(10, 20, 30)})
    board = fetch(cloud, "rft-dev", run_id="run-1")
    assert board is not None
    return over(cloud, board, rounded(NOW - timedelta(minutes=5), NOW))


def test_a_dashboard_is_read_in_reading_order_with_what_stands_below_each_graph() -> None:
    board = read("rft-dev", body(), run_id="run-1")
    assert [(title, [graph.title for graph in graphs]) for title, graphs in board.sections] == [
        ("Trends", ["Reward", "Outcomes"]),
        ("Models", ["Requests"]),
    ]
    reward, outcomes, requests = board.graphs
    assert [graph.meaning for graph in board.graphs] == ["It should climb.", "It should not.", "Where each request went."]
    assert (reward.unit, reward.lowest, reward.highest, reward.stacked) == ("score", 0, 1, False)
    assert [(line.value, line.label) for line in reward.thresholds] == [(0.05, "alarm below 0.05")]
    assert (outcomes.stacked, outcomes.series[0].statistic) == (True, "Sum")
    assert (requests.series[0].search, requests.series[0].statistic) == (SEARCH, "Sum")


def test_the_run_is_put_where_the_dashboard_has_its_variable() -> None:
    assert read("x", body(), run_id="run-1").graphs[0].series[0].dimensions == {"Environment": "dev", "RunId": "run-1"}
    assert read("x", body()).graphs[0].series[0].dimensions["RunId"] == "none"
    assert "RunId" not in read("x", body(), run_id="run-1").graphs[1].series[0].dimensions


def test_a_dashboard_that_is_not_deployed_is_none() -> None:
    assert fetch(target({}), "rft-prod") is None


def test_data_stands_with_its_line_and_a_search_with_each_metric_it_found() -> None:
    cloud = target({"Reward": minutes_ago(0.3, 0.9), "Invocations": minutes_ago(5)})
    board = read("rft-dev", body(), run_id="run-1")
    found = over(cloud, board, rounded(NOW - timedelta(minutes=5), NOW))
    assert [(line.label, line.counts, [value for _, value in line.points]) for line in found.lines["Reward"]] == [
        ("training", False, [0.3, 0.9])
    ]
    assert [(line.label, line.counts) for line in found.lines["Requests"]] == [("answered …/abcdef12", True)]
    assert [graph.title for graph in found.empty] == ["Outcomes"]
    assert ARN not in str(found.lines)


def test_alarms_that_are_on_come_first_and_are_named_as_people_say_them() -> None:
    found = over(target({}), read("rft-dev", body()), rounded(NOW - timedelta(minutes=5), NOW))
    assert found.alarms == [("needs person", "ALARM"), ("reward below floor", "OK")]


@pytest.mark.parametrize(
    ("span", "fine", "coarse"),
    [(timedelta(minutes=1), 1, 60), (timedelta(hours=2), 60, 60), (timedelta(days=1), 900, 900), (timedelta(days=90), 86_400, 86_400)],
)
def test_periods_are_those_cloudwatch_stores_and_still_keeps(span: timedelta, fine: int, coarse: int) -> None:
    cloud = target({})
    over(cloud, read("rft-dev", body()), Window(start=NOW - span, end=NOW))
    by_name = {
        query["MetricStat"]["Metric"]["MetricName"]: query["MetricStat"]["Period"]
        for query in cloud.cloudwatch.asked
        if "MetricStat" in query
    }
    assert by_name == {"Reward": fine, "OutcomeCorrect": coarse}


def test_a_second_is_no_period_for_what_is_older_than_three_hours() -> None:
    cloud = target({})
    over(cloud, read("rft-dev", body()), Window(start=NOW - timedelta(hours=4), end=NOW - timedelta(hours=4) + timedelta(minutes=1)))
    assert {query["MetricStat"]["Period"] for query in cloud.cloudwatch.asked if "MetricStat" in query} == {60}


def test_the_window_closes_in_on_the_data() -> None:
    cloud = target({"Reward": minutes_ago(0.3, 0.5, 0.9)})
    found = lately(cloud, read("rft-dev", body()), timedelta(days=7))
    assert timedelta(minutes=3) <= found.window.end - found.window.start < timedelta(minutes=15)
    assert len(found.lines["Reward"][0].points) == 3


def test_without_any_data_the_whole_time_is_shown() -> None:
    found = lately(target({}), read("rft-dev", body()), timedelta(days=7))
    assert found.window.end - found.window.start >= timedelta(days=7)
    assert len(found.empty) == 3


def test_every_picture_says_in_words_what_it_shows_and_shares_no_id(data: BoardData) -> None:
    ids: list[str] = []
    for title, svg in draw(data, "p").items():
        root = ElementTree.fromstring(svg)
        named = {element.get("id"): element.text for element in root.iter() if element.get("id")}
        label, description = (root.get("aria-labelledby") or "").split()
        assert (root.get("role"), named[label]) == ("img", title)
        assert next(graph.meaning for graph in data.board.graphs if graph.title == title) in str(named[description])
        ids += re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))


def test_a_picture_in_words_has_the_figures_and_the_threshold(data: BoardData) -> None:
    reward, outcomes, requests = data.board.graphs
    assert words(reward, data.lines["Reward"]).startswith(
        "training: from 0.3 to 0.9 score, lowest 0.3, highest 0.9; alarm below 0.05 score."
    )
    assert words(outcomes, data.lines["Outcomes"]).startswith("correct: 60 in all.")
    assert words(requests, []).startswith("No data.")


def test_counts_are_bars_with_their_sum_levels_are_lines_and_nothing_is_said_to_be_nothing(data: BoardData) -> None:
    drawn = draw(data, "p")
    assert "correct (60)" in drawn["Outcomes"]
    assert "training" in drawn["Reward"] and "alarm below 0.05" in drawn["Reward"]
    assert "no data" in drawn["Requests"]


def test_lines_differ_by_more_than_colour(data: BoardData) -> None:
    points = [(NOW - timedelta(minutes=4 - at), 0.1 * at) for at in range(4)]
    lines = [Drawn(label=f"line {number}", counts=False, period=60, points=points) for number in range(3)]
    svg = draw(attrs.evolve(data, lines={**data.lines, "Reward": lines}), "p")["Reward"]
    assert len(set(re.findall(r"stroke-dasharray: ([\d., ]+)", svg))) >= 2
    bars = [Drawn(label=f"bar {number}", counts=True, period=60, points=points) for number in range(3)]
    hatched = draw(attrs.evolve(data, lines={**data.lines, "Reward": bars}), "p")["Reward"]
    assert len(re.findall(r"<pattern", hatched)) == 2


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.3149, "0.315"), (12, "12"), (4784, "4,784"), (48_000, "48k"), (1.25e6, "1.25M")]
)
def test_a_figure_is_short(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_threshold_far_above_the_data_is_said_not_drawn(data: BoardData) -> None:
    graph = attrs.evolve(data.board.graphs[0], highest=None, thresholds=[attrs.evolve(data.board.graphs[0].thresholds[0], value=9.0)])
    board = attrs.evolve(data.board, sections=[("", [graph])])
    assert "far above" in draw(attrs.evolve(data, board=board), "p")["Reward"]


def test_a_whole_dashboard_is_one_picture_with_every_colour_it_uses(data: BoardData) -> None:
    alone = standalone(whole(data, "w"))
    ElementTree.fromstring(alone)
    for said in ("Trends", "Models", "Reward", "It should climb.", "Where each request went."):
        assert f">{said}</text>" in alone
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", alone)) <= set(re.findall(r"(--[a-z0-9-]+):", alone))


def test_the_page_of_an_environment_has_its_alarms_and_every_graph_and_needs_no_network(data: BoardData) -> None:
    page = board_page.render(data, environment="dev", place="the local cloud", local=True, made_at=NOW)
    assert "Alarms: 1 on, 1 quiet" in page
    assert '<li class="alarm">needs person: alarm</li>' in page
    assert page.count("<figcaption>") == 3
    assert "stand-in" in page
    assert not re.search(r"<(script|link|iframe|img)\b|src=", page)


def test_the_report_of_a_run_shows_its_dashboard(report_data: ReportData, data: BoardData) -> None:
    assert "<figcaption>It should climb.</figcaption>" in render(attrs.evolve(report_data, board=data))
    assert "<figcaption>" not in render(report_data)


def test_given_no_run_then_the_environment_is_written_with_one_picture(tmp_path: Path) -> None:
    path = write_environment(target({"Reward": minutes_ago(0.5)}), tmp_path, pictures=True)
    assert path == tmp_path / "rft-dev.html"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rft-dev-dashboard.svg", "rft-dev.html"]


def test_given_no_dashboard_then_the_way_to_one_is_named(tmp_path: Path) -> None:
    missing = target({})
    missing.environment = "stage"
    with pytest.raises(Failure, match="no dashboard rft-stage"):
        write_environment(missing, tmp_path)
