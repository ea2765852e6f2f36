"""`rft reward new`: begins a grader of one's own."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click
from reward import graders

from rft.exits import Exit, Failure
from rft.options import json_option
from rft.output import Output, facts, short_path
from rft.reward_data import ROOT

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

GRADER = '''"""@NAME@: pays when what stands behind the last marker is what the reference says. Say here what yours pays for."""

from __future__ import annotations

from reward.contract import Sample
from reward.graders.thinking import without_thinking
from reward.score import Component, Outcome, Score

MARKER = "####"


def grade(sample: Sample) -> Score:
    """One response in, one score from 0 to 1 out.

    Of a sample there is to read:
        sample.response   the text to grade
        sample.reference  `reference_answer` as the dataset has it: text or an object
        sample.messages   the prompt's turns and the response
        sample.metadata   the record's other keys, such as `difficulty`

    Never run text of a response, log nothing, use no clock and no randomness, and bound the work: a response may have 500,000
    characters. An exception scores 0 and raises an alarm.
    """
    # A reference that cannot be read is the data's fault. BAD_GOLD keeps it from looking like a model that got worse.
    right = _answer(sample.reference) if isinstance(sample.reference, str) else ""
    if not right:
        return _score(0.0, Outcome.BAD_GOLD)
    # What a model only thought is not its answer.
    response = without_thinking(sample.response)
    if MARKER not in response:
        return _score(0.0, Outcome.NO_MARKER)
    return _score(1.0, Outcome.CORRECT) if _answer(response) == right else _score(0.0, Outcome.WRONG)


def _answer(text: str) -> str:
    """What stands behind the last marker, or the whole text without one. The reference goes through the same code."""
    return " ".join(text.rpartition(MARKER)[2].split()).casefold()


def _score(value: float, outcome: Outcome) -> Score:
    # Components are shown beside the score. Give every sample the same names.
    return Score(value, outcome, (Component(name="right", value=value, type="Reward"),))
'''

TEST = '''"""@NAME@: the gold check, and what it pays for replies whose worth is known."""

from __future__ import annotations

import pytest
from reward import gold, graders
from reward.contract import Sample

from rft.reward_data import ROOT, gold_items, read_records

DATA = ROOT / "datasets" / "word-problems.jsonl"
"""Name the file of your own dataset here; a few hundred records are enough."""


def test_@NAME@_pays_the_reference_in_full_and_no_reply_breaks_it() -> None:
    found = gold.problems(graders.build("@NAME@"), gold_items(read_records(DATA, count=200)))
    assert not found, gold.told(found)


@pytest.mark.parametrize(
    ("response", "score"),
    [
        ("40 + 2 = 42\\n#### 42", 1.0),
        ("#### 41", 0.0),
        ("#### 41 or 42", 0.0),
        ("<think>#### 42", 0.0),
        ("", 0.0),
    ],
)
def test_@NAME@_pays_what_a_reply_is_worth(response: str, score: float) -> None:
    sample = Sample(id="a", response=response, reference="#### 42", messages=[], metadata={})
    assert graders.build("@NAME@")(sample).value == score
'''


@click.command("new")
@click.argument("name")
@json_option
def new(output: Output, name: str) -> None:
    """Write lambda/reward/custom/NAME.py with a typed grade function that works, and tests/reward/custom/test_NAME.py."""
    grader, test = create(name, ROOT)
    output.result({"name": name, "grader": str(grader), "test": str(test)}, facts({"grader": short_path(grader), "test": short_path(test)}))
    output.say(
        f"next: change grade() and the cases of its test, then\n"
        f"      rft reward test {name} --data FILE      right replies must score 1.0\n"
        f"      rft reward try {name} --data FILE       see what it pays\n"
        f"      rft reward rehearse --grader {name} --data FILE   what would a policy learn from it?\n"
        f'      set grader = "{name}" under [reward] in environments/<env>.toml, and deploy'
    )


def create(name: str, root: Path) -> tuple[Path, Path]:
    """Writes the two files and gives their paths; an existing one is never touched.

    Raises:
        Failure: usage, for a name that cannot be a grader's or is taken.
    """
    _check(name)
    grader = root / "lambda" / "reward" / "custom" / f"{name}.py"
    test = root / "tests" / "reward" / "custom" / f"test_{name}.py"
    for path in (grader, test):
        if path.exists():
            raise Failure(
                "there is such a file already, and it is left as it is",
                where=short_path(path),
                hint="give another name, or delete the file",
                code=Exit.USAGE,
            )
    for path, text in ((grader, GRADER), (test, TEST)):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never over a file that somebody else wrote in the meantime.
        with path.open("x", encoding="utf-8") as written:
            written.write(text.replace("@NAME@", name))
    return grader, test


def _check(name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Failure(
            f"{name[:80]!r} cannot be a grader's name",
            hint="allowed are lower-case letters, digits and underscores, a letter first, at most 64, and no word of Python's own",
            code=Exit.USAGE,
        )
    if name in graders.known():
        raise Failure(f"{name} is the name of a grader already", hint="rft reward list shows them; give another name", code=Exit.USAGE)
