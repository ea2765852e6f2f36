"""cfn-lint reads every template of the matrix, with no ignore but those .cfnlintrc.yaml gives a reason for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from audit.assembly import ROOT
from tests.rules.conftest import MATRIX, Checked


def lint(files: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--config-file",
        ".cfnlintrc.yaml",
        "--format",
        "parseable",
        *map(str, files),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_cfn_lint_has_nothing_to_say(check: Callable[[str], Checked]) -> None:
    apps = [check(name) for name in MATRIX]
    files = {app.name: sorted(app.directory.glob("assembly-*/*.template.json")) for app in apps}
    assert all(len(found) >= 2 for found in files.values())
    # One process for all, and each text once: the rules take longer to load than most templates to read.
    distinct = {file.read_bytes(): file for found in files.values() for file in found}
    done = lint(list(distinct.values()))
    said = done.stdout + done.stderr
    for app in apps:
        said = said.replace(str(app.directory), app.name)
    assert done.returncode == 0, said


def test_cfn_lint_finds_a_planted_fault(tmp_path: Path) -> None:
    template = tmp_path / "planted.template.json"
    template.write_text(json.dumps({"Resources": {"Planted": {"Type": "AWS::S3::Bucket", "Properties": {"BucketColour": "red"}}}}))
    done = lint([template])
    assert done.returncode != 0 and "BucketColour" in done.stdout
