"""The terminal: the chart, the live picture of a run, and the plain lines where there is no terminal."""

from __future__ import annotations

import io
import itertools

import attrs
import pytest
from rich.console import Console

from rft import chart
from rft.chart import Canvas, scale, smoothed, sparkline, text
from rft.follow import follow
from rft.history import steps
from rft.output import Output
from rft.run import summary
from rft.run_view import Point, RunView
from rft.screen import STAND_IN, RunScreen
from tests.cli.made_runs import HAPPY_PATH, at, entries, trend, untrusted


@pytest.mark.parametrize(("columns", "rows"), [(62, 18), (44, 12), (24, 5), (120, 40)])
def test_the_chart_has_the_size_asked_for(columns: int, rows: int) -> None:
    drawn = text(chart.chart(trend(), trend(points=3), columns=columns, rows=rows)).splitlines()
    assert len(drawn) == rows
    assert max(len(line) for line in drawn) <= columns


def test_a_rising_trend_goes_from_lower_left_to_upper_right() -> None:
    points = [Point(at(second), second / 20, 10) for second in range(21)]
    lines = text(chart.chart(points, [], columns=46, rows=14)).splitlines()[:-2]
    first_marked = [next(column for column, sign in enumerate(line[6:]) if sign != " ") for line in lines if line[6:].strip()]
    assert first_marked == sorted(first_marked, reverse=True)
    assert first_marked[0] > 30
    assert first_marked[-1] < 3


def test_plain_means_ascii() -> None:
    assert text(chart.chart(trend(), trend(points=3), columns=60, rows=15, plain=True)).isascii()
    assert sparkline(trend(), plain=True).isascii()


def test_given_no_points_or_one_the_chart_is_drawn_all_the_same() -> None:
    assert len(chart.chart([], [], columns=40, rows=10)) == 10
    assert any(layer == chart.SMOOTH for line in chart.chart(trend(points=1), [], columns=40, rows=10) for _, layer in line)


@pytest.mark.parametrize("values", [(0.0, 0.0), (1.0, 1.0), (0.31, 0.9), (0.5, 0.52), (0.0, 1.0), (0.999, 0.2)])
def test_the_scale_holds_every_value_within_0_and_1(values: tuple[float, float]) -> None:
    low, high = scale([Point(at(0), value, 1) for value in values])
    assert 0 <= low <= min(values) <= max(values) <= high <= 1
    assert high - low > 0.39


def test_smoothing_weighs_by_samples_and_keeps_a_constant() -> None:
    assert smoothed([Point(at(second), 0.5, second + 1) for second in range(9)]) == pytest.approx([0.5] * 9)
    assert smoothed([Point(at(0), 0.0, 900), Point(at(1), 1.0, 100)])[0] == pytest.approx(0.1)
    assert smoothed([Point(at(0), 0.3, 0)]) == [0.3]


def test_dots_outside_the_canvas_are_not_drawn() -> None:
    canvas = Canvas(2, 1)
    canvas.dot(-1, 0, "x")
    canvas.dot(4, 0, "x")
    canvas.dot(0, 4, "x")
    assert [sign for sign, _ in canvas.lines()[0]] == [" ", " "]
    canvas.line((0, 0), (3, 3), "x")
    assert [sign for sign, _ in canvas.lines()[0]] == ["⡠", "⠊"]


