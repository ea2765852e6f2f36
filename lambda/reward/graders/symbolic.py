r"""LaTeX and symbolic answers, as in MATH: the last ``\boxed{}`` against the reference answer, by algebra.

Equal forms are paid (``\frac{1}{2}``, ``0.5``, ``1/2``); parsing and algebra are those of latex2sympy2_extended and SymPy
(docs/decisions/0006-symbolic-answers.md), in a worker process that is killed when it is late.
"""

from __future__ import annotations

import importlib
import re
from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any

from contracts.errors import InvalidInput

from reward import bounded, latex
from reward.contract import Sample
from reward.graders.thinking import without_thinking
from reward.score import Component, Outcome, Score

MODES = ("strict", "lenient")
MIN_SECONDS, MAX_SECONDS = 0.1, 10.0
NEEDS = "symbolic"
"""The optional layer this grader needs, by its directory in lambda/."""

_KEPT_GOLDS = 512
_GOLD_KEYS = ("reference_answer", "final_answer", "answer", "solution", "text")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_ROUNDED = re.compile(r"-?[0-9]{1,12}\.[0-9]{3,12}")


def grader(*, mode: str = "strict", seconds: float = 2.0) -> Callable[[Sample], Score]:
    r"""The grader of symbolic answers.

    Args:
        mode: ``strict`` reads the last ``\boxed{}`` or the line of the last ``####``, whichever comes later, and pays exact
            equality. ``lenient`` also takes the only formula of the last line when nothing is marked, and pays a decimal of three or
            more places that is the reference value, rounded.
        seconds: time one comparison may take, 0.1 to 10; a longer one scores 0 as `TIMEOUT`.

    Raises:
        InvalidInput: for a value outside these.
    """
    _check(mode, seconds)
    lenient = mode == "lenient"
    made = {outcome: _score(outcome) for outcome in Outcome}
    golds: OrderedDict[str, str | None] = OrderedDict()

    def grade(sample: Sample) -> Score:
        gold = _kept_gold(golds, sample.reference, seconds)
        if gold is None:
            return made[Outcome.BAD_GOLD]
        written = latex.marked(without_thinking(sample.response), lenient=lenient)
        if written is None:
            return made[Outcome.NO_MARKER]
        answer = latex.normalised(written)
        if answer is None:
            return made[Outcome.UNPARSABLE]
        outcome = _outcome(gold, answer, seconds)
        if outcome is Outcome.WRONG and lenient and _ROUNDED.fullmatch(answer) and not _DECIMAL.fullmatch(gold):
            return made[_asked("rounds_to", [gold, answer], seconds)]
        return made[outcome]

    return grade


def _outcome(gold: str, answer: str, seconds: float) -> Outcome:
    if gold == answer:
        return Outcome.CORRECT
    if latex.is_text(gold) or latex.is_text(answer):
        return Outcome.WRONG
    if _DECIMAL.fullmatch(gold) and _DECIMAL.fullmatch(answer):
        return Outcome.CORRECT if Decimal(gold) == Decimal(answer) else Outcome.WRONG
    return _asked("compare", [gold, answer], seconds)


def _asked(question: str, argument: Any, seconds: float) -> Outcome:
    algebra = _algebra()
    try:
        verdict = bounded.run(getattr(algebra, question), argument, seconds)
    except bounded.TimedOut:
        return Outcome.TIMEOUT
    except bounded.Failed as failed:
        return Outcome.TIMEOUT if failed.kind in {"died", "MemoryError"} else Outcome.UNPARSABLE
    outcomes = {algebra.EQUAL: Outcome.CORRECT, algebra.DIFFERENT: Outcome.WRONG, algebra.BAD_GOLD: Outcome.BAD_GOLD}
    return outcomes.get(verdict, Outcome.UNPARSABLE)


def _algebra() -> Any:
    # Imported here and not in the worker: forked workers share it, and one that replaces a killed one costs nothing.
    try:
        return importlib.import_module("reward.algebra")
    except ImportError as error:
        raise InvalidInput(
            "reward settings",
            ["grader = 'symbolic': its layer, locked by lambda/symbolic/requirements.txt, is not installed"],
        ) from error


def _kept_gold(golds: OrderedDict[str, str | None], reference: object, seconds: float) -> str | None:
    """The reference answer in one form, None if it cannot be read; asked once of each, since a prompt's responses come together."""
    text = _text(reference)
    if text is None:
        return None
    if text in golds:
        golds.move_to_end(text)
        return golds[text]
    marked = latex.marked(text)
    gold = latex.normalised(text if marked is None else marked)
    if gold is not None and not latex.is_text(gold) and not _DECIMAL.fullmatch(gold):
        gold = gold if _asked("compare", [gold, gold], seconds) is Outcome.CORRECT else None
    golds[text] = gold
    if len(golds) > _KEPT_GOLDS:
        golds.popitem(last=False)
    return gold


def _text(reference: object) -> str | None:
    if isinstance(reference, dict):
        reference = next((reference[key] for key in _GOLD_KEYS if reference.get(key) is not None), None)
    if isinstance(reference, bool) or not isinstance(reference, str | int | float):
        return None
    if (isinstance(reference, int) and reference.bit_length() > 128) or (isinstance(reference, float) and not isfinite(reference)):
        return None
    return reference if isinstance(reference, str) else str(reference)


def _check(mode: object, seconds: object) -> None:
    problems = []
    if mode not in MODES:
        problems.append(f"options.mode = {str(mode)[:60]!r}: allowed is one of {', '.join(MODES)}")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not MIN_SECONDS <= seconds <= MAX_SECONDS:
        problems.append(f"options.seconds = {str(seconds)[:60]!r}: allowed is a number from {MIN_SECONDS:g} to {MAX_SECONDS:g}")
    if problems:
        raise InvalidInput("reward settings", problems)


def _score(outcome: Outcome) -> Score:
    right = float(outcome is Outcome.CORRECT)
    answered = float(outcome in {Outcome.CORRECT, Outcome.WRONG})
    return Score(
        right,
        outcome,
        (Component(name="correct", value=right, type="Reward"), Component(name="answered", value=answered, type="Metric")),
    )
