"""A run on a terminal: its steps, the reward trend as it climbs, and base against candidate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from rft import chart
from rft.history import Step
from rft.output import duration
from rft.phases import Mark
from rft.run_view import RunView, current_step

STAND_IN = "trained by the local stand-in policy, not by a language model; the rewards are real"

_MARKS: dict[Mark, tuple[str, str, str]] = {
    Mark.PENDING: ("·", ".", "dim"),
    Mark.CURRENT: ("▶", ">", "bold cyan"),
    Mark.WAITING: ("?", "?", "bold yellow"),
    Mark.DONE: ("✓", "+", "green"),
    Mark.SKIPPED: ("\N{EN DASH}", "-", "dim"),
    Mark.FAILED: ("✗", "x", "bold red"),
}
_COLOURS = {chart.TRAIN: "blue", chart.SMOOTH: "bold green", chart.VALIDATION: "bold magenta", chart.AXIS: "dim", "": ""}
_STEPS_WIDTH = 36
_NARROW_STEPS_WIDTH = 33
_BODY_ROWS = 12


class RunScreen:
    """The picture of one run; give it each new view.

    Args:
        view: the run as it was looked at last.
    """

    def __init__(self, view: RunView) -> None:
        self.view = view
        self._spinner = Spinner("dots", style="bold cyan")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, plain = options.max_width, not _can_draw(console)
        height = console.size.height
        yield self._head(width)
        yield self._body(width, height, plain)
        yield from foot(self.view, width, plain=plain)

    def _head(self, width: int) -> RenderableType:
        view = self.view
        elapsed = ((view.stopped or datetime.now(UTC)) - view.started).total_seconds()
        left = Text.assemble(("run ", "dim"), (view.run_id, "bold"), ("  ", ""), (view.environment, "cyan"))
        line = Table.grid(expand=True)
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_column(justify="right", no_wrap=True)
        line.add_row(left, Text(f"{view.state if view.running else 'ended'} · {duration(elapsed)}", style="dim"))
        if not view.local:
            return line
        return Group(line, Text(STAND_IN if width >= len(STAND_IN) else STAND_IN.partition(";")[0], style="yellow", no_wrap=True))

    def _body(self, width: int, height: int, plain: bool) -> RenderableType:
        steps_width = _STEPS_WIDTH if width >= 96 else _NARROW_STEPS_WIDTH
        if width < 72:
            return self._steps(plain)
        rows = max(_BODY_ROWS, min(18, height - 17))
        grid = Table.grid(expand=True, padding=(0, 1, 0, 0))
        grid.add_column(width=steps_width)
        grid.add_column(ratio=1)
        grid.add_row(
            Panel(self._steps(plain), title="steps", title_align="left", height=rows + 2, border_style="dim"),
            self._trend(width - steps_width - 1, rows, plain),
        )
        return grid

    def _steps(self, plain: bool) -> RenderableType:
        now = datetime.now(UTC)
        grid = Table.grid(expand=True, padding=(0, 1, 0, 0))
        grid.add_column(width=1)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(justify="right", no_wrap=True)
        for step in self.view.steps:
            fancy, simple, style = _MARKS[step.mark]
            spinning = step.mark is Mark.CURRENT and not plain
            sign: RenderableType = self._spinner if spinning else Text(simple if plain else fancy, style=style)
            grid.add_row(sign, Text(step.phase.label, style=style if step.mark is not Mark.DONE else ""), _time(step, now))
        return grid

    def _trend(self, width: int, rows: int, plain: bool) -> RenderableType:
        view = self.view
        inner, title = width - 5, "reward trend"
        if not view.train:
            waiting = current_step(view)
            note = "the chart begins with the first graded responses" if waiting else "no responses were graded"
            content: RenderableType = Text(note, style="dim", justify="center")
        else:
            picture = chart.chart(view.train, view.validation, columns=inner, rows=rows - 1, plain=plain)
            lines = [Text.assemble(*((piece, _COLOURS[layer]) for piece, layer in line)) for line in picture]
            content = Group(*lines, _legend(view))
            title = f"reward trend: {_mean(view):.2f} now, {view.train[0].mean:.2f} at the start"
        return Panel(content, title=title, title_align="left", height=rows + 2, border_style="dim")


def foot(view: RunView, width: int, *, plain: bool = False) -> list[RenderableType]:
    """What is below the chart: who is waited for, the comparison, the verdict and the ending."""
    lines: list[RenderableType] = []
    if view.waiting_for:
        lines.append(
            Text(
                f"waits for a person: rft run approve {view.run_id} --env {view.environment}{' --local' if view.local else ''}",
                style="bold yellow",
            )
        )
    if view.rehearsal is not None and not view.rehearsal.get("trusted"):
        lines.append(Text(f"the reward is not trusted: {'; '.join(view.rehearsal.get('reasons', []))}", style="red"))
    if view.gate is not None:
        lines += comparison(view.gate, width, plain=plain)
    elif view.graded and view.plan:
        lines.append(Text(f"answered and graded: {_progress(view)}", style="dim"))
    if view.outcome is not None and not view.running:
        lines.append(_ending(view))
    return lines


def comparison(gate: dict[str, Any] | Any, width: int, *, plain: bool = False) -> list[RenderableType]:
    """Base and candidate as bars, the difference with its interval, and the gate's verdict."""
    room = max(10, min(50, width - 34))
    full, empty = ("#", ".") if plain else ("█", "░")

    def bar(label: str, value: float, style: str) -> Text:
        filled = round(max(0.0, min(1.0, value)) * room)
        return Text.assemble((f"{label:<10}", ""), (full * filled, style), (empty * (room - filled), "dim"), (f" {value:.3f}", "bold"))

    passed = bool(gate["passed"])
    verdict = Text.assemble(
        ("gate      ", ""),
        ("passed" if passed else "refused", "bold green" if passed else "bold red"),
        f"  gain {gate['difference']:+.3f}, interval {gate['low']:+.3f} to {gate['high']:+.3f}, margin {gate['margin']:.3f}, "
        f"{gate['prompts']} held-out prompts",
    )
    lines: list[RenderableType] = [bar("base", gate["base_mean"], "blue"), bar("candidate", gate["candidate_mean"], "green"), verdict]
    return [*lines, *(Text(f"          {reason}", style="red") for reason in gate.get("reasons", []) if not passed)]


