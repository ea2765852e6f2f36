"""`rft reward`: try a reward function on this machine, through the very handler that Bedrock invokes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click
from contracts import names
from reward.handler import handler

from rft.exits import Exit, Failure
from rft.options import json_option
from rft.output import Output


@click.group()
def reward() -> None:
    """Try a reward function as Bedrock would call it."""


@reward.command("grade")
@click.option("--grader", help="A grader of lambda/reward; by default math.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the grader; may be given again.")
@click.option("--metrics", is_flag=True, help="Also print the metric lines (EMF) the function would log, on stderr.")
@json_option
def grade(_output: Output, grader: str | None, options: tuple[str, ...], metrics: bool) -> None:
    """Grade the event on stdin; stdout is exactly what Bedrock would get, which is JSON with or without --json.

    \b
    rft reward grade --option mode=lenient < event.json
    """
    event = _event(sys.stdin.buffer.read())
    variables = {names.ENV_GRADER_OPTIONS: json.dumps(dict(_option(text) for text in options))}
    if grader:
        variables[names.ENV_GRADER] = grader
    # The function logs metrics on stdout, where Lambda collects them; here stdout belongs to the answer.
    logged = io.StringIO()
    with _environment(variables), contextlib.redirect_stdout(logged):
        answer = handler(event)
    if metrics:
        sys.stderr.write(logged.getvalue())
    click.echo(json.dumps(answer, allow_nan=False))


def _event(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else f"byte {error.start}"
        raise Failure(
            f"the event is not JSON: {error.msg if isinstance(error, json.JSONDecodeError) else error.reason}",
            where=f"stdin, {place}",
            hint="allowed is a grader event: a list of samples with id, messages and metadata",
            code=Exit.USAGE,
        ) from None


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Failure(f"--option {text!r}: allowed is KEY=VALUE, such as mode=lenient", code=Exit.USAGE)
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
