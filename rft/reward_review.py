"""`rft reward review`: a person chooses between two answers, prompt by prompt."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from rft.exits import Exit, Failure
from rft.options import json_option
from rft.output import Output, facts, short_path
from rft.reward_data import printable
from rft.reward_questions import MAX_NAME, Question, read


class Choice(StrEnum):
    """What a person can say of two answers, and by which keys."""

    FIRST = "1"
    SECOND = "2"
    TIE = "t"
    SKIP = "s"
    QUIT = "q"


WORDS = {"1": Choice.FIRST, "2": Choice.SECOND, "t": Choice.TIE, "tie": Choice.TIE, "s": Choice.SKIP, "skip": Choice.SKIP}
WORDS |= {"q": Choice.QUIT, "quit": Choice.QUIT}
KEYS = "1 first   2 second   t tie   s skip   q quit"


@click.command("review")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where pairs are added; by default FILE's name with -pairs.")
@click.option("--rater", help="Who chooses, for the record; by default the user's name.")
@click.option("--criterion", default="", help="What the choice is about, such as accuracy; by default the answer as a whole.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which answer of each pair is shown first.")
@json_option
def review(output: Output, *, file: Path, out: Path | None, rater: str | None, criterion: str, seed: int) -> None:
    """Show two answers to each prompt of FILE and record which is better, one key each; go on later where you stopped.

    FILE has one object a line: "prompt" or "messages", "answers" (two), and "id", "criterion" and "reference_answer" where
    there are some. Which answer stands first is drawn by the seed, so that the place tells nothing. Pairs are added to the
    output file, which rft reward calibrate reads; ties and skips, which teach no order, to one beside it. Where stdin is no
    terminal, a choice is read from each line.
    """
    name = _rater(rater)
    path = out or file.with_name(f"{file.stem}-pairs.jsonl")
    if path.suffix != ".jsonl" or path.resolve() == file.resolve():
        raise Failure(
            f"--out {path}: allowed is another file than the one reviewed, ending in .jsonl",
            hint="rft reward review --help",
            code=Exit.USAGE,
        )
    if len(criterion) > MAX_NAME:
        raise Failure(
            f"--criterion {criterion[:40]!r}…: allowed are at most {MAX_NAME} characters", hint="rft reward review --help", code=Exit.USAGE
        )
    questions = list(read(file, criterion=criterion, seed=seed))
    aside = path.with_name(f"{path.stem}-undecided.jsonl")
    done = _done(path) | _done(aside)
    left = [question for question in questions if (question.id, name, question.criterion) not in done]
    counts = dict.fromkeys(Choice, 0)
    for number, question in enumerate(left, len(questions) - len(left) + 1):
        _show(question, f"{number} of {len(questions)}")
        choice = _choice(output)
        counts[choice] += 1
        if choice is Choice.QUIT:
            break
        record = _record(question, choice, rater=name, seed=seed)
        _append(path if choice in (Choice.FIRST, Choice.SECOND) else aside, record)
    decided = counts[Choice.FIRST] + counts[Choice.SECOND]
    remaining = len(left) - decided - counts[Choice.TIE] - counts[Choice.SKIP]
    found = {"pairs": decided, "ties": counts[Choice.TIE], "skipped": counts[Choice.SKIP], "left": remaining, "file": str(path)}
    output.result({**found, "rater": name, "seed": seed}, facts({**found, "file": short_path(path)}))
    if remaining:
        output.say("next: the same command goes on")
    elif path.exists():
        output.say(f"next: rft reward calibrate {short_path(path)} --dataset NAME")


def _rater(given: str | None) -> str:
    try:
        name = given if given is not None else getpass.getuser()
    except (OSError, KeyError, ImportError):
        name = ""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise Failure(f"rater {name[:80]!r}: allowed are 1 to {MAX_NAME} characters", hint="--rater NAME", code=Exit.USAGE)
    return name


def _choice(output: Output) -> Choice:
    live = sys.stdin.isatty()
    while True:
        if live:
            click.echo(f"  {KEYS}  > ", nl=False, err=True)
            said = click.getchar().lower()
            click.echo(said if said.isprintable() else "", err=True)
        else:
            line = sys.stdin.readline()
            said = line.strip().lower() if line else Choice.QUIT
        choice = WORDS.get(said)
        if choice is not None:
            return choice
        if not live:
            # A script that says something else would have every later choice recorded for the wrong pair.
            raise Failure(f"choice {said[:20]!r}: allowed is one of {', '.join(WORDS)}", where="stdin", code=Exit.USAGE)
        output.say(f"allowed is one of {KEYS}")


def _record(question: Question, choice: Choice, *, rater: str, seed: int) -> dict[str, Any]:
    common: dict[str, Any] = {
        "id": question.id,
        "rater": rater,
        # In one key of its own: what the reward sees of it does not tell which answer was chosen.
        "review": {"at": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed, "swapped": question.swapped},
        **({"criterion": question.criterion} if question.criterion else {}),
    }
    if choice not in (Choice.FIRST, Choice.SECOND):
        return {**common, "choice": choice.name.lower()}
    chosen, rejected = question.shown if choice is Choice.FIRST else question.shown[::-1]
    return {**question.extra, **common, "messages": list(question.messages), "chosen": chosen, "rejected": rejected}


def _append(path: Path, record: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write of one line: an interruption leaves the whole of it or nothing.
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(record).encode() + b"\n")


def _done(path: Path) -> set[tuple[str, str, str]]:
    if not path.exists():
        return set()
    found = set()
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            found.add((str(record["id"]), str(record["rater"]), str(record.get("criterion", ""))))
        except (ValueError, TypeError, KeyError):
            raise Failure(
                f"line {number} was not written by this command",
                where=short_path(path),
                hint="name another file with --out",
                code=Exit.USAGE,
            ) from None
    return found


def _show(question: Question, place: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - takes longer to load than the rest, and only here is it used
    from rich.panel import Panel  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(stderr=True)
    about = f" · {question.criterion}" if question.criterion else ""
    console.print(Panel(Text(_prompt(question.messages)), title=Text(printable(f"{place}{about}")), title_align="left", border_style="dim"))
    answers = Table.grid(expand=True)
    panels = [
        Panel(Text(printable(answer) or "(empty)"), title=str(number), border_style="cyan")
        for number, answer in enumerate(question.shown, 1)
    ]
    if console.width >= 80:
        answers.add_column(ratio=1)
        answers.add_column(ratio=1)
        answers.add_row(*panels)
    else:
        answers.add_column(ratio=1)
        for panel in panels:
            answers.add_row(panel)
    console.print(answers)


def _prompt(messages: Sequence[Mapping[str, Any]]) -> str:
    if len(messages) == 1:
        return printable(str(messages[0]["content"]))
    return "\n\n".join(printable(f"{turn['role']}: {turn['content']}") for turn in messages)
