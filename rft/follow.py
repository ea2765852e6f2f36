"""Following a run until it ends: a moving picture on a terminal, one line per event elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from rft.output import Output, duration
from rft.phases import Mark
from rft.screen import STAND_IN, RunScreen

if TYPE_CHECKING:
    from rft.run_view import RunReader, RunView

REWARD_LINE_SECONDS = 10.0
"""How often the plain lines say where the reward stands."""


def follow(reader: RunReader, output: Output, *, poll_seconds: float, until_waiting: bool = False) -> RunView:
    """Looks at the run until it has ended, and returns the last view.

    Args:
        poll_seconds: time between two looks.
        until_waiting: return as well when the run waits for a person.
    """
    if not output.live:
        return _follow_lines(reader, output, poll_seconds, until_waiting)
    view = reader.look()
    screen = RunScreen(view)
    with Live(screen, console=Console(stderr=True), refresh_per_second=6, vertical_overflow="crop"):
        while not _over(view, until_waiting):
            time.sleep(poll_seconds)
            view = screen.view = reader.look()
    return view


def _over(view: RunView, until_waiting: bool) -> bool:
    return not view.running or (until_waiting and view.waiting_for is not None)


def _follow_lines(reader: RunReader, output: Output, poll_seconds: float, until_waiting: bool) -> RunView:
    said: set[str] = set()
    reward_said_at = 0.0
    view = reader.look()
    output.say(f"run {view.run_id} in {view.environment}, {view.place}")
    if view.local:
        output.say(STAND_IN)
    while True:
        for step in view.steps:
            line = _line(step.phase.label, step.mark, step.seconds(view.stopped or view.since))
            if line and line not in said:
                said.add(line)
                output.say(line)
        if view.train and view.running and not view.graded and time.monotonic() - reward_said_at >= REWARD_LINE_SECONDS:
            reward_said_at = time.monotonic()
            output.say(f"  reward {view.train[-1].mean:.3f} after {sum(point.samples for point in view.train):,} graded responses")
        if _over(view, until_waiting):
            return view
        time.sleep(poll_seconds)
        view = reader.look()


def _line(label: str, mark: Mark, seconds: float | None) -> str:
    if mark in (Mark.DONE, Mark.FAILED):
        return f"{'ok  ' if mark is Mark.DONE else 'FAIL'} {label}" + (f" ({duration(seconds)})" if seconds and seconds >= 1 else "")
    if mark is Mark.WAITING:
        return f"wait {label}: a person must answer"
    return f"...  {label}" if mark is Mark.CURRENT else ""