def _ending(view: RunView) -> Text:
    outcome = view.outcome or {}
    if view.released:
        return Text.assemble(
            ("released  ", ""),
            (str(((view.lineage or {}).get("model") or {}).get("model_arn") or "the candidate"), "bold green"),
            overflow="fold",
        )
    why = f"{outcome.get('reason', '')}".strip()
    return Text.assemble(("ended     ", ""), (str(outcome.get("code", view.status)), "bold red"), f"  {why}", overflow="fold")


def _time(step: Step, now: datetime) -> Text:
    seconds = step.seconds(now)
    return Text("" if seconds is None or step.mark is Mark.SKIPPED else duration(seconds), style="dim")


def _legend(view: RunView) -> Text:
    samples = sum(point.samples for point in view.train)
    shown: list[Any] = [(f"{samples:,} graded ", "dim"), ("━ smoothed ", "green"), ("• training ", "blue")]
    if view.validation:
        shown.append(("▪ validation", "magenta"))
    return Text.assemble(*shown, no_wrap=True, overflow="ellipsis")


def _mean(view: RunView) -> float:
    return chart.smoothed(view.train)[-1]


def _progress(view: RunView) -> str:
    totals: dict[str, int] = {}
    for item in (view.plan or {}).get("evaluation", []):
        totals[item["model"]] = totals.get(item["model"], 0) + item["count"]
    return ", ".join(f"{model} {view.graded.get(model, 0)} of {total}" for model, total in totals.items())


def _can_draw(console: Console) -> bool:
    return (console.encoding or "").lower().replace("-", "").startswith("utf")
