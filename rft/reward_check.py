"""`rft reward test`: the gold check of `reward.gold`, over a dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
from reward import gold, graders

from rft.exits import Exit, Failure
from rft.options import json_option
from rft.output import Output, table
from rft.reward_data import data_option, gold_items, option_option, options_of, read_records, refuse_if_it_asks_a_model
from rft.reward_list import OWN, described

COUNT = 1000
SHOWN = 8


@click.command("test")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@data_option
@option_option
@click.option(
    "--count", type=click.IntRange(1, 20_000), default=COUNT, show_default=True, help="Records, spread over the file, at the most."
)
@json_option
def check(output: Output, *, names: tuple[str, ...], data: Path, options: tuple[str, ...], count: int) -> None:
    """Check graders, by default all of your own: a right reply scores 1.0, always the same, and no reply breaks the grader.

    The right reply is the reference answer itself, or a record's example_response where the reference is a rule or a
    rubric. Exit code 1 when a check fails.

    \b
    rft reward test my_grader --data my-dataset.jsonl
    rft reward test math --option mode=lenient
    """
    given = options_of(options)
    if given and not names:
        raise Failure(
            "--option goes to built-in graders that are named; your own have none", hint="rft reward test NAME --option …", code=Exit.USAGE
        )
    chosen = names or tuple(name for name in graders.known() if described(name)["kind"] == OWN)
    if not chosen:
        raise Failure("there is no grader of your own to test", hint="rft reward new NAME", code=Exit.USAGE)
    # All are made before any is tried: a wrong name costs no waiting.
    made = {name: graders.build(name, given) for name in chosen}
    for name, grade in made.items():
        refuse_if_it_asks_a_model(name, grade, "test")
    items = gold_items(read_records(data, count=count))
    found = []
    with output.progress(f"checking {', '.join(chosen)} on {len(items)} records", only_live=True):
        for name, grade in made.items():
            found.append(_entry(name, len(items), gold.problems(grade, items)))
    output.result(found, "\n\n".join(_text(entry) for entry in found))
    if not all(entry["passed"] for entry in found):
        raise click.exceptions.Exit(Exit.FAILED)


def _entry(name: str, records: int, problems: list[gold.Problem]) -> dict[str, Any]:
    return {"grader": name, "records": records, "passed": not problems, "problems": [problem._asdict() for problem in problems]}


def _text(entry: dict[str, Any]) -> str:
    failed = Counter(problem["check"] for problem in entry["problems"])
    rows = [(check, f"{failed[check]} failed" if failed[check] else "ok", says) for check, says in gold.CHECKS.items()]
    verdict = "passes" if entry["passed"] else "FAILS"
    shown = [f"  {problem['check']}: {problem['where']}: {problem['says']}" for problem in entry["problems"][:SHOWN]]
    more = len(entry["problems"]) - SHOWN
    lines = [f"{entry['grader']} {verdict} on {entry['records']} records", "", table(("CHECK", "RESULT", "MEANS"), rows, empty="")]
    return "\n".join([*lines, *(["", *shown] if shown else []), *([f"  and {more} more (--json has all)"] if more > 0 else [])])
