"""No secret is in the repository: every tracked file is scanned, and what looks like one was looked at by a person.

`docs/evidence/` is left out: it is full of hashes, and `tests/audit/test_committed.py` holds it to what the templates and locks give.
`.secrets.baseline` holds what was reviewed: `make secrets` refreshes it, and `detect-secrets audit .secrets.baseline` asks about each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / ".secrets.baseline"
GENERATED = "docs/evidence/"


@pytest.fixture(scope="module")
def baseline() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
    return read


def scan(files: Iterable[Path], root: Path, baseline: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    """File, kind and hash of everything that looks like a secret -> the line it is on."""
    found = SecretsCollection(root=str(root))
    with transient_settings({"plugins_used": baseline["plugins_used"], "filters_used": baseline["filters_used"]}):
        for file in files:
            found.scan_file(file.relative_to(root).as_posix())
    return {(name, secret.type, secret.secret_hash): secret.line_number for name, secret in found}


def tracked() -> list[Path]:
    """Every file git knows; those that ship where this is no clone."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False)  # noqa: S607
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    if not names:
        left_out = {".venv", "node_modules", "cdk.out", ".build", ".local", ".git"}
        names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if not left_out & set(path.relative_to(ROOT).parts)]
    kept = [name for name in names if name and name != BASELINE.name and not name.startswith(GENERATED)]
    return [ROOT / name for name in kept if (ROOT / name).is_file()]


def known(baseline: dict[str, Any]) -> set[tuple[str, str]]:
    """Kind and hash of every value that was reviewed; a made-up one may stand in any test."""
    return {(entry["type"], entry["hashed_secret"]) for entries in baseline["results"].values() for entry in entries}


def test_nothing_that_looks_like_a_secret_is_unknown(baseline: dict[str, Any]) -> None:
    found, reviewed = scan(tracked(), ROOT, baseline), known(baseline)
    unknown = [
        f"{name}:{line}: {kind}"
        for (name, kind, digest), line in found.items()
        if (kind, digest) not in reviewed or not name.startswith("tests/")
    ]
    assert unknown == [], "mend it, or have it reviewed: make secrets, then detect-secrets audit .secrets.baseline"
    assert reviewed - {(kind, digest) for _, kind, digest in found} == set(), "no longer there: make secrets"


def test_everything_in_the_baseline_was_reviewed_and_is_in_test_data(baseline: dict[str, Any]) -> None:
    for name, entries in baseline["results"].items():
        assert name.startswith("tests/"), f"{name}: allowed are made-up values of tests"
        assert [entry["line_number"] for entry in entries if entry.get("is_secret") is not False] == [], name


_NOISE = hashlib.sha512(b"planted")
PLANTED = {
    "AWS Access Key": 'key = "{}"'.format("AK" + "IA" + "Z7QXWVUT5SRPON3M"),
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n",
    "GitHub Token": "token: gh" + "p_" + _NOISE.hexdigest()[:36],
    "Secret Keyword": "pass" + 'word = "hunter2xyzzy"',
    "Base64 High Entropy String": f'value = "{base64.b64encode(_NOISE.digest()).decode()}"',
    "Hex High Entropy String": f'value = "{_NOISE.hexdigest()[:40]}"',
}
"""Kind -> a line with one, put together here so that this file holds none."""


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found(kind: str, tmp_path: Path, baseline: dict[str, Any]) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text(PLANTED[kind])
    assert kind in {found for _, found, _ in scan([planted], tmp_path, baseline)}
