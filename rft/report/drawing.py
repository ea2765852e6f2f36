"""How every picture is drawn: SVG whose colours are CSS variables, so that one picture serves a light and a dark page."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("svg")  # before pyplot: no display is needed or looked for

from matplotlib import pyplot, rc_context

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VARIABLES = {
    "#010101": "--ink",
    "#020202": "--muted",
    "#030303": "--grid",
    "#040404": "--base",
    "#050505": "--candidate",
    "#060606": "--validation",
    "#070707": "--bad",
    "#080808": "--waiting",
    "#090909": "--card",
    "#0a0a01": "--line-1",
    "#0a0a02": "--line-2",
    "#0a0a03": "--line-3",
    "#0a0a04": "--line-4",
    "#0a0a05": "--line-5",
    "#0a0a06": "--line-6",
    "#0a0a07": "--line-7",
    "#0a0a08": "--line-8",
}
"""Stand-in colours that matplotlib draws with, and the page's variables they become."""

LIGHT = {
    "--page": "#f6f7f9",
    "--card": "#ffffff",
    "--ink": "#1c2430",
    "--muted": "#5a6675",
    "--grid": "#dfe4ea",
    "--base": "#6d87ab",
    "--candidate": "#17805f",
    "--validation": "#a2419c",
    "--bad": "#b3261e",
    "--waiting": "#b26a00",
    "--soft": "#eef3f1",
    "--line-1": "#0067a5",
    "--line-2": "#c85200",
    "--line-3": "#00805e",
    "--line-4": "#a8327e",
    "--line-5": "#7d6608",
    "--line-6": "#2b8cc4",
    "--line-7": "#5b5b5b",
    "--line-8": "#6b44a8",
}
"""The page's colours by day; a picture that stands alone has only these."""

DARK = {
    "--page": "#14181d",
    "--card": "#1c2229",
    "--ink": "#e6eaef",
    "--muted": "#9aa6b4",
    "--grid": "#353e49",
    "--base": "#7f9cc4",
    "--candidate": "#45c09a",
    "--validation": "#d481cf",
    "--bad": "#ff8a80",
    "--waiting": "#f0b35a",
    "--soft": "#22302c",
    "--line-1": "#5fb2ea",
    "--line-2": "#ff9250",
    "--line-3": "#3ccaa0",
    "--line-4": "#ea8fc4",
    "--line-5": "#d6bb45",
    "--line-6": "#a2d8f7",
    "--line-7": "#b9c1c9",
    "--line-8": "#b99be8",
}
"""The same by night."""

INK, MUTED, GRID, BASE, CANDIDATE, VALIDATION, BAD, WAITING, CARD, *LINES = _VARIABLES
"""`LINES` can be told apart by whoever sees red and green alike; they never go without a shape of their own."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def standalone(svg: str) -> str:
    """A picture of the page as a file of its own: its colours inside it, on a ground that any page can show it on."""
    colours = "".join(f"{name}:{value};" for name, value in LIGHT.items())
    style = f"<style>svg{{{colours}font-family:sans-serif;background:var(--card)}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", rf"\1{style}", svg, count=1)


def svg(figure: Figure, name: str, title: str, description: str) -> str:
    """The figure as an `svg` element for a page: its own ids, the page's colours and font, no background.

    Args:
        name: unique on the page.
        title: what a screen reader says first.
        description: what the picture shows, in words.
    """
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _slim(text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(
        r"<svg\b[^>]*>",
        lambda element: (
            f'{element[0][:-1]} role="img" aria-labelledby="{name}-title {name}-desc">'
            f'<title id="{name}-title">{html.escape(title)}</title><desc id="{name}-desc">{html.escape(description)}</desc>'
        ),
        text,
        count=1,
    )
    # The size of the page decides; viewBox keeps the proportions.
    return re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1)


def _slim(text: str) -> str:
    """Without comments, ids that nothing names, and decimals nobody can see: a third of the size, the same picture."""
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    named = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in named else "", text)
    # Inside of elements only: between them stand the labels.
    text = re.sub(r"<[^>]+>", lambda element: re.sub(r"(\.\d\d)\d+", r"\1", element[0]), text)
    return re.sub(r">\s+<", "><", text)
