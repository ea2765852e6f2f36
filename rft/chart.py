"""The reward trend in a terminal: braille dots where the terminal can show them, plain characters elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rft.run_view import Point

SMOOTH_SAMPLES = 0.12
"""Share of all samples that the smoothed line averages over, so that a short and a long trend look alike."""

TRAIN, VALIDATION, SMOOTH, AXIS = "train", "validation", "smooth", "axis"
"""Layers of the picture, which the screen gives colours."""

Line = list[tuple[str, str]]
"""Pieces of text and their layers."""

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800


class Canvas:
    """A grid of dots, two wide and four high in each character.

    Args:
        columns: characters across, 1 or more.
        rows: characters down, 1 or more.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.width, self.height = columns * 2, rows * 4
        self._cells: dict[tuple[int, int], int] = {}
        self._layers: dict[tuple[int, int], str] = {}

    def dot(self, x: int, y: int, layer: str) -> None:
        """Sets one dot; `y` counts from the bottom. Outside the canvas nothing is set.

        A character has one colour: that of the layer that touched it last.
        """
        if 0 <= x < self.width and 0 <= y < self.height:
            row, column = (self.height - 1 - y) // 4, x // 2
            bit = _DOTS[(self.height - 1 - y) % 4][x % 2]
            self._cells[row, column] = self._cells.get((row, column), 0) | bit
            self._layers[row, column] = layer

    def line(self, start: tuple[int, int], end: tuple[int, int], layer: str) -> None:
        """Sets the dots between two."""
        (x0, y0), (x1, y1) = start, end
        length = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(length + 1):
            self.dot(round(x0 + (x1 - x0) * step / length), round(y0 + (y1 - y0) * step / length), layer)

    def lines(self, *, plain: bool = False) -> list[Line]:
        """The canvas as text, `rows` lines of `columns` characters."""

        def shown(row: int, column: int) -> tuple[str, str]:
            bits = self._cells.get((row, column), 0)
            if not bits:
                return " ", ""
            return "*" if plain else chr(_BRAILLE + bits), self._layers[row, column]

        return [[shown(row, column) for column in range(self.columns)] for row in range(self.rows)]


def smoothed(points: Sequence[Point]) -> list[float]:
    """The mean of the scores around each point, weighted by samples."""
    reach = max(1, round(len(points) * SMOOTH_SAMPLES))
    means: list[float] = []
    for index in range(len(points)):
        near = points[max(0, index - reach) : index + reach + 1]
        weight = sum(point.samples for point in near)
        means.append(sum(point.mean * point.samples for point in near) / weight if weight else points[index].mean)
    return means


def scale(points: Sequence[Point]) -> tuple[float, float]:
    """Lower and upper end of the axis: tenths that hold all points, at least four of them apart, within 0 and 1."""
    values = [point.mean for point in points] or [0.0, 1.0]
    low, high = int(min(values) * 10) / 10, -int(-max(values) * 10 - 0.999) / 10
    while high - low < 0.399:
        low, high = max(0.0, low - 0.1), min(1.0, high + 0.1)
    return max(0.0, low), min(1.0, high)


def chart(train: Sequence[Point], validation: Sequence[Point], *, columns: int, rows: int, plain: bool = False) -> list[Line]:
    """The trend as lines of text: an axis of scores, the smoothed training reward, and the time below.

    Args:
        train: training points in order of time; each is drawn as a dot, their smoothed mean as a line.
        validation: validation points; drawn as dots.
        columns: width in characters, axis included; at least 24.
        rows: height in characters, time axis included; at least 5.
        plain: only characters of ASCII.
    """
    label = 5
    canvas = Canvas(max(columns, 24) - label - 1, max(rows, 5) - 2)
    everything = [*train, *validation]
    low, high = scale(everything)
    start = min((point.at for point in everything), default=None)
    span = (max(point.at for point in everything) - start).total_seconds() if start else 0.0

    def place(point: Point, value: float) -> tuple[int, int]:
        seconds = (point.at - start).total_seconds() if start else 0.0
        x = round(seconds / span * (canvas.width - 1)) if span else 0
        return x, round((value - low) / (high - low) * (canvas.height - 1))

    for point in train:
        canvas.dot(*place(point, point.mean), TRAIN)
    marks = [place(point, value) for point, value in zip(train, smoothed(train), strict=True)]
    for mark in marks[:1]:
        canvas.dot(*mark, SMOOTH)
    for left, right in pairwise(marks):
        canvas.line(left, right, SMOOTH)
    for point in validation:
        x, y = place(point, point.mean)
        for across, up in ((0, 0), (1, 0), (0, 1), (1, 1)):
            canvas.dot(x + across, y + up, VALIDATION)
    bar, corner, floor = ("|", "+", "-") if plain else ("┤", "└", "─")
    body = canvas.lines(plain=plain)
    drawn: list[Line] = [[(f"{_tick(row, len(body), low, high):>{label}}{bar}", AXIS), *text] for row, text in enumerate(body)]
    drawn.append([(f"{'':>{label}}{corner}{floor * canvas.columns}", AXIS)])
    end = f"{span:.0f} s" if span < 600 else f"{span / 60:.0f} min" if span < 36_000 else f"{span / 3600:.1f} h"
    drawn.append([(f"{'':>{label + 1}}0{end:>{canvas.columns - 1}}", AXIS)])
    return drawn


def text(lines: Sequence[Line]) -> str:
    """The lines without their layers."""
    return "\n".join("".join(piece for piece, _ in line).rstrip() for line in lines)


def _tick(row: int, rows: int, low: float, high: float) -> str:
    every = max(1, (rows - 1) // 4)
    if row % every and row != rows - 1:
        return ""
    if row != rows - 1 and rows - 1 - row < every:
        return ""
    return f"{high - (high - low) * row / max(1, rows - 1):.2f}"


def sparkline(points: Sequence[Point], width: int = 24, *, plain: bool = False) -> str:
    """The trend in one line, for `rft run show`."""
    if not points:
        return ""
    ramp = "_.-=*#" if plain else "▁▂▃▄▅▆▇█"
    means = smoothed(points)
    picked = [means[min(len(means) - 1, index * len(means) // width)] for index in range(min(width, len(means)))]
    return "".join(ramp[min(len(ramp) - 1, int(value * len(ramp)))] for value in picked)
