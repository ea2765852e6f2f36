"""The pictures of a run's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib import pyplot, rc_context
from matplotlib.ticker import MaxNLocator

from rft.chart import smoothed
from rft.phases import Mark
from rft.report.drawing import BAD, BASE, CANDIDATE, CARD, GRID, INK, MUTED, STYLE, VALIDATION, WAITING, svg
from rft.report.gather import ReportData, step_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rft.run_view import Point

_WORDS = {
    "trend": ("Reward trend", "Mean reward of training and validation responses over the time of the job."),
    "signals": ("Signals of the job", "Reward, divergence from the base model, entropy and response length by training step."),
    "comparison": ("Base against candidate", "Mean held-out reward of both, and the gain with its interval against the margin asked for."),
    "distribution": ("Scores on the held-out prompts", "How scores are spread for both models, and on how many prompts which was better."),
    "outcomes": ("Outcomes", "How many of the graded responses fell into each outcome class."),
    "timeline": ("States and their time", "When each step of the run began and how long it took."),
}
"""Title and description of each picture, for who cannot see it; the page has the figures beside them in words."""


def draw(data: ReportData) -> dict[str, str]:
    """Every picture the run has material for, by name."""
    with rc_context(STYLE):
        drawn = {
            "trend": _trend(data),
            "signals": _signals(data),
            "comparison": _comparison(data),
            "distribution": _distribution(data),
            "outcomes": _outcomes(data.outcomes),
            "timeline": _timeline(data),
        }
        return {name: svg(figure, name, *_WORDS[name]) for name, figure in drawn.items() if figure is not None}


def _trend(data: ReportData) -> Figure | None:
    train, validation = data.view.train, data.view.validation
    if not train:
        return None
    figure, axes = pyplot.subplots(figsize=(9, 3.6))
    start = min(point.at for point in [*train, *validation])
    span = (max(point.at for point in [*train, *validation]) - start).total_seconds()
    divisor, unit = (1, "seconds") if span < 600 else (60, "minutes") if span < 36_000 else (3600, "hours")

    def when(points: Sequence[Point]) -> list[float]:
        return [(point.at - start).total_seconds() / divisor for point in points]

    axes.scatter(when(train), [point.mean for point in train], s=18, color=BASE, alpha=0.75, linewidths=0, label="training, as graded")
    axes.plot(when(train), smoothed(train), color=CANDIDATE, linewidth=2.2, label="training, smoothed")
    if validation:
        axes.plot(when(validation), [point.mean for point in validation], "D", color=VALIDATION, markersize=4.5, label="validation")
    axes.set(xlabel=f"{unit} since the first graded response", ylabel="mean reward", ylim=(0, 1.02))
    axes.legend(loc="lower right", ncols=3)
    return figure


_SIGNALS = (
    ("reward by step", ("rewards/mean", "reward_mean", "reward")),
    ("KL from the base model", ("actor/kl", "kl")),
    ("entropy", ("actor/entropy", "entropy")),
    ("response length", ("response_length/mean", "response_length")),
)


def _signals(data: ReportData) -> Figure | None:
    """Small multiples of what Bedrock's training CSV holds; columns that are not there are left out."""
    found = step_table(data.view.artifacts)
    if found is None:
        return None
    step, _, rows = found
    series: list[tuple[str, list[Any], list[Any]]] = []
    for title, needles in _SIGNALS:
        column = next((name for needle in needles for name in rows[0] if needle in str(name)), None)
        points = [(row[step], row[column]) for row in rows if column and isinstance(row.get(column), int | float)]
        if len(points) > 1:
            series.append((title, [x for x, _ in points], [y for _, y in points]))
    if not series:
        return None
    figure, grid = pyplot.subplots(1, len(series), figsize=(9, 2.1), squeeze=False)
    for axes, (title, steps, values) in zip(grid[0], series, strict=True):
        axes.plot(steps, values, color=CANDIDATE, linewidth=1.6)
        axes.set(title=title, xlabel="step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
    return figure


def _comparison(data: ReportData) -> Figure | None:
    gate = data.view.gate
    if gate is None:
        return None
    figure, (bars, interval) = pyplot.subplots(2, 1, figsize=(9, 3.3), height_ratios=(1.25, 1))
    bars.barh(["candidate", "base"], [gate["candidate_mean"], gate["base_mean"]], color=[CANDIDATE, BASE], height=0.62)
    for row, value in enumerate((gate["candidate_mean"], gate["base_mean"])):
        inside = value > 0.85
        bars.text(
            value + (-0.012 if inside else 0.012),
            row,
            f"{value:.3f}",
            va="center",
            ha="right" if inside else "left",
            weight="bold",
            color=CARD if inside else INK,
        )
    bars.set(xlim=(0, 1), title=f"mean reward on {gate['prompts']} held-out prompts")
    bars.grid(axis="y", visible=False)
    low, high, gain = gate["low"], gate["high"], gate["difference"]
    interval.plot([low, high], [0, 0], color=CANDIDATE if gate["passed"] else BAD, linewidth=7, solid_capstyle="round", alpha=0.45)
    interval.plot([gain], [0], "o", color=CANDIDATE if gate["passed"] else BAD, markersize=9)
    interval.axvline(0, color=MUTED, linewidth=1)
    interval.axvline(gate["margin"], color=WAITING, linewidth=1.4, linestyle="--")
    edge = max(abs(low), abs(high), gate["margin"]) * 1.15
    interval.text(gate["margin"] + edge * 0.012, 0.62, f"margin {gate['margin']:g}", color=WAITING, fontsize=9, va="center")
    interval.text(gain, -0.62, f"{gain:+.3f}   ({low:+.3f} to {high:+.3f})", ha="center", va="center", weight="bold")
    confidence = gate.get("confidence")
    title = "gain of the candidate" + (f", with its {confidence:.0%} interval" if confidence else ", with its interval")
    interval.set(xlim=(min(-0.1 * edge, low * 1.2), edge), ylim=(-1, 1), yticks=[], title=title)
    interval.grid(axis="y", visible=False)
    interval.spines["left"].set_visible(False)
    return figure


def _distribution(data: ReportData) -> Figure | None:
    pairs = data.pairs
    if not pairs:
        return None
    figure, (spread, flips) = pyplot.subplots(1, 2, figsize=(9, 2.7), width_ratios=(1.3, 1))
    edges = [position / 10 for position in range(11)]
    spread.hist(
        [[base for base, _ in pairs], [candidate for _, candidate in pairs]],
        bins=edges,
        color=[BASE, CANDIDATE],
        label=["base", "candidate"],
    )
    spread.set(title="scores on the held-out prompts", xlabel="score", ylabel="prompts")
    spread.legend(loc="upper center")
    better = sum(candidate > base for base, candidate in pairs)
    worse = sum(candidate < base for base, candidate in pairs)
    counts = {"candidate better": better, "equal": len(pairs) - better - worse, "base better": worse}
    _bars(flips, counts, [CANDIDATE, GRID, BASE])
    flips.set(title="prompt by prompt")
    return figure


def _outcomes(outcomes: Mapping[str, int]) -> Figure | None:
    if not outcomes:
        return None
    figure, axes = pyplot.subplots(figsize=(9, 0.55 + 0.34 * len(outcomes)))
    faults = ("reference unreadable", "sample of the wrong shape", "the grader failed")
    colours = [CANDIDATE if label == "paid as correct" else BAD if label in faults else BASE for label in outcomes]
    _bars(axes, outcomes, colours)
    return figure


def _bars(axes: Axes, counts: Mapping[str, int], colours: Sequence[str]) -> None:
    labels, values = list(counts), list(counts.values())
    axes.barh(labels, values, color=list(colours), height=0.62)
    axes.invert_yaxis()
    total, most = sum(values) or 1, max(values) or 1
    for row, value in enumerate(values):
        axes.text(value + most * 0.01, row, f"{value:,}  ({value / total:.0%})", va="center", fontsize=9)
    axes.set(xlim=(0, most * 1.22), xticks=[])
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


_MARK_COLOURS = {Mark.FAILED: BAD, Mark.WAITING: WAITING}


def _timeline(data: ReportData) -> Figure | None:
    view = data.view
    steps = [step for step in view.steps if step.began is not None and step.mark is not Mark.SKIPPED]
    if not steps:
        return None
    end = view.stopped or data.made_at
    total = max((end - view.started).total_seconds(), 0.001)
    divisor, unit = (1, "seconds") if total < 600 else (60, "minutes") if total < 36_000 else (3600, "hours")
    figure, axes = pyplot.subplots(figsize=(9, 0.6 + 0.29 * len(steps)))
    for row, step in enumerate(steps):
        assert step.began is not None  # noqa: S101 - filtered above
        left, length = (step.began - view.started).total_seconds(), step.seconds(end) or 0.0
        colour = _MARK_COLOURS.get(step.mark, WAITING if step.phase.asks and length > total * 0.02 else CANDIDATE)
        axes.barh(row, max(length, total * 0.003) / divisor, left=left / divisor, color=colour, height=0.62)
        right = left + length > total * 0.85
        edge = (left - total * 0.008 if right else left + max(length, total * 0.003) + total * 0.008) / divisor
        axes.text(
            edge,
            row,
            f"{length:.1f} s" if length < 100 else f"{length / 60:.1f} min",
            va="center",
            ha="right" if right else "left",
            fontsize=9,
        )
    axes.set(yticks=range(len(steps)), yticklabels=[step.phase.label for step in steps], xlim=(0, total / divisor), xlabel=unit)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    return figure
