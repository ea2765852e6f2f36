"""`rft reward try`: what a grader pays for a dataset's samples, and why."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import click
from pipeline.probes import NOTED, PAID, cases_of, gold_probe
from reward import graders, grading

from rft.exits import Exit, Failure
from rft.options import json_option
from rft.output import Output, short_path, table
from rft.reward_data import MAX_SHOWN, data_option, item, option_option, options_of, printable, read_records

VARIED = ("wrong", "near miss", "empty")
"""Kinds of reply that are tried beside the right ones; the rehearsal tries them all."""

TEXT_WIDTH, TEXT_CHARACTERS = 100, 600


class Reply(NamedTuple):
    """A reply to try, what it is, and the record it answers."""

    record: Mapping[str, Any]
    what: str
    text: str


@click.command("try")
@click.argument("name")
@data_option
@option_option
@click.option(
    "--responses",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help='Replies to grade instead, JSON Lines: {"id": a record\'s id, "response": text}.',
)
@click.option("--gold", "only_gold", is_flag=True, help="Only the reference itself as the reply, without variations.")
@click.option("--count", type=click.IntRange(1, 1000), default=3, show_default=True, help="Records, spread over the file.")
@click.option("--show-text", is_flag=True, help="Print the replies as well.")
@json_option
def try_(
    output: Output,
    *,
    name: str,
    data: Path,
    options: tuple[str, ...],
    responses: Path | None,
    only_gold: bool,
    count: int,
    show_text: bool,
) -> None:
    """Grade samples of a dataset with the grader NAME: the reference itself, simple variations of it, or replies of yours.

    \b
    rft reward try math --data my-dataset.jsonl
    rft reward try my_grader --data my-dataset.jsonl --responses answers.jsonl --show-text
    """
    grade = graders.build(name, options_of(options))
    replies = _given(responses, read_records(data)) if responses else _made(read_records(data), count, only_gold)
    # What a grader prints is for the person who writes it, and stdout is for the result.
    with output.progress(f"grading {len(replies)} replies", only_live=True), redirect_stdout(sys.stderr):
        graded = grading.grade_all([item(reply.record, reply.text) for reply in replies], grade)
    found = [
        {
            "id": str(reply.record["id"]),
            "reply": reply.what,
            "score": result["aggregate_reward_score"],
            "outcome": str(outcome),
            "components": {str(part["name"]): part["value"] for part in result["metrics_list"]},
            **({"text": reply.text} if show_text else {}),
        }
        for reply, result, outcome in zip(replies, graded.results, graded.outcomes, strict=True)
    ]
    output.result({"grader": name, "samples": found, "faults": graded.faults}, _text(found))
    if graded.faults:
        counted = ", ".join(f"{graded.faults.count(fault)} x {fault}" for fault in dict.fromkeys(graded.faults))
        output.say(f"the grader failed: {counted}")
        raise click.exceptions.Exit(Exit.FAILED)


def _made(records: Sequence[Mapping[str, Any]], count: int, only_gold: bool) -> list[Reply]:
    if only_gold:
        step = max(1, len(records) // count)
        return [Reply(record, "the reference", gold_probe(record).reply) for record in records[::step][:count]]
    return [
        Reply(case.record, probe.name, probe.reply)
        for case in cases_of(records, count)
        for probe in case.probes
        if probe.kind in VARIED or probe.expected == PAID or (probe.expected == NOTED and probe.kind.startswith("right"))
    ]


def _given(path: Path, records: Sequence[Mapping[str, Any]]) -> list[Reply]:
    by_id = {str(record["source_id"]): record for record in records if "source_id" in record} | {str(r["id"]): r for r in records}
    replies: list[Reply] = []
    faults: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        ident, text = (value.get("id"), value.get("response")) if isinstance(value, dict) else (None, None)
        if not isinstance(text, str) or not isinstance(ident, str):
            faults.append(f'line {number}: is not {{"id": text, "response": text}}')
        elif ident not in by_id:
            faults.append(f"line {number}: id {ident[:40]!r} is no record of the dataset")
        else:
            replies.append(Reply(by_id[ident], f"line {number}", text))
    if faults or not replies:
        shown = faults[:MAX_SHOWN] or ["holds no reply"]
        more = [f"  and {len(faults) - MAX_SHOWN} more"] if len(faults) > MAX_SHOWN else []
        raise Failure(
            "\n".join(["the replies cannot be read", *(f"  - {fault}" for fault in shown), *more]),
            where=short_path(path),
            hint="ids are those of the dataset's file, or those that rft reward try shows",
            code=Exit.USAGE,
        )
    return replies


def _text(found: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for sample in found for name in sample["components"]))
    head = ("RECORD", "REPLY", "SCORE", "OUTCOME", *(name.upper() for name in names))
    rows = [
        (
            printable(sample["id"])[:16],
            sample["reply"],
            f"{sample['score']:.2f}",
            sample["outcome"],
            *(_component(sample["components"].get(name)) for name in names),
        )
        for sample in found
    ]
    lines = table(head, rows, empty="").splitlines()
    if "text" not in found[0]:
        return "\n".join(lines)
    return "\n".join(
        [lines[0], *(part for line, sample in zip(lines[1:], found, strict=True) for part in (line, *_quoted(sample["text"])))]
    )


def _component(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _quoted(text: str) -> list[str]:
    shown = printable(text[:TEXT_CHARACTERS]) + (f" … ({len(text):,} characters)" if len(text) > TEXT_CHARACTERS else "")
    lines = [part for line in shown.splitlines() for part in (textwrap.wrap(line, TEXT_WIDTH) or [""])]
    return [f"    | {line}" for line in lines or ["(empty)"]]
