"""The committed packs are what the templates of this commit give."""

from __future__ import annotations

from typing import Any

from audit import sbom
from audit.evidence import as_text
from audit.pack import BUILD_BILL, COMMITTED, Synthesis, files

REFRESH = "docs/evidence is not what the templates give: run `make evidence` and commit it"


def test_the_committed_packs_are_those_of_the_templates(synthesis: Synthesis, packs: dict[str, dict[str, Any]]) -> None:
    wanted = {f"{name}/{file}": text for name, pack in packs.items() for file, text in files(pack, synthesis.assemblies[name]).items()}
    wanted[BUILD_BILL] = as_text(sbom.build())
    found = {path.relative_to(COMMITTED).as_posix(): path.read_text(encoding="utf-8") for path in COMMITTED.rglob("*") if path.is_file()}
    assert sorted(found) == sorted(wanted), REFRESH
    differing = {name: _first_difference(found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}
    assert not differing, f"{REFRESH}; {differing}"


def _first_difference(found: str, wanted: str) -> str:
    for number, (old, new) in enumerate(zip(found.splitlines(), wanted.splitlines(), strict=False), start=1):
        if old != new:
            return f"line {number} is {old.strip()[:120]!r} and should be {new.strip()[:120]!r}"
    return "it ends too early or too late"


def test_the_packs_stay_small_enough_to_keep_in_git() -> None:
    assert sum(path.stat().st_size for path in COMMITTED.rglob("*") if path.is_file()) < 3_500_000
