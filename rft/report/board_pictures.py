"""The graphs of a dashboard as pictures: lines for levels, bars for counts, each told apart by shape as well as by colour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from matplotlib import pyplot, rc_context
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rft.report.board import Graph
from rft.report.board_data import BoardData, Drawn, Window
from rft.report.drawing import BAD, CARD, LINES, MUTED, STYLE, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_HATCHES = ("", "///", "---", "\\\\\\", "xxx", "|||", "+++", "/--")
_MARKED = 12
"""Points up to which each has a mark; of more, about as many have."""

_REACH = 1.6
"""How far above the data a threshold may lie and still be drawn: further, it would flatten everything else."""

_ABREAST = ((9, 3), (20, 2), (1000, 1))
"""Up to how many characters how many labels of a legend stand abreast."""

NO_DATA = "no data"
_DAY = 86_400


def draw(data: BoardData, prefix: str) -> dict[str, str]:
    """Each graph of the dashboard by its title; ids within begin with `prefix`."""
    with rc_context({**STYLE, "font.size": 9.5, "hatch.linewidth": 0.5}):
        return {
            graph.title: _graph(graph, data.lines[graph.title], data.window, f"{prefix}-{slug(graph.title)}") for graph in data.board.graphs
        }


def slug(title: str) -> str:
    """A title as part of an id or a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def words(graph: Graph, lines: Sequence[Drawn]) -> str:
    """What the picture shows, for who cannot see it."""
    if not lines:
        return f"No data. {graph.meaning}"
    said = [_said(line, graph.unit) for line in lines]
    said += [f"{threshold.label} {graph.unit}" for threshold in graph.thresholds]
    return f"{'; '.join(said)}. {graph.meaning}"


def _said(line: Drawn, unit: str) -> str:
    values = [value for _, value in line.points]
    if line.counts:
        return f"{line.label}: {figure(sum(values))} in all"
    if len(values) == 1:
        return f"{line.label}: {figure(values[0])} {unit}"
    first, last, lowest, highest = (figure(each) for each in (values[0], values[-1], min(values), max(values)))
    return f"{line.label}: from {first} to {last} {unit}, lowest {lowest}, highest {highest}"


def figure(value: float) -> str:
    """A number as short as it can be read: 0.31, 12, 48k, 1.2M."""
    for limit, sign in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / {'M': 1e6, 'k': 1e3}[sign]:.3g}{sign}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _graph(graph: Graph, lines: Sequence[Drawn], window: Window, name: str) -> str:
    drawn, axes = pyplot.subplots(figsize=(4.3, 2.7))
    for place, line in enumerate(lines):
        if all(each.counts for each in lines):
            _bars(axes, line, place, lines, stacked=graph.stacked)
        else:
            _line(axes, line, place)
    _scale(axes, graph, lines, window)
    if lines:
        longest = max(len(label) for label in axes.get_legend_handles_labels()[1])
        drawn.legend(
            loc="outside lower left",
            ncols=next(columns for most, columns in _ABREAST if longest <= most),
            fontsize=9.5,
            handlelength=2.4,
            columnspacing=1.4,
        )
    else:
        axes.text(0.5, 0.5, NO_DATA, transform=axes.transAxes, ha="center", va="center", color=MUTED, fontsize=11)
    return svg(drawn, name, graph.title, words(graph, lines))


def _line(axes: Axes, line: Drawn, place: int) -> None:
    # In the middle of its period, which a bar would cover.
    times, values = [_day(at) + line.period / _DAY / 2 for at, _ in line.points], [value for _, value in line.points]
    axes.plot(
        times,
        values,
        color=LINES[place % len(LINES)],
        linestyle=_DASHES[place % len(_DASHES)],
        marker=_MARKS[place % len(_MARKS)],
        markevery=max(1, len(values) // _MARKED),
        markersize=4,
        linewidth=1.5,
        label=line.label,
    )


def _day(at: datetime) -> float:
    """The moment as matplotlib counts: in days."""
    return float(date2num(at))  # type: ignore[no-untyped-call]


def _bars(axes: Axes, line: Drawn, place: int, lines: Sequence[Drawn], *, stacked: bool) -> None:
    """Bars over the periods: parts of a whole on top of each other, the rest side by side."""
    width = line.period / _DAY
    share = width * 0.86 / (1 if stacked else len(lines))
    left = [_day(at) + width * 0.07 + (0 if stacked else place * share) for at, _ in line.points]
    below: Mapping[object, float] = _sums(lines[:place]) if stacked else {}
    axes.bar(
        left,
        [value for _, value in line.points],
        bottom=[below.get(at, 0.0) for at, _ in line.points],
        width=share,
        align="edge",
        color=LINES[place % len(LINES)],
        hatch=_HATCHES[place % len(_HATCHES)],
        edgecolor=CARD,
        linewidth=0.3,
        label=f"{line.label} ({figure(sum(value for _, value in line.points))})",
    )


def _sums(lines: Sequence[Drawn]) -> dict[object, float]:
    sums: dict[object, float] = {}
    for line in lines:
        for at, value in line.points:
            sums[at] = sums.get(at, 0.0) + value
    return sums


def _scale(axes: Axes, graph: Graph, lines: Sequence[Drawn], window: Window) -> None:
    axes.set_xlim(_day(window.start), _day(window.end))
    locator = AutoDateLocator(minticks=3, maxticks=5)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    axes.grid(axis="x", visible=False)
    axes.tick_params(axis="x", pad=7)
    if graph.highest is None:
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=graph.unit == "count"))
    else:
        axes.set_yticks([graph.highest * quarter / 4 for quarter in range(5)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: figure(value)))
    axes.set_title(graph.unit, fontsize=9.5, color=MUTED)
    highest = _highest(graph, lines)
    lowest = axes.get_ylim()[0] if graph.lowest is None else graph.lowest
    axes.set_ylim(min(lowest, 0.0), highest)
    if graph.lowest is None:
        axes.axhline(0, color=MUTED, linewidth=0.8)
    beyond = [f"{threshold.label}: far above" for threshold in graph.thresholds if threshold.value > highest]
    axes.text(0.995, 0.98, "\n".join(beyond), color=BAD, fontsize=9, ha="right", va="top", transform=axes.transAxes)
    for threshold in graph.thresholds:
        if threshold.value <= highest:
            axes.axhline(threshold.value, color=BAD, linewidth=1.2, linestyle=(0, (4, 2)))
            axes.text(
                0.995,
                threshold.value,
                threshold.label,
                color=BAD,
                fontsize=9,
                ha="right",
                va="bottom",
                transform=axes.get_yaxis_transform(),
            )


def _highest(graph: Graph, lines: Sequence[Drawn]) -> float:
    """The end of the vertical axis: given, or a little above data and thresholds near it."""
    if graph.highest is not None:
        return graph.highest * 1.03
    tops = [value for line in lines for _, value in line.points]
    if graph.stacked:
        tops += _sums(lines).values()
    most = max(tops, default=0.0)
    near = [threshold.value for threshold in graph.thresholds if threshold.value <= most * _REACH]
    return max([most, *near]) * 1.12 or 1.0
