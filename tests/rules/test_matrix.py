"""Every pack over every environment: no finding is left unanswered, and no answer is left without a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.register import read_register
from stacks.rules.packs import PACKS
from tests.rules.conftest import Checked


def test_no_finding_is_left_unanswered(checked: Checked) -> None:
    left = checked.register.open()
    assert not left, "\n".join(finding.line() for finding in left)
    assert not checked.register.crashed


def test_every_pack_has_read_the_templates(checked: Checked) -> None:
    results = checked.register.results()
    assert set(results) == set(PACKS)
    # Each of cdk-nag's has something to say about every environment, and all of it is answered.
    assert all(found == answered for found, answered in results.values())
    assert all(results[pack][0] > 0 for pack in PACKS if pack != "RFT"), results


def test_no_acknowledgement_outlives_its_finding(checked: Checked) -> None:
    stale = checked.register.stale()
    assert not stale, "\n".join(f"{known.path} acknowledges {known.finding}, which no pack reports any more" for known in stale)


def test_each_acknowledgement_answers_one_finding_on_one_resource(checked: Checked) -> None:
    answers = [(known.environment, known.path, known.finding) for known in checked.register.acknowledged]
    assert len(answers) == len(set(answers)) > 0
    findings = {(finding.environment, *finding.key) for finding in checked.register.findings}
    assert set(answers) == findings


def test_a_reason_an_owner_and_a_date_stand_in_the_register(checked: Checked) -> None:
    for known in checked.register.acknowledged:
        assert len(known.reason) >= 40 and known.owner and known.review, known


def test_the_register_is_kept_per_environment(checked: Checked) -> None:
    for name in checked.assemblies:
        of = checked.register.of(name)
        assert of.acknowledged and {known.environment for known in of.acknowledged} == {name}


def test_a_template_without_packs_has_no_register(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_register(tmp_path)
