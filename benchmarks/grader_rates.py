"""Writes the table of wrong verdicts in docs/graders.md from the labelled cases: `python -m benchmarks.grader_rates`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

from reward.contract import Sample
from reward.graders import build

from audit.generated import Generated
from benchmarks import labelled
from benchmarks.labelled import blind

ROOT = Path(__file__).resolve().parent.parent
MATH_CASES = ROOT / "tests" / "reward" / "test_math_cases.py"
PART = Generated("docs/graders.md", "rates", "python -m benchmarks.grader_rates")


class Rates(NamedTuple):
    """Counts over one grader's cases.

    Attributes:
        good: cases a person would pay.
        missed: those of them that were not paid.
        bad: cases a person would not pay.
        fooled: those of them that were.
    """

    good: int
    missed: int
    bad: int
    fooled: int


def rates(grader: str) -> Rates:
    """The counts of one grader of the catalogue, over its labelled cases."""
    verdicts = [(case.paid, case.right(case.score(grader))) for case in labelled.cases(grader)]
    return _counted(verdicts)


def math_rates() -> Rates:
    """The counts of the maths grader in strict mode, over the cases of its tests."""
    spec = importlib.util.spec_from_file_location("math_cases", MATH_CASES)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(MATH_CASES)
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    grade = build("math")
    verdicts = [(True, grade(Sample("", case[0], case[1], [], {})).value == 1.0) for case in module.PAID.values()]
    verdicts += [(False, grade(Sample("", case[0], case[1], [], {})).value == 0.0) for case in module.REFUSED.values()]
    return _counted(verdicts)


def blind_rates(grader: str) -> Rates:
    """The counts of one grader over the cases written without sight of its code."""
    return _counted([(case.paid, case.right(case.score(grader))) for case in blind.CASES[grader]])


def _counted(verdicts: list[tuple[bool, bool]]) -> Rates:
    good = [right for is_good, right in verdicts if is_good]
    bad = [right for is_good, right in verdicts if not is_good]
    return Rates(len(good), good.count(False), len(bad), bad.count(False))


def table() -> str:
    """The table, as Markdown."""
    lines = [
        "| Grader | To be paid | Not paid (false negatives) | Not to be paid | Paid (false positives) | Of blind cases, wrong |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    found = {"math (strict)": math_rates(), **{name: rates(name) for name in (*labelled.GRADERS, *labelled.LAYERED)}}
    for name, each in sorted(found.items()):
        shares = f"{each.good} | {_share(each.missed, each.good)} | {each.bad} | {_share(each.fooled, each.bad)}"
        unseen = blind_rates(name.split()[0])
        lines.append(f"| {name} | {shares} | {unseen.missed + unseen.fooled} of {unseen.good + unseen.bad} |")
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})"


def main() -> None:
    """Rewrites the document."""
    PART.write(table())


if __name__ == "__main__":
    main()