def picture(view: RunView, width: int, height: int, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
    console = Console(file=file, width=width, height=height, force_terminal=False, legacy_windows=False)
    console.print(RunScreen(view))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(("width", "height"), [(100, 35), (80, 24), (60, 24), (160, 50)])
def test_the_picture_fits_the_terminal(width: int, height: int, released_view: RunView) -> None:
    lines = picture(attrs.evolve(released_view, local=True), width, height).splitlines()
    assert max(len(line) for line in lines) <= width
    assert len(lines) <= height
    shown = "\n".join(lines)
    for expected in ("Evaluate both models", "base", "candidate", "0.878", "gate", "passed", "gain +0.567", "released", "stand-in"):
        assert expected in shown, expected


def test_while_training_the_chart_is_there_and_no_verdict(released_view: RunView) -> None:
    view = attrs.evolve(
        released_view,
        status="RUNNING",
        stopped=None,
        gate=None,
        outcome=None,
        lineage=None,
        steps=steps(entries(HAPPY_PATH[:10]), ended_at=None, failed_state=None),
    )
    shown = picture(view, 100, 35)
    assert "reward trend" in shown
    assert "smoothed" in shown
    assert "gate  " not in shown


def test_given_a_waiting_run_then_the_command_to_answer_is_shown(released_view: RunView) -> None:
    view = attrs.evolve(released_view, status="RUNNING", waiting_for="release", outcome=None)
    assert f"rft run approve {view.run_id} --env dev" in picture(view, 100, 35)


def test_given_a_terminal_without_unicode_then_marks_and_chart_are_plain(released_view: RunView) -> None:
    steps_only = picture(released_view, 100, 35, encoding="ascii")
    assert "+ Train" in steps_only
    assert "*" in steps_only


def test_a_refused_candidate_is_told_with_its_reason(refused_view: RunView) -> None:
    shown = picture(refused_view, 100, 35)
    assert "refused" in shown
    assert "CandidateRejected" in shown
    assert "the difference could be none" in shown


class Recording:
    """Gives one view after the other, as a run that goes on would."""

    def __init__(self, views: list[RunView]) -> None:
        self._views = itertools.chain(views, itertools.repeat(views[-1]))

    def look(self) -> RunView:
        return next(self._views)


def test_without_a_terminal_each_step_is_one_line_and_stdout_stays_empty(
    released_view: RunView, capsys: pytest.CaptureFixture[str]
) -> None:
    training = attrs.evolve(
        released_view,
        status="RUNNING",
        stopped=None,
        local=True,
        outcome=None,
        since=at(4),
        steps=steps(entries(HAPPY_PATH[:10]), ended_at=None, failed_state=None),
    )
    last = follow(Recording([training, training, released_view]), Output(as_json=False), poll_seconds=0)  # type: ignore[arg-type]
    assert last is released_view
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert STAND_IN in lines
    assert lines.count("...  Train") == 1
    assert sum(line.startswith("ok   Train") for line in lines) == 1
    assert any(line.startswith("  reward 0.") for line in lines)


def test_following_can_end_at_a_question(released_view: RunView) -> None:
    waiting = attrs.evolve(released_view, status="RUNNING", waiting_for="release")
    assert follow(Recording([waiting]), Output(as_json=True), poll_seconds=0, until_waiting=True) is waiting  # type: ignore[arg-type]


def test_the_summary_names_what_a_person_asks_for_first(released_view: RunView) -> None:
    shown = summary(attrs.evolve(released_view, local=True))
    for expected in (
        "Released",
        "word-problems 0123456789ab",
        "$34.50",
        "gain +0.567",
        "lineage.json",
        "stand-in",
        "+ Train",
        "- Approve the spend",
    ):
        assert expected in shown, expected


def test_the_summary_lists_why_the_rehearsal_stopped_the_run(released_view: RunView) -> None:
    result = untrusted()
    outcome = {"code": "RewardRejected", "reason": "; ".join(result["reasons"]), "state": "RehearseReward"}
    view = attrs.evolve(released_view, status="FAILED", rehearsal=result, gate=None, lineage=None, outcome=outcome)
    lines = summary(view).splitlines()
    start = lines.index("the rehearsal does not trust the reward:")
    assert lines[start + 1 : start + 3] == [f"  - {reason}" for reason in result["reasons"]]
    assert "  The exploit it would learn: hedge, right first (2.7% before, 91.4% after)." in lines
    assert sum(result["reasons"][0] in line for line in lines) == 1


def test_the_summary_of_a_trusted_reward_says_nothing_of_its_rehearsal(released_view: RunView) -> None:
    assert "rehearsal" not in summary(released_view)


def test_given_another_ending_after_an_untrusted_rehearsal_then_its_reason_stays(released_view: RunView) -> None:
    outcome = {"code": "InternalError", "reason": "CleanUp failed", "state": "CleanUp"}
    shown = summary(attrs.evolve(released_view, status="FAILED", rehearsal=untrusted(), outcome=outcome))
    assert "CleanUp failed" in shown
    assert "does not trust the reward" in shown
