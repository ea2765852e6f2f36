"""Given a run in the deployed environment, no widget of its dashboards is empty, and the report draws them all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from contracts import names

from rft.report.board import fetch
from rft.report.board_data import lately, over, rounded
from rft.report.board_pictures import NO_DATA, draw
from rft.target import local_target

pytestmark = pytest.mark.cloud


def test_after_a_run_no_widget_of_the_environment_is_empty_and_all_are_drawn(dev, first_run):
    target = local_target(dev.endpoint, "dev")
    board = fetch(target, names.dashboard("dev"))
    data = lately(target, board, timedelta(hours=1))
    assert [graph.title for graph in data.empty] == []
    assert len(data.alarms) == len(board.alarms) > 20
    assert not [title for title, svg in draw(data, "e").items() if NO_DATA in svg]


def test_after_a_run_no_widget_of_its_own_dashboard_is_empty(dev, first_run):
    target = local_target(dev.endpoint, "dev")
    board = fetch(target, names.run_dashboard("dev"), run_id=first_run.run_id)
    execution = dev.execution(first_run.run_id)
    data = over(target, board, rounded(execution["startDate"], execution["stopDate"]))
    assert [graph.title for graph in data.empty] == []
    graded = sum(value for line in data.lines["Responses graded"] if line.label == "graded" for _, value in line.points)
    assert graded >= 480 * 4 * 3


def test_another_run_has_no_line_of_its_own(dev, first_run):
    target = local_target(dev.endpoint, "dev")
    board = fetch(target, names.run_dashboard("dev"), run_id="no-such-run")
    data = over(target, board, rounded(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)))
    of_the_run = [graph.title for title, graphs in board.sections if title == "The run" for graph in graphs]
    assert [graph.title for graph in data.empty if graph.title in of_the_run] == of_the_run != []
