"""What the verbs of `rft reward` read: datasets, and a grader with its options."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from contracts import names

from rft.exits import Exit, Failure

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT / "datasets" / "word-problems.jsonl"

RUN_ID = "by-hand"
"""What samples graded by hand carry as their run, so that no run's figures hold them."""

MAX_SHOWN = 10

data_option = click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    default=DEFAULT_DATA,
    show_default="datasets/word-problems.jsonl",
    help="A dataset, JSON Lines in either form that `rft dataset add` takes.",
)
option_option = click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the grader, the value as JSON or text; may be given again.",
)


def option_value(text: str) -> tuple[str, Any]:
    """One ``KEY=VALUE``; the value is JSON where it reads as that, else text.

    Raises:
        Failure: usage.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Failure(f"--option {text!r}: allowed is KEY=VALUE, such as mode=lenient", code=Exit.USAGE)
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def options_of(texts: Iterable[str]) -> dict[str, Any]:
    """The options given as ``KEY=VALUE``.

    Raises:
        Failure: usage, also for a key that comes twice: one of the two would be lost.
    """
    found: dict[str, Any] = {}
    for key, value in map(option_value, texts):
        if key in found:
            raise Failure(f"--option {key} is given twice; allowed is once", code=Exit.USAGE)
        found[key] = value
    return found


def read_records(path: Path = DEFAULT_DATA, *, count: int | None = None) -> list[dict[str, Any]]:
    """A dataset's records, checked and converted as a registration does.

    Args:
        count: at most this many, spread evenly over the file; None for all.

    Raises:
        Failure: usage, naming each bad line.
    """
    from pipeline import dataset_reading  # noqa: PLC0415 - needs attrs and the pipeline, which `--help` does not
    from pipeline.probes import sample_of  # noqa: PLC0415

    reading = dataset_reading.read([path.read_bytes()])
    if reading.faults.total or not reading.entries:
        shown = reading.faults.shown[:MAX_SHOWN] or ["holds no record"]
        more = reading.faults.total - len(shown)
        lines = [*(f"  - {fault}" for fault in shown), *([f"  and {more} more"] if more > 0 else [])]
        raise Failure(
            "\n".join(["the dataset cannot be read", *lines]),
            where=str(path),
            hint='allowed is {"messages", "reference_answer", ...} or {"question", "answer"} on each line',
            code=Exit.USAGE,
        )
    records: list[dict[str, Any]] = [json.loads(entry.line) for entry in reading.entries]
    return records if count is None else [dict(record) for record in sample_of(records, count)]


def item(record: Mapping[str, Any], reply: str, ident: str | None = None) -> dict[str, Any]:
    """The element of the grader event that holds a record and a reply to it."""
    from pipeline import grading  # noqa: PLC0415

    return grading.sample(record, reply, ident=ident or str(record["id"]), run_id=RUN_ID, split=names.SPLIT_REHEARSAL)


def gold_items(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each record the element of the grader event whose reply is right: the reference itself, or its `example_response`."""
    from pipeline.probes import gold_probe  # noqa: PLC0415

    return [item(record, gold_probe(record).reply) for record in records]


def asks_a_model(grade: Callable[..., object]) -> bool:
    """Whether grading costs money: such graders tell what they spent."""
    return hasattr(grade, "usage")


def refuse_if_it_asks_a_model(name: str, grade: Callable[..., object], verb: str) -> None:
    """Raises a usage failure for a grader whose every sample is a paid request."""
    if asks_a_model(grade):
        raise Failure(
            f"{name} asks a model for every sample, and rft reward {verb} would send it thousands; allowed is a grader by rules",
            hint="rft reward try for a few samples, rft reward rehearse for the deployed version",
            code=Exit.USAGE,
        )


@contextlib.contextmanager
def handler_environment(grader: str | None, options: Mapping[str, Any]) -> Iterator[io.StringIO]:
    """Lets `reward.handler.handler` find the grader as it does when deployed; what it logs goes into the buffer.

    Args:
        grader: None for the handler's own default.
    """
    before = dict(os.environ)
    os.environ[names.ENV_GRADER_OPTIONS] = json.dumps(dict(options))
    if grader:
        os.environ[names.ENV_GRADER] = grader
    # The function logs metrics on stdout, where Lambda collects them; here stdout belongs to the answer.
    logged = io.StringIO()
    try:
        with contextlib.redirect_stdout(logged):
            yield logged
    finally:
        os.environ.clear()
        os.environ.update(before)


def printable(text: str) -> str:
    """Text of a model or a dataset without what could steer a terminal: control, format and surrogate characters are replaced."""
    return "".join(sign if sign in "\n\t" or sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
