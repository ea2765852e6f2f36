"""Runs the CDK CLI: the same bootstrap and deploy that an account gets, followed line by line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from rft.exits import Exit, Failure

if TYPE_CHECKING:
    from rft.output import Progress
    from rft.target import Target

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"
BIN = ROOT / ".venv" / "bin"

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Written by `cdk bootstrap`; hnb659fds is the CDK's default qualifier."""

TAIL_LINES = 15
_RESOURCE = re.compile(r"^(?P<stack>[\w-]+) \|\s*(?P<done>\d+)/(?P<all>\d+) \|")


def bootstrapped(target: Target) -> bool:
    """Whether account and Region have been bootstrapped."""
    try:
        target.ssm.get_parameter(Name=BOOTSTRAP_PARAMETER)
    except ClientError as error:
        if error.response["Error"].get("Code") == "ParameterNotFound":
            return False
        raise
    return True


def bootstrap(*, account: str, region: str, variables: Mapping[str, str], log: Path, progress: Progress) -> None:
    """`cdk bootstrap` of one account and Region."""
    _cdk(["bootstrap", f"aws://{account}/{region}"], variables, log, progress, "bootstrapping account and Region")


def deploy(*, environment: str, variables: Mapping[str, str], log: Path, progress: Progress, assembly: Path | None = None) -> None:
    """`cdk deploy` of every stack of an environment.

    Args:
        assembly: what was synthesised before, to be deployed as it is; absent synthesises anew.

    Raises:
        Failure: with the log's last lines.
    """
    arguments = ["--require-approval", "never", "--progress", "events"]
    if assembly is not None:
        _cdk(["deploy", f"{environment}/*", "--app", str(assembly), *arguments], variables, log, progress, "deploying what was read")
        return
    # An assembly of its own: a synthesis somebody else runs in this folder is left alone.
    chosen = ["-c", f"environments={environment}", *arguments, "--output", str(log.with_name("cdk.out"))]
    _cdk(["deploy", f"{environment}/*", *chosen], variables, log, progress, "synthesising the templates")


def _cdk(arguments: Sequence[str], variables: Mapping[str, str], log: Path, progress: Progress, doing: str) -> None:
    if not CDK.exists():
        raise Failure("the CDK CLI is not installed", where=str(CDK), hint="make install", code=Exit.NOT_FOUND)
    progress.update(doing)
    environ = {
        **os.environ,
        **variables,
        "PATH": os.pathsep.join([str(BIN), str(CDK.parent), os.environ.get("PATH", "")]),
        # The tests run the validation; here it would add seconds to every demo.
        "CDK_VALIDATION": "false",
        "CI": "true",
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as written:
        written.write(f"\n$ cdk {' '.join(arguments)}\n")
        process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [sys.executable, "-m", "rft.leash", str(CDK), *arguments, "--no-notices", "--no-color"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A group of its own, so that everything it started can be ended with it.
            start_new_session=True,
        )
        try:
            lines = _follow(process, written, progress)
            code = process.wait()
        except BaseException:
            end_group(process)
            raise
    if code:
        tail = "\n".join(lines[-TAIL_LINES:])
        raise Failure(f"cdk {arguments[0]} failed:\n{tail}", where=str(log), hint="read the whole log; to begin anew: rft local reset")


def _follow(process: subprocess.Popen[str], log: object, progress: Progress) -> list[str]:
    lines: list[str] = []
    assert process.stdout is not None  # noqa: S101 - opened as a pipe by the caller
    for raw in process.stdout:
        line = raw.rstrip()
        log.write(line + "\n")  # type: ignore[attr-defined]
        if line:
            lines = [*lines[-200:], line]
        found = _RESOURCE.match(line)
        if found:
            progress.update(f"deploying {found['stack']}: {found['done']} of {found['all']} resources", plain=f"deploying {found['stack']}")
    return lines


def end_group(process: subprocess.Popen[str]) -> None:
    """Ends a process and all it started: asked first, then made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            continue
