"""Makes the word problems that ship as `datasets/word-problems.jsonl`; the same seed and count give the same bytes.

Run it from the repository's root: ``python -m datasets.generate --seed 7 --count 640 --out datasets/word-problems.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from datasets.problems import Draw, Problem, Unsuitable
from datasets.themes import TEMPLATES, Template

MAX_TRIES = 2_000
"""Draws for one problem before the generator gives up: more are needed only when a template's problems are used up."""


def problems(*, seed: int, count: int) -> Iterator[Problem]:
    """`count` different problems, the templates taking turns in an order that is drawn anew for each round.

    Raises:
        ValueError: if there are not that many different problems to be had.
    """
    draw = Draw(seed)
    seen: set[str] = set()
    turn: list[int] = []
    for _ in range(count):
        if not turn:
            turn = draw.several(range(len(TEMPLATES)), len(TEMPLATES))
        problem = _next(draw, TEMPLATES[turn.pop()], seen)
        seen.add(problem.question)
        yield problem


def _next(draw: Draw, template: Template, seen: set[str]) -> Problem:
    for _ in range(MAX_TRIES):
        try:
            problem = template(draw)
        except Unsuitable:
            continue
        if problem.question not in seen:
            return problem
    raise ValueError(f"no new problem of the kind {getattr(template, '__name__', 'unnamed')} after {MAX_TRIES} tries; ask for fewer")


def lines(*, seed: int, count: int) -> Iterator[str]:
    """The problems as JSON lines in GSM8K's shape, each with its line break."""
    for problem in problems(seed=seed, count=count):
        yield json.dumps({"question": problem.question, "answer": problem.answer}, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m datasets.generate", description="Make grade-school word problems in GSM8K's shape.")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same problems")
    parser.add_argument("--count", type=int, default=640, help="how many problems")
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    options = parser.parse_args(arguments)
    try:
        text = "".join(lines(seed=options.seed, count=options.count))
    except ValueError as error:
        parser.error(str(error))
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_bytes(text.encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
