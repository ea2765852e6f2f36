"""The HTML report: one file, everything in it, nothing of it trusted."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path
from xml.etree import ElementTree

import attrs
import pytest

from rft.report.drawing import standalone
from rft.report.gather import ReportData, step_table
from rft.report.lineage_picture import lineage_picture
from rft.report.page import render
from rft.report.pictures import draw
from rft.run_view import RunView
from tests.cli.made_runs import RUN_ID, lineage, rehearsal, untrusted


class Page(html.parser.HTMLParser):
    """Reads a page: its text, its elements, and whether every element is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.sources += [str(given[name]) for name in ("src", "href", "xlink:href") if given.get(name)]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_given_a_released_run_then_the_page_tells_its_story(report_data: ReportData) -> None:
    page = Page(render(report_data))
    for expected in (
        RUN_ID,
        "Released",
        "Reward trend",
        "Base against candidate: the gate passed",
        "+0.567",
        "margin 0.02",
        "with its 95% interval",
        "What the graded responses were",
        "3,900 (76%)",
        "Rehearsal of the reward: trusted",
        "hedge, right first",
        "States and their time",
        "Hyperparameters",
        "learning rate",
        "5e-05",
        "$34.50",
        "dataset word-problems",
        "released model",
        "release approved by",
        f"s3://runs/records/{RUN_ID}/lineage.json",
    ):
        assert expected in page.text, expected
    assert page.open == []


def test_the_page_needs_no_network_and_no_script(report_data: ReportData) -> None:
    page = Page(render(report_data))
    assert not page.tags & {"script", "link", "iframe", "img", "object"}
    assert all(source.startswith("#") for source in page.sources)
    assert "default-src 'none'" in render(report_data)


def test_ids_of_the_pictures_do_not_collide(report_data: ReportData) -> None:
    page = Page(render(report_data))
    assert len(page.ids) == len(set(page.ids))
    assert {source[1:] for source in page.sources} <= set(page.ids)


def test_a_picture_stands_alone_with_every_colour_it_uses(report_data: ReportData) -> None:
    for picture in draw(report_data).values():
        alone = standalone(picture)
        ElementTree.fromstring(alone)
        assert set(re.findall(r"var\((--[a-z0-9-]+)\)", alone)) <= set(re.findall(r"(--[a-z0-9-]+):", alone))


def test_the_same_run_gives_the_same_page(report_data: ReportData) -> None:
    assert render(report_data) == render(report_data)


def test_given_the_local_cloud_then_a_banner_says_who_trained(report_data: ReportData) -> None:
    local = attrs.evolve(report_data, view=attrs.evolve(report_data.view, local=True))
    assert "Trained by the local stand-in policy, not by a language model" in Page(render(local)).text
    assert "stand-in" not in Page(render(report_data)).text


def test_given_hostile_text_in_the_records_then_it_stays_text(report_data: ReportData) -> None:
    evil = '<script>alert("x")</script>'
    record = lineage() | {"requested_by": evil}
    view = attrs.evolve(report_data.view, lineage=record, outcome={"code": "Released", "reason": evil, "state": "Release"})
    source = render(attrs.evolve(report_data, view=view))
    assert evil not in source
    assert "&lt;script&gt;" in source


def test_given_a_refused_candidate_then_the_reasons_are_there_and_no_model_is_called_released(
    report_data: ReportData, refused_view: RunView
) -> None:
    page = Page(render(attrs.evolve(report_data, view=refused_view)))
    assert "the gate refused" in page.text
    assert "CandidateRejected" in page.text
    assert "the difference could be none" in page.text
    assert "model, not released" in page.text


def test_the_page_shows_what_the_rehearsed_policy_learnt(report_data: ReportData) -> None:
    text = Page(render(report_data)).text
    assert "share before → after" in text
    assert "worked solution right paid 1.00 10.7% → 98.5%" in text
    assert "mean reward 0.31 before, 0.97 after" in text
    assert "No undeserving reply would gain." in text
    assert "The reference's own answer was denied full pay in 0 of 64 records." in text
    assert "Calibrated" not in text


