"""cfn-lint reads every template of the matrix, with no ignore but those .cfnlintrc.yaml gives a reason for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from audit.assembly import ROOT
from tests.rules.conftest import Checked


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


def test_cfn_lint_has_nothing_to_say(checked: Checked) -> None:
    files = sorted(checked.directory.glob("assembly-*/*.template.json"))
    assert len(files) >= 2
    done = lint(files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_cfn_lint_finds_a_planted_fault(tmp_path: Path) -> None:
    template = tmp_path / "planted.template.json"
    template.write_text(json.dumps({"Resources": {"Planted": {"Type": "AWS::S3::Bucket", "Properties": {"BucketColour": "red"}}}}))
    done = lint([template])
    assert done.returncode != 0 and "BucketColour" in done.stdout
