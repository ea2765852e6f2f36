"""The page: self-contained, whole, accessible, and safe against what it shows."""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from markupsafe import escape
from PIL import ImageFont

from audit import picture
from audit.drawing import Box, Column, Frame, Line, draw
from audit.page import render
from audit.sections import SECTIONS

Evidence = dict[str, Any]


class Reader(HTMLParser):
    """Collects what the checks ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.heads_without_scope = 0
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        self.ids += [str(given["id"])] if given.get("id") else []
        self.links += [str(given[name]) for name in ("href", "src") if given.get(name)]
        self.heads_without_scope += tag == "th" and "scope" not in given


@pytest.fixture(scope="module")
def pages(packs: dict[str, Evidence]) -> dict[str, str]:
    return {name: render(evidence) for name, evidence in packs.items()}


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_nothing_is_fetched_and_nothing_runs(pages: dict[str, str]) -> None:
    for page in pages.values():
        found = read(page)
        assert found.tags["script"] == found.tags["link"] == found.tags["img"] == 0
        assert "default-src 'none'" in page
        assert not re.search(r"url\((?!#)|@import|javascript:", page)
        sources = [link for link in found.links if not link.startswith("#")]
        assert all(link.startswith("https://") for link in sources)
        assert len(sources) <= 6, "only the frameworks' own pages are linked"


def test_every_section_is_there_and_every_inner_link_lands(pages: dict[str, str]) -> None:
    for page in pages.values():
        found = read(page)
        assert set(SECTIONS) - {"changes"} <= set(found.ids)
        assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
        assert [one for one, times in Counter(found.ids).items() if times > 1] == []


def test_tables_can_be_read_aloud(pages: dict[str, str]) -> None:
    found = read(pages["prod"])
    assert found.tags["table"] > 20
    assert found.heads_without_scope == 0
    assert found.tags["h1"] == found.tags["main"] == found.tags["nav"] == 1


def test_the_evidence_is_shown_whole(prod: Evidence, pages: dict[str, str]) -> None:
    page = re.sub(r"<wbr>", "", pages["prod"])
    for role in prod["roles"]:
        assert f"<b>{role['place']}</b>" in page
    for control in prod["controls"]:
        assert f'<th scope="row">{control["id"]}</th>' in page
    for row in prod["access"]:
        assert escape(row["question"]) in page
    for known in prod["findings"]["acknowledgements"]:
        assert escape(known["reason"]) in page
        assert all(answer["place"] in page for answer in known["answers"])
    for resource in prod["resources"]:
        assert resource["place"] in page
    assert page.count("<svg") == 2


def test_hostile_text_stays_text(prod: Evidence) -> None:
    hostile = copy.deepcopy(prod)
    attack = "<script>alert(1)</script>"
    hostile["roles"][0]["description"] = attack
    hostile["functions"][0]["description"] = attack
    hostile["risks"][0]["left"] = attack
    hostile["rules_of_events"][0]["what"] = attack
    page = render(hostile)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_history_and_promotion_are_the_pages_alone(prod: Evidence) -> None:
    changes = {"before": "then", "after": "now", "areas": [{"title": "Keys", "changes": [{"what": "k", "before": ["a"], "after": ["b"]}]}]}
    page = render(prod, changes=changes, promotion={"commit": "abc123"})
    assert 'id="changes"' in page
    assert "abc123" in page
    assert 'id="changes"' not in render(prod)


def test_pictures_are_well_formed_and_hold_every_role(prod: Evidence) -> None:
    for svg in (picture.architecture(prod), picture.data_flow(prod)):
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg")
        assert [child.tag.split("}")[1] for child in root][:2] == ["title", "desc"]
    drawn = picture.data_flow(prod)
    for flow in prod["flows"]:
        if flow["verb"] == "pass" or flow["target"].startswith("Buckets/"):
            assert f"{flow['source']} → {flow['target']}: {', '.join(flow['actions'])}".replace("'", "&#x27;") in drawn


def test_a_line_to_nowhere_is_a_defect() -> None:
    column = Column(heading="h", frames=[Frame(caption="c", boxes=[Box(key="a", name="a")])])
    with pytest.raises(KeyError):
        draw(identity="x", title="t", description="d", columns=[column], lines=[Line(source="a", target="b", kind="read", title="t")])


def test_no_label_runs_over_its_box() -> None:
    """Measured in DejaVu Sans, the widest font of the page's."""
    description = "Looks through the account's customization jobs, deployments and throughput, WHATEVER THEIR NAMES"
    column = Column(
        heading="h", frames=[Frame(caption="c", boxes=[Box(key="a", name="Perimeter/" + "Inspection" * 5, lines=[description])])]
    )
    root = ET.fromstring(draw(identity="x", title="t", description="d", columns=[column], lines=[]))
    rects = {rect.get("class"): float(rect.get("width", 0)) for rect in root.iter("{http://www.w3.org/2000/svg}rect")}
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        size = 11 if text.get("class") == "dim" else 12
        width = ImageFont.truetype(folder / "DejaVuSans.ttf", size).getlength(str(text.text))
        assert width <= rects["box"] - 9, text.text
    shown = "".join(f"{text.text} " for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "dim")
    assert shown.split() == description.split()
