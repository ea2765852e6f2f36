"""The register: what the rule packs found, and who answered what, why, and until when. Read from a cloud assembly, never typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from stacks.rules.packs import PACKS
from stacks.rules.review import Acknowledged, acknowledgements


@attrs.frozen(kw_only=True, order=True)
class Finding:
    """One rule broken by one resource, as a pack reported it.

    Attributes:
        environment: construct id of the stage.
        pack: name of the pack, one of `stacks.rules.packs.PACKS`, or of a validator of CDK's own.
        rule: id, with the finding in brackets where one rule finds several: `AwsSolutions-IAM5[Resource::*]`.
        path: of the resource in the construct tree.
        level: error or warning.
        description: what the rule says.
        acknowledged: answered by an acknowledgement on this very resource.
    """

    environment: str
    pack: str
    rule: str
    path: str
    level: str
    description: str
    acknowledged: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.path, self.rule

    def line(self) -> str:
        return f"{self.level} {self.rule} on {self.path}: {self.description}"


@attrs.frozen(kw_only=True)
class Register:
    """One synthesis, as the packs saw it.

    Attributes:
        acknowledged: every acknowledgement written beside a resource.
        findings: every finding, answered or not; warnings included.
        crashed: packs that could not finish, with what they said.
    """

    acknowledged: list[Acknowledged]
    findings: list[Finding]
    crashed: dict[str, str]

    def open(self) -> list[Finding]:
        """Findings nobody answered."""
        return [finding for finding in self.findings if not finding.acknowledged]

    def stale(self) -> list[Acknowledged]:
        """Acknowledgements that answer no finding: to be deleted."""
        found = {finding.key for finding in self.findings if finding.acknowledged}
        return [known for known in self.acknowledged if (known.path, known.finding) not in found]

    def of(self, environment: str) -> Register:
        return Register(
            acknowledged=[known for known in self.acknowledged if known.environment == environment],
            findings=[finding for finding in self.findings if finding.environment == environment],
            crashed=self.crashed,
        )

    def results(self) -> dict[str, tuple[int, int]]:
        """Pack -> findings, and how many of them are answered; packs without a finding included."""
        packs = {pack: [finding for finding in self.findings if finding.pack == pack] for pack in PACKS}
        return {pack: (len(found), sum(finding.acknowledged for finding in found)) for pack, found in packs.items()}


def read_register(directory: Path) -> Register:
    """Reads the assembly of an app that `stacks.rules.packs.add_packs` was called on.

    Raises:
        FileNotFoundError: when no pack has run on it.
    """
    report = json.loads((directory / "validation-report.json").read_text(encoding="utf-8"))
    return Register(
        acknowledged=sorted(_acknowledged(directory)),
        findings=sorted(found for plugin in report["pluginReports"] for found in _findings(plugin)),
        crashed={
            plugin["pluginName"]: plugin["metadata"]["error"]
            for plugin in report["pluginReports"]
            if "error" in (plugin.get("metadata") or {})
        },
    )


def _acknowledged(directory: Path) -> Iterator[Acknowledged]:
    for template in directory.glob("assembly-*/*.template.json"):
        yield from acknowledgements(template.parent.name.removeprefix("assembly-"), template)


def _findings(plugin: dict[str, Any]) -> Iterator[Finding]:
    for key, acknowledged in (("violations", False), ("suppressedViolations", True)):
        for violation in plugin.get(key) or []:
            for construct in violation["violatingConstructs"]:
                yield Finding(
                    environment=construct["constructPath"].split("/", 1)[0],
                    pack=plugin["pluginName"],
                    rule=violation["ruleName"],
                    path=construct["constructPath"],
                    level=violation["severity"],
                    description=violation["description"],
                    acknowledged=acknowledged,
                )
