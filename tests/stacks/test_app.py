"""The app as the CDK CLI runs it: a process of its own, without credentials or network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from stacks.rules.packs import PUBLIC
from stacks.settings import ENVIRONMENTS

ROOT = ENVIRONMENTS.parent


def run_app(out: Path, context: dict[str, object], *, validate: bool = False, before: str = "") -> subprocess.CompletedProcess[str]:
    bare = {
        "PATH": os.environ["PATH"],
        "HOME": str(out),
        "CDK_VALIDATION": "true" if validate else "false",
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps({**json.loads((ROOT / "cdk.json").read_text())["context"], **context}),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = (
        [sys.executable, "-c", f"{before}; import runpy; runpy.run_path('app.py', run_name='__main__')"]
        if before
        else [sys.executable, "app.py"]
    )
    return subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=900)


def test_every_environment_becomes_one_stage_of_three_valid_stacks(tmp_path: Path) -> None:
    done = run_app(tmp_path, {}, validate=True)
    assert done.returncode == 0, done.stderr
    for name in ("dev", "stage", "prod"):
        manifest = json.loads((tmp_path / f"assembly-{name}" / "manifest.json").read_text())
        stacks = [a["properties"]["stackName"] for a in manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
        assert sorted(stacks) == [f"rft-{name}-audit", f"rft-{name}-foundation", f"rft-{name}-pipeline"]
        assert not manifest.get("missing")
    # CDK's own validator and the rule packs have read every template: neither an error nor a warning is left.
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert {report["pluginName"]: report["violations"] for report in reports} == {pack: [] for pack in PUBLIC}


def test_an_unknown_environment_is_one_line_that_names_the_known_ones(tmp_path: Path) -> None:
    done = run_app(tmp_path, {"environments": "dve"})
    assert done.returncode == 1
    assert done.stderr.strip() == "environments/dve.toml: there is no such file; environments here: dev, prod, stage"


def test_the_cli_runs_this_app_with_the_projects_own_python() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    assert settings["app"] == ".venv/bin/python app.py"
    assert settings["versionReporting"] is False


def test_a_broken_rule_stops_the_app_and_names_the_page_that_helps(tmp_path: Path) -> None:
    planted = "from stacks.constructs import dead_letters; dead_letters.acknowledge = lambda *_, **__: None"
    done = run_app(tmp_path, {"environments": "dev"}, before=planted)
    assert done.returncode == 1
    # Node writes what the packs found, Python the last word; on a busy machine they arrive in either order.
    assert "A rule is broken, see above; docs/rules.md says how rules are answered." in done.stderr.splitlines()
    assert "AwsSolutions-SQS3" in done.stderr and "dev/pipeline/UndeliveredEvents/Resource" in done.stderr
    assert [path.name for path in tmp_path.glob("assembly-*")] == ["assembly-dev"], "context restricts the environments"
