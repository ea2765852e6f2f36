"""The options every command shares, and what a command is given instead of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import click

from rft.output import Output

if TYPE_CHECKING:
    from rft.target import Target

ENVIRONMENTS = ("dev", "stage", "prod")


@attrs.frozen(kw_only=True)
class Invocation:
    """One call of the command: where it goes and how it prints."""

    environment: str
    local: bool
    output: Output

    def target(self) -> Target:
        """The cloud to speak to; imported late because the SDK is slow to load."""
        from rft.target import find_target  # noqa: PLC0415 - the SDK takes longer to load than `--help` may

        return find_target(environment=self.environment, local=self.local)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--json`` and hands the command an `Output`."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else there.")
    @functools.wraps(function)
    def call(*args: Any, as_json: bool, **options: Any) -> Any:
        return function(Output(as_json=as_json), *args, **options)

    return call


def cloud_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--env``, ``--local`` and ``--json`` and hands the command an `Invocation`."""

    @click.option(
        "--env", "environment", type=click.Choice(ENVIRONMENTS), default="dev", envvar="RFT_ENV", show_default=True, help="Environment."
    )
    @click.option("--local", is_flag=True, help="Use the local cloud (as RFT_TARGET=local does).")
    @json_option
    @functools.wraps(function)
    def call(output: Output, /, *args: Any, environment: str, local: bool, **options: Any) -> Any:
        return function(Invocation(environment=environment, local=local, output=output), *args, **options)

    return call
