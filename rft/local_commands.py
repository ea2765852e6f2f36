"""`rft local`: the local cloud."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TypeVar

import click

from local import cloud
from rft.exits import Exit, Failure
from rft.options import ENVIRONMENTS, json_option
from rft.output import Output, facts
from rft.target import local_environ, running_cloud

T = TypeVar("T")


@click.group("local")
def local() -> None:
    """The local cloud: start and end it, see what it is, forget its state."""


@local.command("up")
@click.option("--port", type=click.IntRange(1024, 65535), help="Loopback port; by default the one used last, or a free one.")
@json_option
def up(output: Output, port: int | None) -> None:
    """Start it, or find the one that runs. Its state of last time is back."""
    with output.progress("starting the local cloud"):
        endpoint = _attempt(lambda: cloud.up(port=port))
    output.result(
        {"endpoint": endpoint.url, "pid": endpoint.pid, "state_dir": str(endpoint.state_dir)},
        facts({"endpoint": endpoint.url, "process": endpoint.pid, "state": endpoint.state_dir}),
    )
    output.say('next: rft demo, or point other tools at it with: eval "$(rft local env)"')


@local.command("status")
@json_option
def status(output: Output) -> None:
    """Whether it runs, which alarms are on, and what it records without emulating. Exit code 3 when it does not run."""
    found = _attempt(cloud.status)
    if not found["running"]:
        output.result(found, "the local cloud is not running")
        output.say("next: rft local up")
        raise click.exceptions.Exit(Exit.NOT_FOUND)
    lines = [
        facts({"endpoint": found["endpoint"], "process": found["pid"], "state": found["state_dir"]}),
        f"clock     a minute of waiting lasts {found['clock'] * 60:g} s",
        "",
        *_alarms(found["alarms"]),
        "Training is done by a small stand-in policy, never by a language model; rewards are those of the deployed function.",
        "",
        "Recorded, not emulated:",
        *(f"  {entry['what']}: {entry['why']}" for entry in found["not_emulated"]),
    ]
    output.result(found, "\n".join(lines))


def _alarms(on: list[dict[str, str]]) -> list[str]:
    if not on:
        return ["alarms    none is on", ""]
    return ["Alarms that are on:", *(f"  {alarm['name']}, since {alarm['since']}: {alarm['advice']}" for alarm in on), ""]


@local.command("down")
@json_option
def down(output: Output) -> None:
    """End it, keeping its state."""
    was_running = _attempt(cloud.down)
    output.result({"was_running": was_running}, "ended; its state is kept" if was_running else "it was not running")


@local.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def reset(output: Output, yes: bool) -> None:
    """Forget everything that was deployed, uploaded and trained in it."""
    if not yes and not click.confirm(f"Forget everything in {cloud.STATE_DIR}?", err=True):
        raise click.exceptions.Exit(Exit.FAILED)
    _attempt(cloud.reset)
    output.result({"reset": True}, "forgotten; deploy again with: rft demo")


@local.command("env")
@click.option(
    "--env", "environment", type=click.Choice(ENVIRONMENTS), default="dev", envvar="RFT_ENV", show_default=True, help="Environment."
)
@json_option
def env(output: Output, environment: str) -> None:
    """Shell lines that point the AWS CLI, the SDK and the CDK CLI at it: eval "$(rft local env)"."""
    variables = local_environ(running_cloud(), environment)
    lines = [f"export {name}={shlex.quote(value)}" if value else f"unset {name}" for name, value in variables.items()]
    output.result({name: value for name, value in variables.items() if value}, "\n".join(lines))


def _attempt(action: Callable[[], T]) -> T:
    try:
        return action()
    except cloud.CloudError as error:
        raise Failure(str(error), code=Exit.FAILED) from None
