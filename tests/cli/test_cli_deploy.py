"""The CDK CLI as the demo runs it: followed, told when it fails, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rft import deploy
from rft.exits import Exit, Failure
from rft.output import Output, Progress


class Told(Progress):
    """Keeps what a progress display was told."""

    def __init__(self) -> None:
        super().__init__(Output(as_json=True), None)
        self.told: list[str] = []

    def update(self, doing: str, *, plain: str = "") -> None:
        self.told.append(doing)


def cdk_that(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / "cdk"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(deploy, "CDK", path)
    return folder / "state" / "deploy.log"


def run(log: Path) -> list[str]:
    progress = Told()
    deploy.deploy(environment="dev", variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, log=log, progress=progress)
    return progress.told


def test_resources_are_counted_and_everything_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = cdk_that(
        'echo "$@"; echo "at $AWS_ENDPOINT_URL"; echo "rft-dev-foundation |  7/42 | 10:00:00 AM | CREATE_COMPLETE | AWS::S3::Bucket" >&2',
        tmp_path,
        monkeypatch,
    )
    assert run(log)[-1] == "deploying rft-dev-foundation: 7 of 42 resources"
    written = log.read_text()
    assert "deploy dev/* -c environments=dev --require-approval never" in written
    assert "at http://127.0.0.1:1" in written


def test_given_a_failure_then_the_last_lines_and_the_log_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = cdk_that("echo first; echo 'the bucket name is taken'; exit 3", tmp_path, monkeypatch)
    with pytest.raises(Failure) as caught:
        run(log)
    assert caught.value.code == Exit.FAILED
    assert "the bucket name is taken" in caught.value.what
    assert caught.value.where == str(log)


def test_given_no_cdk_then_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "CDK", tmp_path / "absent")
    with pytest.raises(Failure) as caught:
        run(tmp_path / "deploy.log")
    assert caught.value.hint == "make install"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S607


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and alive(pid):
        time.sleep(0.05)
    return not alive(pid)


def pid_in(path: Path) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().strip():
            return int(path.read_text())
        time.sleep(0.05)
    raise AssertionError(f"{path} was never written")


def test_a_command_on_the_leash_ends_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    starter = f"""
import subprocess, sys
leash = [sys.executable, "-m", "rft.leash", "sh", "-c", "echo $$ > {note}; exec sleep 60"]
subprocess.Popen(leash, stdin=subprocess.PIPE, start_new_session=True).wait()
"""
    process = subprocess.Popen([sys.executable, "-c", starter])
    pid = pid_in(note)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert gone(pid)


def test_a_command_on_the_leash_passes_its_exit_code_on() -> None:
    leash = [sys.executable, "-m", "rft.leash", "sh", "-c", "exit 7"]
    with subprocess.Popen(leash, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.wait(timeout=120) == 7


def test_ctrl_c_while_the_cdk_runs_ends_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "pid"
    log = cdk_that(f"sleep 60 & echo $! > {note}; echo started; wait", tmp_path, monkeypatch)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(log)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert gone(pid_in(note))
