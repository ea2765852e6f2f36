"""An audit of dependencies that could not ask must never look like one that found nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from audit import advisories

PACKAGE = {"name": "attrs", "version": "26.1.0", "vulns": []}
SKIPPED = {"name": "boto3", "skip_reason": "Dependency not found on PyPI and could not be audited: boto3 (1.43.106)"}
BAD = {"name": "six", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": [], "description": "…"}]}


def fake(tmp_path: Path, reports: dict[str, list[dict[str, object]] | None]) -> list[str]:
    """A program with pip-audit's options that writes the report of a service, or fails as pip-audit does without a connection."""
    script = tmp_path / "pip_audit.py"
    script.write_text(
        "import json, sys\n"
        f"reports = json.loads({json.dumps(json.dumps(reports))})\n"
        "given = dict(option.split('=', 1) for option in sys.argv[1:] if '=' in option)\n"
        "report = reports[given['--vulnerability-service']]\n"
        "if report is None: sys.exit(1)\n"
        "open(given['--output'], 'w').write(json.dumps({'dependencies': report, 'fixes': []}))\n"
        "sys.exit(1 if any(p.get('vulns') for p in report) else 0)\n"
    )
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    ("reports", "code", "says"),
    [
        ({"pypi": [PACKAGE], "osv": None}, advisories.CLEAN, "1 packages looked up, 0 vulnerabilities known"),
        ({"pypi": None, "osv": [PACKAGE]}, advisories.CLEAN, "1 packages looked up, 0 vulnerabilities known"),
        ({"pypi": [PACKAGE, BAD], "osv": None}, advisories.VULNERABLE, "six 1.0: PYSEC-2026-1, mended in 1.1"),
        ({"pypi": None, "osv": None}, advisories.NOT_ASKED, "pypi cannot be reached; osv cannot be reached"),
        ({"pypi": [PACKAGE, SKIPPED], "osv": None}, advisories.NOT_ASKED, "pypi knew 1 of 2"),
        ({"pypi": [SKIPPED], "osv": []}, advisories.NOT_ASKED, "NOT CHECKED"),
        ({"pypi": [BAD, SKIPPED], "osv": None}, advisories.VULNERABLE, "PYSEC-2026-1"),
    ],
)
def test_what_was_not_looked_up_is_not_clean(
    reports: dict[str, list[dict[str, object]] | None], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advisories.main(fake(tmp_path, reports)) == code
    captured = capsys.readouterr()
    assert says in captured.out + captured.err


def test_every_lock_is_asked_about() -> None:
    locks = {path.relative_to(advisories.ROOT).as_posix() for path in advisories.ROOT.glob("requirements*.txt")}
    locks |= {path.relative_to(advisories.ROOT).as_posix() for path in (advisories.ROOT / "lambda").glob("*/requirements.txt")}
    assert set(advisories.LOCKS) == locks
