"""The control mapping: right ids, honest claims, and evidence that exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from contracts.errors import InvalidInput

from audit.controls import CUSTOMER, MET, PARTLY, Control, frameworks, mapped, missing
from audit.sections import SECTIONS

IDS = {
    "nist-800-53": r"(AC|AT|AU|CA|CM|CP|IA|IR|MA|MP|PE|PL|PM|PS|PT|RA|SA|SC|SI|SR)-\d{1,2}(\(\d{1,2}\))?",
    "soc-2": r"CC[1-9]\.\d|A1\.[1-3]|C1\.[12]|PI1\.[1-5]|P[1-8]\.\d",
    "iso-27001": r"5\.([1-9]|[12]\d|3[0-7])|6\.[1-8]|7\.([1-9]|1[0-4])|8\.([1-9]|[12]\d|3[0-4])",
    "hipaa": r"164\.3(08|10|12|14|16)(\([a-e]\)(\(\d\)(\([ivx]+\)(\([A-D]\))?)?)?)?",
    "aws-ml-lens": r"ML(SEC|REL|OPS|COST|PERF|SUS)\d\d-BP\d\d",
    "aws-genai-lens": r"GEN(SEC|REL|OPS|COST|PERF|SUS)\d\d-BP\d\d",
}
"""What an id of each framework looks like: 93 controls in ISO's four themes, twenty families of NIST, and so on."""

HEADER = 'name = "n"\nsource = "s"\n'


def every_control() -> list[tuple[str, Control]]:
    return [(framework.key, control) for framework in frameworks() for control in framework.controls]


def test_the_frameworks_asked_for_are_mapped() -> None:
    assert {framework.key for framework in frameworks()} == set(IDS)


@pytest.mark.parametrize(("framework", "control"), every_control(), ids=lambda value: getattr(value, "id", value))
def test_ids_are_the_frameworks_own(framework: str, control: Control) -> None:
    assert re.fullmatch(IDS[framework], control.id)


@pytest.mark.parametrize(("framework", "control"), every_control(), ids=lambda value: getattr(value, "id", value))
def test_every_pointer_leads_somewhere(framework: str, control: Control, prod: dict[str, Any]) -> None:
    assert not missing(control, sections=set(SECTIONS), fact_names=set(prod["facts"])), framework


def test_a_pointer_that_leads_nowhere_is_seen() -> None:
    pointers = ("fact:nothing", "section:nowhere", "test:tests/none.py", "document:docs/none.md", "document:README.md#any")
    control = Control(id="X-1", title="t", status=MET, answer="a", evidence=pointers)
    assert missing(control, sections={"roles"}, fact_names={"real"}) == list(pointers[:4])


def test_the_customers_part_is_not_claimed() -> None:
    statuses = [control.status for _, control in every_control()]
    assert statuses.count(CUSTOMER) > 20
    assert statuses.count(PARTLY) > 20
    for _, control in every_control():
        assert control.status == CUSTOMER or control.evidence


def test_a_claim_is_lowered_where_its_fact_does_not_hold(packs: dict[str, dict[str, Any]]) -> None:
    dev = {(row["framework"], row["id"]): row for row in packs["dev"]["controls"]}
    rebuilt = dev["nist-800-53", "CP-10"]
    assert rebuilt["status"] == PARTLY
    assert any("termination protection" in why for why in rebuilt["not_here"])
    prod = {(row["framework"], row["id"]): row for row in packs["prod"]["controls"]}
    assert prod["nist-800-53", "CP-10"]["status"] == MET
    assert not prod["nist-800-53", "CP-10"]["not_here"]


def test_a_customers_control_stays_the_customers(prod: dict[str, Any]) -> None:
    broken = {**prod, "facts": {name: {**fact, "holds": False, "exceptions": ["planted"]} for name, fact in prod["facts"].items()}}
    rows = {(row["framework"], row["id"]): row["status"] for row in mapped(broken)}
    assert rows["nist-800-53", "IA-2"] == CUSTOMER
    assert rows["nist-800-53", "SC-7"] == PARTLY


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[controls]]\nid = "A"\ntitle = "t"\nstatus = "done"\nanswer = "a"\n', "A.status = 'done': allowed is met, partly, customer"),
        ('[[controls]]\nid = "A"\ntitle = "t"\nstatus = "met"\nanswer = "a"\n', "A.evidence is empty"),
        ('[[controls]]\nid = "A"\nstatus = "customer"\nanswer = "a"\n', "A.title is missing"),
        ('[[controls]]\nid = "A"\ntitle = "t"\nstatus = "customer"\nanswer = "a"\nsays = "x"\n', "A.says is not a known key"),
        ('[[controls]]\nid = "A"\ntitle = "t"\nstatus = "met"\nanswer = "a"\nevidence = ["page:x"]\n', "A.evidence has 'page:x'"),
        ('[[controls]]\nid = "A"\ntitle = "t"\nstatus = "customer"\nanswer = "a"\n' * 2, "A stands there twice"),
    ],
)
def test_a_mistake_in_the_mapping_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "own.toml").write_text(HEADER + text)
    with pytest.raises(InvalidInput, match=re.escape(complaint)):
        frameworks(tmp_path)
