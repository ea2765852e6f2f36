"""The app with other code and other settings, deployed while runs go on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from local import cloud
from rft import deploy
from rft.output import Output, Progress

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("app.py", "cdk.json", "pyproject.toml", "stacks", "lambda", "environments", "datasets", ".build")


def changed_assembly(folder: Path, *, settings: dict[str, int]) -> Path:
    """Synthesises dev from a copy of the app in which every function's code differs, and these keys of dev.toml."""
    copy = folder / "app"
    copy.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, symlinks=True)
        elif source.exists():
            shutil.copy(source, copy / part)
    for module in (copy / "lambda/pipeline/task.py", copy / "lambda/reward/handler.py"):
        module.write_text(module.read_text() + "\n# deployed while runs went on\n")
    toml = copy / "environments/dev.toml"
    text = toml.read_text()
    for key, value in settings.items():
        text, count = re.subn(rf"^{key} = \S+", f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1, f"{key} stands {count} times in dev.toml"
    toml.write_text(text)
    assembly = folder / "cdk.out"
    subprocess.run(
        [sys.executable, "app.py"],
        cwd=copy,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(deploy.BIN), os.environ.get("PATH", "")]),
            "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "lambda")]),
            "CDK_OUTDIR": str(assembly),
            "CDK_CONTEXT_JSON": json.dumps({**json.loads((copy / "cdk.json").read_text())["context"], "environments": "dev"}),
            "CDK_VALIDATION": "false",
        },
        check=True,
        capture_output=True,
    )
    return assembly


def redeploy(endpoint: cloud.Endpoint, assembly: Path) -> None:
    progress = Progress(Output(as_json=True), None)
    deploy.deploy(
        environment="dev", variables=endpoint.environ(), log=assembly.with_name("deploy.log"), progress=progress, assembly=assembly
    )
