"""The control mapping: what in the project answers a control of a framework, and the evidence for it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from contracts.errors import InvalidInput

from audit.assembly import ROOT

FOLDER = Path(__file__).with_name("frameworks")

MET, PARTLY, CUSTOMER = "met", "partly", "customer"
STATUSES = (MET, PARTLY, CUSTOMER)
KINDS = ("fact", "section", "test", "document")


@attrs.frozen(kw_only=True)
class Control:
    """One control of a framework.

    Attributes:
        title: what it asks, in our own words.
        status: `met`, `partly` or `customer` (nothing in these templates can answer it).
        answer: what answers it, or what the customer has to do.
        evidence: pointers `kind:name`, of the `KINDS`.
    """

    id: str
    title: str
    status: str
    answer: str
    evidence: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Framework:
    key: str
    name: str
    source: str
    controls: tuple[Control, ...]


def frameworks(folder: Path = FOLDER) -> list[Framework]:
    """Reads the mapping: one file for each framework, by name.

    Raises:
        InvalidInput: naming file, control and key, for a status or a kind of evidence that does not exist, a doubled id, or a claim
            without evidence.
    """
    return [_read(path) for path in sorted(folder.glob("*.toml"))]


def _read(path: Path) -> Framework:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = data.get("controls", [])
    ids = [str(entry.get("id", "?")) for entry in entries]
    problems = [f"{entry.get('id', '?')}{problem}" for entry in entries for problem in _problems(entry)]
    problems += [f"{doubled} stands there twice" for doubled in sorted({one for one in ids if ids.count(one) > 1})]
    if problems:
        raise InvalidInput(path.name, problems)
    return Framework(
        key=path.stem,
        name=data["name"],
        source=data["source"],
        controls=tuple(Control(**{**entry, "evidence": tuple(entry.get("evidence", ()))}) for entry in entries),
    )


def _problems(control: Mapping[str, Any]) -> list[str]:
    problems = [f".{key} is not a known key" for key in control if key not in {"id", "title", "status", "answer", "evidence"}]
    problems += [f".{name} is missing or empty" for name in ("id", "title", "status", "answer") if not control.get(name)]
    if control.get("status") not in STATUSES:
        problems.append(f".status = {control.get('status')!r}: allowed is {', '.join(STATUSES)}")
    if control.get("status") in {MET, PARTLY} and not control.get("evidence"):
        problems.append(".evidence is empty; allowed is at least one pointer, because the status claims something")
    problems += [
        f".evidence has {pointer!r}; allowed is {', '.join(f'{kind}:…' for kind in KINDS)}"
        for pointer in control.get("evidence", ())
        if pointer.partition(":")[0] not in KINDS
    ]
    return problems


def mapped(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The mapping for one environment: a claim whose facts do not hold there is lowered to `partly`, and says which and why."""
    rows = []
    for framework in frameworks():
        for control in framework.controls:
            broken = [
                f"{fact['says']}: not here ({_few(fact['exceptions'])})"
                for pointer in control.evidence
                if pointer.startswith("fact:")
                for fact in [evidence["facts"][pointer.partition(":")[2]]]
                if not fact["holds"]
            ]
            rows.append(
                {
                    "framework": framework.key,
                    "id": control.id,
                    "title": control.title,
                    "status": PARTLY if broken and control.status == MET else control.status,
                    "answer": control.answer,
                    "evidence": list(control.evidence),
                    "not_here": broken,
                }
            )
    return rows


def missing(control: Control, *, sections: set[str], fact_names: set[str], root: Path = ROOT) -> list[str]:
    """The control's pointers that lead nowhere."""
    known = {"section": sections, "fact": fact_names}
    lost = []
    for pointer in control.evidence:
        kind, _, name = pointer.partition(":")
        found = name in known[kind] if kind in known else (root / name.partition("::")[0].partition("#")[0]).exists()
        if not found:
            lost.append(pointer)
    return lost


def _few(exceptions: list[str], most: int = 3) -> str:
    shown = "; ".join(exceptions[:most])
    return f"{shown}; and {len(exceptions) - most} more" if len(exceptions) > most else shown
