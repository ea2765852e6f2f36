"""Every grader in lambda/reward/custom is held to what a run holds it to: the rehearsal and the gold check, on the shipped dataset.

A grader whose dataset is another one is held to the same by the test `rft reward new` writes beside it; name that dataset in `DATA`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pipeline import rehearsal
from pipeline.probes import PAID, UNPAID, cases_of
from reward import custom, gold, graders
from reward.contract import Sample

from rft.reward_data import DEFAULT_DATA, gold_items, read_records

FOLDER = Path(custom.__file__).parent
OWN = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")

DATA: dict[str, Path] = {}
"""Graders whose replies are those of another dataset than the word problems."""


def records_for(name: str, count: int) -> list[dict[str, Any]]:
    return read_records(DATA.get(name, DEFAULT_DATA), count=count)


def rehearsed(name: str) -> dict[str, Any]:
    """The verdict of a run's rehearsal, graded in this process."""
    grade, cases = graders.build(name), cases_of(records_for(name, 400))
    scores = [
        [
            grade(Sample(probe.name, probe.reply, {**case.record, **(probe.under or {})}["reference_answer"], [], case.record)).value
            for probe in case.probes
        ]
        for case in cases
    ]
    return rehearsal.verdict(cases, scores)


def test_the_folder_is_looked_at() -> None:
    assert "starting_point" in OWN


@pytest.mark.parametrize("name", OWN)
def test_the_rehearsal_trusts_it(name: str) -> None:
    verdict = rehearsed(name)
    assert verdict["trusted"], verdict["reasons"]
    assert verdict["learnt"]["exploit"] is None


def test_the_starting_point_pays_no_reply_that_should_earn_nothing() -> None:
    probes = rehearsed("starting_point")["probes"]
    assert all(probe["mean"] == 1.0 for probe in probes if probe["expected"] == PAID)
    assert [probe["name"] for probe in probes if probe["expected"] == UNPAID and probe["mean"] > 0] == []


@pytest.mark.parametrize("name", OWN)
def test_the_reference_itself_is_paid_in_full_and_no_reply_breaks_it(name: str) -> None:
    found = gold.problems(graders.build(name), gold_items(records_for(name, 200)))
    assert not found, gold.told(found)


def test_a_starting_point_does_not_read_what_was_only_thought() -> None:
    grade = graders.build("starting_point")
    for response, worth in {
        "<think>\n42": 0.0,
        "<think>42</think>": 0.0,
        "<think>41</think>\n42": 1.0,
        "<think>42</think>41": 0.0,
        "41 so far</think>42": 1.0,
    }.items():
        assert grade(Sample("s", response, "42", [], {})).value == worth, response
    assert grade(Sample("s", "<think>a</think>42", "<think>a</think>42", [], {})).value == 1.0
