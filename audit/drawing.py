"""Draws columns of framed boxes and the lines between them as SVG: light, dark and print, from the page's own style variables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from html import escape

import attrs

WIDTH = 1180
_TOP = 34
_BOX_WIDTH = 268
_LINE = 15
_PAD = 9
_GAP = 9
_FRAME_GAP = 18
_FRAME_HEAD = 24
ROOM, _NAME_ROOM = 41, 36
"""Characters of a box's line and of its name, in fonts as wide as any of the page's."""

STYLE = """
.dr { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
.dr text { fill: var(--ink, #1f2d3d) }
.dr .dim { fill: var(--muted, #5b6b7d); font-size: 11px }
.dr .cap { font-weight: 600; font-size: 12.5px }
.dr .head { fill: var(--muted, #5b6b7d); font-size: 12px; font-weight: 600; letter-spacing: .04em }
.dr .box { fill: var(--card, #fff); stroke: var(--grid, #c3ccd6) }
.dr .frame { fill: var(--frame, #f3f6f9); stroke: var(--grid, #c3ccd6); stroke-dasharray: 4 3 }
.dr .line { fill: none; stroke-width: 1.3; opacity: .75 }
.dr .read { stroke: var(--read, #2f6fb0) }
.dr .write { stroke: var(--write, #b3541e) }
.dr .invoke { stroke: var(--invoke, #7a4fb5) }
.dr .pass { stroke: var(--bad, #c0392b); stroke-dasharray: 5 3 }
.dr .tip-read { fill: var(--read, #2f6fb0) }
.dr .tip-write { fill: var(--write, #b3541e) }
.dr .tip-invoke { fill: var(--invoke, #7a4fb5) }
.dr .tip-pass { fill: var(--bad, #c0392b) }
"""
"""The variables are the page's; each has a value for where the picture stands alone."""


@attrs.frozen(kw_only=True)
class Box:
    """A node: a name and what stands below it."""

    key: str
    name: str
    lines: list[str] = attrs.field(factory=list)

    @property
    def wrapped(self) -> list[str]:
        """The lines, broken where they would run over the box."""
        return [part for line in self.lines for part in textwrap.wrap(line, ROOM)]

    @property
    def height(self) -> int:
        return 2 * _PAD + _LINE * (1 + len(self.wrapped)) - 3


@attrs.frozen(kw_only=True)
class Frame:
    """A trust boundary, or a capability: boxes that belong together."""

    caption: str
    boxes: list[Box]

    @property
    def height(self) -> int:
        return _FRAME_HEAD + sum(box.height + _GAP for box in self.boxes) + 3


@attrs.frozen(kw_only=True)
class Column:
    heading: str
    frames: list[Frame]

    @property
    def height(self) -> int:
        return sum(frame.height + _FRAME_GAP for frame in self.frames)


@attrs.frozen(kw_only=True)
class Line:
    """From one box to another; `kind` is a verb of `audit.flows`, `title` what a pointer resting on it shows."""

    source: str
    target: str
    kind: str
    title: str


@attrs.frozen(kw_only=True)
class _Place:
    column: int
    x: int
    y: int
    height: int


def draw(*, identity: str, title: str, description: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    """The picture as an SVG element.

    Args:
        identity: unique on its page; begins the ids of what the picture refers to.
        description: for who cannot see it.

    Raises:
        KeyError: if a line begins or ends at a box that no column holds.
    """
    places: dict[str, _Place] = {}
    height = _TOP + max((column.height for column in columns), default=0)
    free = (WIDTH - len(columns) * (_BOX_WIDTH + 20)) // max(len(columns) - 1, 1)
    shapes: list[str] = []
    for index, column in enumerate(columns):
        x = 10 + index * (_BOX_WIDTH + 20 + free)
        shapes.append(f'<text class="head" x="{x}" y="16">{escape(column.heading)}</text>')
        # Shorter columns stand in the middle, so that lines stay short.
        y = _TOP + (height - _TOP - column.height) // 2
        for frame in column.frames:
            shapes += _frame(identity, frame, x - 8, y)
            at = y + _FRAME_HEAD
            for box in frame.boxes:
                places[box.key] = _Place(column=index, x=x, y=at, height=box.height)
                shapes += _box(identity, box, x, at)
                at += box.height + _GAP
            y += frame.height + _FRAME_GAP
    drawn = [*_lines(identity, lines, places)]
    kinds = sorted({line.kind for line in lines})
    return "\n".join(
        [
            f'<svg class="dr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
            f' aria-labelledby="{identity}-title {identity}-desc">',
            f'<title id="{identity}-title">{escape(title)}</title><desc id="{identity}-desc">{escape(description)}</desc>',
            f"<style>{STYLE}{''.join(_highlights(identity, places))}</style>",
            f"<defs>{''.join(_tip(identity, kind) for kind in kinds)}</defs>",
            *[shape for shape in shapes if 'class="frame"' in shape],
            *drawn,
            *[shape for shape in shapes if 'class="frame"' not in shape],
            "</svg>",
        ]
    )


def _frame(identity: str, frame: Frame, x: int, y: int) -> list[str]:
    return [
        f'<rect class="frame" x="{x}" y="{y}" width="{_BOX_WIDTH + 16}" height="{frame.height}" rx="8"/>',
        f'<text class="cap" x="{x + 8}" y="{y + 16}">{escape(frame.caption)}</text>',
    ]


def _box(identity: str, box: Box, x: int, y: int) -> list[str]:
    texts = [f'<text x="{x + _PAD}" y="{y + _PAD + 10}">{escape(_short(box.name, _NAME_ROOM))}</text>']
    texts += [
        f'<text class="dim" x="{x + _PAD}" y="{y + _PAD + 10 + _LINE * (number + 1)}">{escape(line)}</text>'
        for number, line in enumerate(box.wrapped)
    ]
    tooltip = escape(" · ".join([box.name, *box.lines]))
    return [
        f'<g class="{_name(identity, box.key)}"><title>{tooltip}</title>'
        f'<rect class="box" x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{box.height}" rx="6"/>{"".join(texts)}</g>'
    ]


def _lines(identity: str, lines: Sequence[Line], places: dict[str, _Place]) -> Iterator[str]:
    starts, ends = _ports(lines, places, "source", "target"), _ports(lines, places, "target", "source")
    for number, line in enumerate(lines):
        source, target = places[line.source], places[line.target]
        y1, y2 = starts[number], ends[number]
        if source.column == target.column:
            x1 = x2 = source.x + _BOX_WIDTH
            reach = 34 + abs(y2 - y1) // 9
            path = f"M{x1} {y1}C{x1 + reach} {y1} {x2 + reach} {y2} {x2} {y2}"
        else:
            forward = source.column < target.column
            x1, x2 = (source.x + _BOX_WIDTH, target.x) if forward else (source.x, target.x + _BOX_WIDTH)
            bend = (x2 - x1) // 2
            path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
        # What is read flows towards the reader.
        end = "marker-start" if line.kind == "read" else "marker-end"
        classes = f"line {line.kind} {_name(identity, line.source)} {_name(identity, line.target)}"
        yield f'<path class="{classes}" d="{path}" {end}="url(#{identity}-{line.kind})"><title>{escape(line.title)}</title></path>'


def _ports(lines: Sequence[Line], places: dict[str, _Place], here: str, there: str) -> list[int]:
    """Heights at which lines touch a box, spread over its side in the order of their other ends, so that they cross little."""
    heights = [0] * len(lines)
    boxes = sorted({getattr(line, here) for line in lines})
    for box in boxes:
        place = places[box]
        touching = [number for number, line in enumerate(lines) if getattr(line, here) == box]
        touching.sort(key=lambda number: (places[getattr(lines[number], there)].y, lines[number].kind))
        for position, number in enumerate(touching, start=1):
            heights[number] = place.y + place.height * position // (len(touching) + 1)
    return heights


def _tip(identity: str, kind: str) -> str:
    return (
        f'<marker id="{identity}-{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" '
        f'orient="auto-start-reverse"><path class="tip-{kind}" d="M0 0 10 5 0 10z"/></marker>'
    )


def _highlights(identity: str, places: Iterable[str]) -> Iterator[str]:
    """A pointer on a box leaves its own lines and dims the others."""
    for key in places:
        name = _name(identity, key)
        yield f".dr:has(g.{name}:hover) .line:not(.{name}){{opacity:.07}}"


def _name(identity: str, key: str) -> str:
    return f"{identity}-{''.join(letter if letter.isalnum() else '-' for letter in key)}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
