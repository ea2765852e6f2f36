"""`rft reward grade`: the very handler that Bedrock invokes, on an event from stdin."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from reward.handler import handler

from rft.exits import Exit, Failure
from rft.options import json_option
from rft.output import Output
from rft.reward_data import handler_environment, option_option, options_of


@click.command("grade")
@click.option("--grader", help="A grader of lambda/reward; by default math.")
@option_option
@click.option("--metrics", is_flag=True, help="Also print the metric lines (EMF) the function would log, on stderr.")
@json_option
def grade(_output: Output, grader: str | None, options: tuple[str, ...], metrics: bool) -> None:
    """Grade the event on stdin; stdout is exactly what Bedrock would get, which is JSON with or without --json.

    \b
    rft reward grade --option mode=lenient < event.json
    """
    given = options_of(options)
    event = _event(sys.stdin.buffer.read())
    with handler_environment(grader, given) as logged:
        answer = handler(event)
    if metrics:
        sys.stderr.write(logged.getvalue())
    click.echo(json.dumps(answer, allow_nan=False))


def _event(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        problem, place = error.msg, f"line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError as error:
        problem, place = error.reason, f"byte {error.start}"
    except RecursionError:
        problem, place = "it is nested too deeply", ""
    except ValueError:
        problem, place = "a number has too many digits", ""
    raise Failure(
        f"the event is not JSON that can be read: {problem}",
        where=f"stdin, {place}" if place else "stdin",
        hint="allowed is a grader event: a list of samples with id, messages and metadata",
        code=Exit.USAGE,
    )
