"""The pack as a whole: reproducible, honest about what is open, and what the command says about it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from contracts.errors import InvalidInput

from audit.evidence import as_text
from audit.pack import EVIDENCE, PAGE, Synthesis, evidence_of, files, last, predecessor, refusals, write
from audit.risks import risks
from stacks.settings import load_all

Evidence = dict[str, Any]


def test_the_same_templates_give_the_same_bytes(synthesis: Synthesis, packs: dict[str, Evidence]) -> None:
    again = evidence_of(synthesis)
    for name, evidence in packs.items():
        assert files(again[name], synthesis.assemblies[name]) == files(evidence, synthesis.assemblies[name])


def test_no_account_time_or_path_of_a_machine_is_in_it(packs: dict[str, Evidence], synthesis: Synthesis) -> None:
    for name, evidence in packs.items():
        text = as_text(evidence)
        assert "<account>" in text
        assert str(synthesis.assemblies[name].directory) not in text
        for settings in load_all():
            assert not settings.account or settings.account not in text


def test_open_findings_refuse_a_deployment(prod: Evidence) -> None:
    clean = {**prod, "findings": {**prod["findings"], "open": [], "crashed": {}}, "access": []}
    assert refusals(clean) == []
    finding = {"pack": "RFT", "rule": "RFT-X", "place": "pipeline/Y", "level": "error", "says": "is wrong"}
    bad = copy.deepcopy(clean)
    bad["findings"]["open"] = [finding, {**finding, "level": "warning"}]
    bad["findings"]["crashed"] = {"HIPAA.Security": "threw"}
    bad["access"] = [
        {"question": "May a reward read?", "expected": "denied", "answer": "partly", "as_expected": False},
        {"question": "May a job write?", "expected": "allowed", "answer": "allowed", "as_expected": True},
    ]
    assert refusals(bad) == [
        "open finding: RFT-X on pipeline/Y: is wrong",
        "rule pack HIPAA.Security did not finish: threw",
        "access: May a reward read? Expected denied, computed partly",
    ]


def test_findings_by_the_calendar_are_left_out(synthesis: Synthesis) -> None:
    finding = attrs.evolve(synthesis.register.findings[0], rule="RFT-AcknowledgementReview", environment="prod", acknowledged=False)
    later = attrs.evolve(synthesis, register=attrs.evolve(synthesis.register, findings=[*synthesis.register.findings, finding]))
    assert evidence_of(later)["prod"] == evidence_of(synthesis)["prod"]


def test_a_pack_can_be_read_again(tmp_path: Path, synthesis: Synthesis, prod: Evidence) -> None:
    assert last(tmp_path) is None
    write(tmp_path, files(prod, synthesis.assemblies["prod"]))
    assert last(tmp_path) == prod
    assert (tmp_path / PAGE).read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / EVIDENCE).read_text())["environment"] == "prod"


def test_the_way_a_change_takes() -> None:
    assert [predecessor(name) for name in ("dev", "stage", "prod", "sandbox")] == ["", "dev", "stage", ""]


def test_risks_are_those_of_the_threat_model() -> None:
    found = risks()
    assert len(found) > 20
    assert {risk.rating for risk in found} <= {"low", "medium", "high"}
    assert all(risk.threat and risk.answer and risk.owner for risk in found)


def test_a_threat_model_without_a_threat_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "threat-model.md").write_text("# Threats\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    with pytest.raises(InvalidInput, match="holds no threat table"):
        risks(tmp_path)
