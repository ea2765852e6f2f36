"""Known vulnerabilities of the locked packages, as the public databases tell: `make audit-deps`.

`pip-audit` asks them. Behind a mirror without PyPI's JSON interface it finds none of the packages, says "No known vulnerabilities found"
and ends with 0; this module counts what was really looked up, and an answer for some packages only is no answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt", "lambda/sdk/requirements.txt", "lambda/symbolic/requirements.txt")
SERVICES = ("pypi", "osv")
"""PyPI's own advisories, and those of osv.dev; the first that answers is enough, as both hold the Python Packaging Advisory Database."""

CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 3
"""Exit codes: nothing is known; something is; no database could be asked about every package."""


@attrs.frozen(kw_only=True)
class Answer:
    """What one database said about one lock.

    Attributes:
        looked_up: packages it knew.
        skipped: packages it could not be asked about.
        found: one line for each vulnerability: package, version, id, versions that mend it.
    """

    looked_up: int
    skipped: int
    found: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return self.looked_up > 0 and self.skipped == 0


def read(report: dict[str, Any]) -> Answer:
    """pip-audit's JSON report."""
    packages = report["dependencies"]
    asked = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in asked
        for fault in package["vulns"]
    ]
    return Answer(looked_up=len(asked), skipped=len(packages) - len(asked), found=tuple(found))


def ask(command: Sequence[str], service: str, lock: Path) -> Answer | None:
    """The answer of one database about one lock; None when it cannot be reached."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        asking = [*command, f"--vulnerability-service={service}", "--timeout=15", "--progress-spinner=off", "--disable-pip"]
        asking += ["--require-hashes", f"--requirement={lock}", "--format=json", f"--output={report}"]
        # 1 means vulnerabilities, and any failure as well: only the report tells which.
        subprocess.run(asking, capture_output=True, check=False)  # noqa: S603 - fixed arguments, no shell
        return read(json.loads(report.read_text(encoding="utf-8"))) if report.is_file() else None


def main(command: Sequence[str]) -> int:
    """Asks about every lock, prints what is known, and returns the exit code."""
    code = CLEAN
    for name in LOCKS:
        answers = {service: ask(command, service, ROOT / name) for service in SERVICES}
        whole = next((answer for answer in answers.values() if answer is not None and answer.whole), None)
        for line in sorted({line for answer in answers.values() if answer is not None for line in answer.found}):
            print(f"{name}: {line}")
            code = VULNERABLE
        if whole is None:
            said = "; ".join(f"{service} {_in_words(answer)}" for service, answer in answers.items())
            print(f"{name}: NOT CHECKED, no database could be asked about every package ({said})", file=sys.stderr)
            code = code or NOT_ASKED
        else:
            print(f"{name}: {whole.looked_up} packages looked up, {len(whole.found)} vulnerabilities known")
    return code


def _in_words(answer: Answer | None) -> str:
    return "cannot be reached" if answer is None else f"knew {answer.looked_up} of {answer.looked_up + answer.skipped}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