def test_given_an_untrusted_reward_then_the_page_names_the_exploit_its_share_and_the_calibration(report_data: ReportData) -> None:
    source = render(attrs.evolve(report_data, view=attrs.evolve(report_data.view, rehearsal=untrusted())))
    text = Page(source).text
    assert "Rehearsal of the reward: not trusted" in text
    assert "exploit paid: 'hedge, right first' earns 0.98" in text
    assert "The exploit it would learn: hedge, right first (2.7% before, 91.4% after)." in text
    assert "Calibrated against people's feedback on 2026-02-28T10:00:00+00:00" in text
    assert re.findall(r'<tr class="exploit"><td>([^<]+)', source) == ["hedge, right first"]


@pytest.mark.parametrize("missing", ["learnt", "gold", "calibration"])
def test_given_a_rehearsal_that_broke_or_is_older_then_the_page_shows_what_there_is(report_data: ReportData, missing: str) -> None:
    for result in (rehearsal() | {missing: None}, {key: value for key, value in rehearsal().items() if key != missing}):
        text = Page(render(attrs.evolve(report_data, view=attrs.evolve(report_data.view, rehearsal=result)))).text
        assert "hedge, right first" in text
        assert ("share before" in text) is (missing != "learnt")


def test_given_a_run_that_ended_at_once_then_the_page_still_renders(report_data: ReportData) -> None:
    outcome = {"code": "RequestRefused", "reason": "above the caps", "state": "PrepareRun"}
    record = {"run_id": RUN_ID, "outcome": outcome}
    view = attrs.evolve(
        report_data.view,
        status="FAILED",
        plan=None,
        rehearsal=None,
        gate=None,
        train=(),
        validation=(),
        trend={},
        steps=(),
        lineage=record,
        outcome=outcome,
    )
    page = Page(render(ReportData(view=view, made_at=report_data.made_at)))
    assert "RequestRefused" in page.text
    assert "no model" in page.text
    assert "Reward trend" not in page.text


def test_given_a_running_run_then_the_page_says_so(report_data: ReportData) -> None:
    view = attrs.evolve(report_data.view, status="RUNNING", stopped=None, outcome=None, lineage=None, lineage_uri=None, gate=None)
    page = Page(render(attrs.evolve(report_data, view=view)))
    assert "running" in page.text
    assert "Lineage record" not in page.text


def test_the_lineage_picture_joins_every_input_with_the_run_and_the_run_with_the_model() -> None:
    picture = lineage_picture(lineage())
    assert [box.kind for box in picture.boxes] == ["input"] * 4 + ["people", "run", "model"]
    assert len(picture.arrows) == len(picture.boxes) - 1
    for box in picture.boxes:
        assert box.x >= 0
        assert box.x + box.width <= picture.width
        assert box.y >= 0
        assert box.y + box.height <= picture.height
        assert all(len(line) * 6.9 <= box.width for line in box.lines)


def test_given_a_csv_with_other_columns_then_it_is_left_out() -> None:
    assert step_table({"a.csv": {"columns": ["epoch", "loss"], "rows": [{"epoch": 1.0, "loss": 2.0}]}}) is None
    rows = [{"step": "cut", "reward_mean": 0.5}, {"step": 1.0, "reward_mean": 0.5}]
    assert step_table({"a.csv": {"columns": ["step", "reward_mean"], "rows": rows}}) == ("step", "reward_mean", rows[1:])


def test_the_template_is_where_the_page_looks_for_it() -> None:
    from rft.report import page  # noqa: PLC0415 - its file's place is what is tested

    assert (Path(page.__file__).parent / page.TEMPLATE).is_file()


def test_the_page_says_whether_the_records_are_as_they_were_signed(report_data: ReportData) -> None:
    page = render(attrs.evolve(report_data, records="Run x: every record is as it was signed at 2026-11-20."))
    assert "every record is as it was signed" in page
    assert "its signature" not in render(report_data)
