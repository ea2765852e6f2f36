"""The page of an environment, and the part of a run's page that shows its dashboard."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from markupsafe import Markup

from rft.report.board_data import BoardData
from rft.report.board_pictures import draw
from rft.report.layout import page

TEMPLATE = "environment.html.j2"


def render(data: BoardData, *, environment: str, place: str, local: bool, made_at: datetime) -> str:
    """The page of an environment's dashboard."""
    return page(
        TEMPLATE,
        name=environment,
        place=place,
        local=local,
        dashboard=data.board.name,
        since=data.window.start.strftime("%d %b %Y %H:%M"),
        until=data.window.end.strftime("%d %b %Y %H:%M"),
        alarms=data.alarms,
        alarms_in_words=alarms_in_words(data),
        board=sections(data, "environment"),
        made_at=made_at.isoformat(timespec="seconds"),
    )


def sections(data: BoardData, prefix: str) -> list[dict[str, Any]]:
    """Title and graphs of each section; each graph has `title`, `meaning` and `picture`. Ids within the pictures begin with `prefix`."""
    # The pictures' text is drawn from labels of the deployed dashboard and numbers, and matplotlib escapes it.
    pictures = {title: Markup(svg) for title, svg in draw(data, prefix).items()}  # noqa: S704
    return [
        {
            "title": title,
            "graphs": [{"title": graph.title, "meaning": graph.meaning, "picture": pictures[graph.title]} for graph in graphs],
        }
        for title, graphs in data.board.sections
    ]


def alarms_in_words(data: BoardData) -> str:
    """How many are on and how many are quiet."""
    counts = Counter(state for _, state in data.alarms)
    on = f"{counts['ALARM']} on" if counts["ALARM"] else "none on"
    unknown = f", {counts['INSUFFICIENT_DATA']} without data" if counts["INSUFFICIENT_DATA"] else ""
    return f"{on}{unknown}, {counts['OK']} quiet"
