"""The evidence pack: for each environment a folder with the page, the evidence and the bill of materials."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from audit import comparison, sbom
from audit.assembly import ROOT, Assembly, read, synthesise
from audit.evidence import as_text, gather
from audit.page import render
from audit.register import Register, read_register
from stacks.settings import EnvironmentSettings, load_all

COMMITTED = ROOT / "docs" / "evidence"
"""The packs that the repository keeps of its own environments."""

ORDER = ("dev", "stage", "prod")
"""The environments in the order a change reaches them."""

PAGE, EVIDENCE, BILL, BUILD_BILL = "index.html", "evidence.json", "sbom.cdx.json", "sbom-build.cdx.json"


@attrs.frozen(kw_only=True)
class Synthesis:
    """Environments as synthesised, and what the rule packs found."""

    assemblies: Mapping[str, Assembly]
    register: Register


@contextmanager
def synthesised(*, keep_account: bool = False, directory: Path | None = None) -> Iterator[Synthesis]:
    """Synthesises every environment with the rule packs; open findings are part of the result and no error.

    Args:
        keep_account: leaves the account of the settings in the templates, for a deployment. Otherwise it is taken out, so that
            the evidence is the same whoever makes it.
        directory: where to; a temporary one if absent.
    """
    with tempfile.TemporaryDirectory() as temporary:
        target = directory or Path(temporary)
        yield Synthesis(assemblies=_assemblies(environments(keep_account=keep_account), target), register=read_register(target))


def environments(*, keep_account: bool = False) -> list[EnvironmentSettings]:
    """The settings an app for evidence is made from."""
    return [settings if keep_account else attrs.evolve(settings, account="") for settings in load_all()]


def _assemblies(wanted: Sequence[EnvironmentSettings], target: Path) -> dict[str, Assembly]:
    # Findings fail a synthesis after everything is written; the register has them.
    with suppress(RuntimeError):
        return synthesise(wanted, target, packs=True)
    return {settings.name: read(target, settings) for settings in wanted}


def evidence_of(synthesis: Synthesis, environments: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """The evidence of the named environments, or of all, by name, each compared with the one before it."""
    wanted = [name for name in synthesis.assemblies if not environments or name in environments]
    needed = {*wanted, *map(predecessor, wanted)}
    found = {name: gather(assembly, synthesis.register) for name, assembly in synthesis.assemblies.items() if name in needed}
    for name in wanted:
        before, evidence = predecessor(name), found[name]
        evidence["differences"] = (
            comparison.compare(found[before], evidence, before_name=before, after_name=name) if before in found else None
        )
    return {name: found[name] for name in wanted}


def predecessor(environment: str) -> str:
    """The environment a change reaches before this one, or an empty text."""
    index = ORDER.index(environment) if environment in ORDER else 0
    return ORDER[index - 1] if index else ""


def files(
    evidence: Mapping[str, Any],
    assembly: Assembly,
    *,
    changes: Mapping[str, Any] | None = None,
    promotion: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A pack's files by name.

    Args:
        changes: since an earlier pack, for the page alone: the evidence is of the templates and knows no history.
        promotion: who deploys what and when, for the page alone.
    """
    return {
        PAGE: render(evidence, changes=changes, promotion=promotion),
        EVIDENCE: as_text(evidence),
        BILL: as_text(sbom.shipped(assembly)),
    }


@attrs.frozen(kw_only=True)
class Written:
    """What writing packs came to.

    Attributes:
        pages: environment -> its page.
        refusals: environment -> why it may not be deployed; empty lists where nothing stands against it.
        changes: environment -> what changed since the earlier pack, where there is one.
    """

    pages: dict[str, Path]
    refusals: dict[str, list[str]]
    changes: dict[str, dict[str, Any]]


def make(out: Path, *, environments: Sequence[str] = (), since: Path | None = None) -> Written:
    """Writes the packs of the named environments, or of all, and the bill of what builds them.

    Args:
        out: gets one folder for each environment.
        since: folder of earlier packs to compare with; may be `out` itself.
    """
    pages: dict[str, Path] = {}
    refused: dict[str, list[str]] = {}
    changes: dict[str, dict[str, Any]] = {}
    with synthesised() as synthesis:
        for name, evidence in evidence_of(synthesis, environments).items():
            before = last(since / name) if since else None
            if before:
                changes[name] = comparison.compare(before, evidence, before_name="the last pack", after_name="this pack")
            contents = files(evidence, synthesis.assemblies[name], changes=changes.get(name))
            write(out / name, contents)
            pages[name] = (out / name / PAGE).resolve()
            refused[name] = refusals(evidence)
    write(out, {BUILD_BILL: as_text(sbom.build())})
    return Written(pages=pages, refusals=refused, changes=changes)


def write(folder: Path, contents: Mapping[str, str]) -> None:
    """Writes files into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")


def last(folder: Path) -> dict[str, Any] | None:
    """The evidence of the pack in a folder, or None when there is none."""
    path = folder / EVIDENCE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found or None


def refusals(evidence: Mapping[str, Any]) -> list[str]:
    """Why an environment may not be deployed: each open finding, pack that did not finish, and access question with a wrong answer."""
    found = evidence["findings"]
    lines = [f"open finding: {one['rule']} on {one['place']}: {one['says']}" for one in found["open"] if one["level"] == "error"]
    lines += [f"rule pack {pack} did not finish: {error}" for pack, error in found["crashed"].items()]
    lines += [
        f"access: {row['question']} Expected {row['expected']}, computed {row['answer']}"
        for row in evidence["access"]
        if not row["as_expected"]
    ]
    return lines
