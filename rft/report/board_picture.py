"""A whole dashboard as one picture, for where a page cannot go."""

from __future__ import annotations

import html
import re
import textwrap

from rft.report.board_data import BoardData
from rft.report.board_pictures import draw

_WIDTH, _ACROSS, _GAP, _EDGE = 1080, 3, 22, 16
_GRAPH = (_WIDTH - 2 * _EDGE - (_ACROSS - 1) * _GAP) / _ACROSS
_HEADING, _TITLE, _LINE = 34, 18, 15
_CHARACTERS = 54
"""Of a caption's line, at its font size in wide fonts."""


def whole(data: BoardData, prefix: str) -> str:
    """Every graph of the dashboard in its section, three abreast, with title and meaning; ids within begin with `prefix`."""
    graphs, parts, y = draw(data, prefix), [], float(_EDGE)
    for title, section in data.board.sections:
        parts.append(_text(_EDGE, y + 18, title, size=16, weight=600))
        y += _HEADING
        for first in range(0, len(section), _ACROSS):
            beside = section[first : first + _ACROSS]
            tallest = 0.0
            for column, graph in enumerate(beside):
                x, below = _EDGE + column * (_GRAPH + _GAP), y + _TITLE
                parts.append(_text(x, y + 12, graph.title, size=13, weight=600))
                placed, height = _placed(graphs[graph.title], x, below)
                parts.append(placed)
                caption = textwrap.wrap(graph.meaning, _CHARACTERS)
                parts += [
                    _text(x, below + height + 14 + row * _LINE, line, size=11.5, colour="--muted") for row, line in enumerate(caption)
                ]
                tallest = max(tallest, _TITLE + height + 10 + len(caption) * _LINE)
            y += tallest + 16
    parts.insert(0, f'<rect width="{_WIDTH}" height="{y:.0f}" fill="var(--card)"/>')
    title = f"<title>Dashboard {html.escape(data.board.name)}</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {_WIDTH} {y:.0f}" role="img">'
    return f"{head}{title}{''.join(parts)}</svg>"


def _placed(svg: str, x: float, y: float) -> tuple[str, float]:
    """A graph at a place in the picture, and its height there."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box is not None  # noqa: S101 - matplotlib gives every picture one
    height = _GRAPH * float(box[2]) / float(box[1])
    return svg.replace("<svg ", f'<svg x="{x:.1f}" y="{y:.1f}" width="{_GRAPH:.1f}" height="{height:.1f}" ', 1), height


def _text(x: float, y: float, text: str, *, size: float, weight: int = 400, colour: str = "--ink") -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="var({colour})"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(text)}</text>'
