"""The threat model says nothing that the repository does not hold: proofs exist, every threat is rated and owned, no kind is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "threat-model.md"

STRIDE = set("STRIDE")
RISKS = {"low", "medium", "high"}
ASKED = (
    "data poisoning",
    "reward tampering",
    "prompt injection of the judge",
    "repeats its training data",
    "confused deputy",
    "cost abuse",
    "package",
    "insider",
    "log leakage",
    "denial",
)
"""What a reviewer of this system looks for first; each is named by some threat."""

_PATH = re.compile(r"`([^`\s]+)`")


def rows(page: str, columns: int) -> list[list[str]]:
    """The body rows of every table with so many columns."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in page.splitlines() if line.startswith("|")]
    kept = [row for row in cells if len(row) == columns and not set("".join(row)) <= set("|- ")]
    return [row for row in kept if row[0] != "threat"]


def threats(page: str) -> list[list[str]]:
    """threat, kind, answer, proof, what is left, risk and owner."""
    return rows(page, 6)


def faults(page: str) -> list[str]:
    """What is wrong with the table, one line each."""
    owners = {row[0] for row in rows(page, 3)}
    found: list[str] = []
    for threat, kind, _, proof, _, accepted in threats(page):
        if not kind or not set(kind.split()) <= STRIDE:
            found.append(f"{threat}: kind {kind!r} is not of STRIDE")
        paths = _PATH.findall(proof)
        if not paths:
            found.append(f"{threat}: no proof")
        found += [f"{threat}: {path} does not exist" for path in paths if not (ROOT / path).exists()]
        risk, _, owner = accepted.partition(", ")
        if risk not in RISKS or owner not in owners:
            found.append(f"{threat}: {accepted!r} is not a risk and one of the actors")
    return found


def test_every_threat_has_a_proof_that_exists_a_rating_and_an_owner() -> None:
    assert faults(PAGE.read_text()) == []


def test_every_kind_of_stride_and_every_threat_asked_for_is_there() -> None:
    page = PAGE.read_text()
    found = threats(page)
    assert len(found) >= 25
    assert {letter for row in found for letter in row[1].split()} == STRIDE
    named = " ".join([row[0] for row in found] + re.findall(r"\*\*.\*\*\w[\w ]+", page)).lower().replace("**", "")
    assert [name for name in ASKED if name not in named] == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("`tests/pipeline/test_gate.py`", "`tests/pipeline/test_gone.py`", "does not exist"),
        ("low, platform owner", "low, nobody", "not a risk and one of the actors"),
        ("medium, reward owner", "tiny, reward owner", "not a risk and one of the actors"),
        ("| R |", "| X |", "not of STRIDE"),
    ],
)
def test_a_page_that_says_more_than_the_repository_holds_is_found(old: str, new: str, fault: str) -> None:
    page = PAGE.read_text()
    assert old in page
    assert any(fault in line for line in faults(page.replace(old, new)))
