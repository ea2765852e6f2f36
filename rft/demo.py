"""`rft demo`: the whole job on this machine, from an empty cloud to a released model."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import click
from botocore.exceptions import ClientError
from pipeline.request_run import for_dataset
from rich.console import Console, RenderableType
from rich.text import Text

from local import cloud
from rft import deploy, run_control
from rft.dataset import Registration, register
from rft.exits import Exit, Failure
from rft.follow import follow
from rft.options import json_option
from rft.output import Output, facts, short_path
from rft.report.command import write
from rft.run_view import RunReader, RunView
from rft.screen import STAND_IN, foot
from rft.target import account_and_region, local_environ, local_target

if TYPE_CHECKING:
    from local.cloud import Endpoint
    from rft.target import Target

ENVIRONMENT = "dev"
DATASET = deploy.ROOT / "datasets" / "word-problems.jsonl"
TRIGGER_SECONDS = 10.0
"""How long the registration's event may take to start a run; after it, or when the trigger is off, the demo starts one."""


@attrs.define
class Timings:
    """How long each phase took, in the order they ran."""

    seconds: dict[str, float] = attrs.field(factory=dict)

    @contextlib.contextmanager
    def of(self, phase: str) -> Iterator[None]:
        """Measures a block."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.monotonic() - began


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the local cloud running at the end.")
@json_option
def demo(output: Output, keep: bool) -> None:
    """Deploy into the local cloud, train, evaluate and release: no AWS account, no network.

    Starts the local cloud, runs `cdk bootstrap` and `cdk deploy`, adds datasets/word-problems.jsonl and follows the run.
    The deployed rules, functions and state machine do the work. Ctrl-C ends everything that was started.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    timings = Timings()
    began = time.monotonic()
    was_running = cloud.find() is not None
    with contextlib.ExitStack() as stack:
        with timings.of("start the local cloud"), output.progress("starting the local cloud"):
            endpoint = _start(stack, stay=keep or was_running)
        target = local_target(endpoint, ENVIRONMENT)
        _deploy(target, endpoint, output, timings)
        view, report = _run(target, output, timings)
        timings.seconds["in all"] = time.monotonic() - began
        _close(output, view, report, timings)
        if keep or was_running:
            output.say("the local cloud is still up: rft local status, rft local down")
        else:
            output.say("the local cloud ends now and keeps its state; look again with: rft local up")
    if not view.released:
        raise click.exceptions.Exit(Exit.FAILED)


def _start(stack: contextlib.ExitStack, *, stay: bool) -> Endpoint:
    try:
        if stay:
            return cloud.up()
        # Held on a leash: it ends with this process, however that ends.
        return stack.enter_context(cloud.running(state_dir=cloud.STATE_DIR))
    except cloud.CloudError as error:
        raise Failure(str(error)) from None


def _deploy(target: Target, endpoint: Endpoint, output: Output, timings: Timings) -> None:
    account, region = account_and_region(ENVIRONMENT)
    variables = local_environ(endpoint, ENVIRONMENT)
    log = cloud.STATE_DIR / "deploy.log"
    log.unlink(missing_ok=True)
    output.say(f"deploying environment {ENVIRONMENT} into {target.place}; full log: {short_path(log)}")
    with output.progress("looking for the bootstrap stack") as progress:
        if not deploy.bootstrapped(target):
            with timings.of("cdk bootstrap"):
                deploy.bootstrap(account=account, region=region, variables=variables, log=log, progress=progress)
        with timings.of("cdk deploy"):
            deploy.deploy(environment=ENVIRONMENT, variables=variables, log=log, progress=progress)


def _run(target: Target, output: Output, timings: Timings) -> tuple[RunView, Path]:
    if not DATASET.exists():
        raise Failure("the example dataset is missing", where=str(DATASET), hint="python -m datasets.generate", code=Exit.NOT_FOUND)
    with timings.of("register the dataset"), output.progress(f"adding {DATASET.name}") as progress:
        uploaded_at = datetime.now(UTC)
        registered = register(target, DATASET, name=None, progress=progress)
    if registered.version is None:
        raise Failure(f"the dataset was rejected: {'; '.join(registered.shown[:3])}", where=registered.report)
    output.say(f"registered dataset {registered.dataset}, version {registered.version}")
    with timings.of("the run"):
        run_id = _started(target, registered, since=uploaded_at)
        view = follow(RunReader(target, run_id), output, poll_seconds=target.poll_seconds)
    with timings.of("draw the report"), output.progress("drawing the report"):
        report = write(target, run_id, cloud.STATE_DIR / "reports")
    return view, report


def _started(target: Target, registered: Registration, *, since: datetime) -> str:
    """The run that the registration's event started, or one started here when the same version was trained before."""
    asked = for_dataset({"dataset": registered.dataset, "dataset_version": registered.version})
    arn = target.parts.state_machine.replace(":stateMachine:", ":execution:", 1) + f":{asked.run_id}"
    deadline = time.monotonic() + TRIGGER_SECONDS
    while time.monotonic() < deadline:
        try:
            execution = target.states.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"].get("Code") != "ExecutionDoesNotExist":
                raise
            time.sleep(0.2)
            continue
        if execution["startDate"] >= since:
            return asked.run_id
        break
    request = run_control.request_from(dataset=registered.dataset, version=registered.version, requested_by=target.caller)
    return run_control.start(target, request)


def _close(output: Output, view: RunView, report: Path, timings: Timings) -> None:
    released = (view.lineage or {}).get("model") or {}
    data: dict[str, Any] = {
        **view.as_json(),
        "report": str(report),
        "timings": {name: round(value, 2) for name, value in timings.seconds.items()},
    }
    text = facts(
        {
            "run": view.run_id,
            "outcome": (view.outcome or {}).get("code", view.status),
            "why": None if view.released else (view.outcome or {}).get("reason"),
            "reward": _climb(view),
            "model": released.get("model_arn") if view.released else None,
            "serving": released.get("deployment_arn") if view.released else None,
            "lineage": view.lineage_uri,
            "report": short_path(report),
            **{name: f"{value:.1f} s" for name, value in timings.seconds.items()},
        }
    )
    if not output.live and not output.as_json and view.gate is not None:
        _print(foot(view, 100, plain=not (sys.stdout.encoding or "").lower().startswith("utf")))
    output.result(data, f"\n{text}\n\n{STAND_IN}")


def _climb(view: RunView) -> str:
    if not view.train:
        return ""
    third = max(1, len(view.train) // 5)
    first, last = (sum(point.mean for point in part) / len(part) for part in (view.train[:third], view.train[-third:]))
    return f"{first:.2f} in the first fifth of training, {last:.2f} in the last"


def _print(lines: list[RenderableType]) -> None:
    console = Console(stderr=True, width=100)
    for line in [Text(""), *lines]:
        console.print(line)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
