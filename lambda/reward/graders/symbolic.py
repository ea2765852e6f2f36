r"""LaTeX and symbolic answers, as in MATH: the last ``\boxed{}`` against the reference answer, by algebra.

Equal forms are paid (``\frac{1}{2}``, ``0.5``, ``1/2``); parsing and algebra are those of latex2sympy2_extended and SymPy
(docs/decisions/0006-symbolic-answers.md), in a worker process that is killed when it is late.
"""

from __future__ import annotations

import importlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import inf, isfinite
from time import monotonic
from typing import Any

from contracts.errors import InvalidInput

from reward import bounded, latex
from reward.batches import BatchFailed
from reward.contract import Sample
from reward.graders.thinking import without_thinking
from reward.score import Component, Outcome, Score

MODES = ("strict", "lenient")
MIN_SECONDS, MAX_SECONDS = 0.1, 10.0
MIN_BATCH_SECONDS, MAX_BATCH_SECONDS = 1.0, 840.0
_Ask = Callable[[str, str, str], Outcome]
_KEPT_GOLDS = 512
_GOLD_KEYS = ("reference_answer", "final_answer", "answer", "solution", "text")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_ROUNDED = re.compile(r"-?[0-9]{1,12}\.[0-9]{3,12}")


class _BudgetSpent(Exception):
    """A comparison that the batch left too little time for."""


def grader(*, mode: str = "strict", seconds: float = 2.0, batch_seconds: float = 45.0) -> Callable[[Sample], Score]:
    r"""The grader of symbolic answers.

    Args:
        mode: ``strict`` reads the last ``\boxed{}`` or the line of the last ``####``, whichever comes later, and pays exact
            equality. ``lenient`` also takes the only formula of the last line when nothing is marked, and pays a decimal of three or
            more places that is the reference value, rounded.
        seconds: time one comparison may take, 0.1 to 10; a longer one scores 0 as `TIMEOUT`.
        batch_seconds: time the comparisons of one batch may take, 1 to 840; below the function's timeout, or hanging answers would
            take the scores of all others with them. What needs algebra after it scores 0 as `TIMEOUT` at once.

    Raises:
        InvalidInput: for a value outside these.
    """
    _check(mode, seconds, batch_seconds)
    return _Symbolic(lenient=mode == "lenient", seconds=seconds, batch_seconds=batch_seconds)


class _Symbolic:
    def __init__(self, *, lenient: bool, seconds: float, batch_seconds: float) -> None:
        self.lenient, self.seconds, self.batch_seconds = lenient, seconds, batch_seconds
        self._made = {outcome: _score(outcome) for outcome in Outcome}
        self._golds: OrderedDict[str, str | Outcome] = OrderedDict()

    def __call__(self, sample: Sample) -> Score:
        self._forget_late()
        return self._until(sample, inf)

    def batch(self, samples: Sequence[Sample]) -> list[Score]:
        """The score of each sample, in order. What is raised on one sample is that sample's INTERNAL_ERROR.

        Raises:
            BatchFailed: without its layer it can grade nothing, and no score may be made up.
        """
        end = monotonic() + self.batch_seconds
        self._forget_late()
        scores = []
        for sample in samples:
            try:
                scores.append(self._until(sample, end))
            except InvalidInput as error:
                raise BatchFailed(str(error)) from error
            except Exception:
                scores.append(self._made[Outcome.INTERNAL_ERROR])
        return scores

    def _forget_late(self) -> None:
        # One that was late may have met a busy machine. Within a batch it is not waited for again; the next batch asks anew.
        for text in [text for text, gold in self._golds.items() if gold is Outcome.TIMEOUT]:
            del self._golds[text]

    def _until(self, sample: Sample, end: float) -> Score:
        def asked(question: str, gold: str, answer: str) -> Outcome:
            return _asked(question, [gold, answer], self.seconds, end)

        try:
            return self._made[self._outcome(sample, asked)]
        except _BudgetSpent:
            return self._made[Outcome.TIMEOUT]

    def _outcome(self, sample: Sample, asked: _Ask) -> Outcome:
        gold = _kept_gold(self._golds, sample.reference, asked)
        if isinstance(gold, Outcome):
            return gold
        written = latex.marked(without_thinking(sample.response), lenient=self.lenient)
        if written is None:
            return Outcome.NO_MARKER
        answer = latex.normalised(written)
        if answer is None:
            return Outcome.UNPARSABLE
        outcome = _outcome(gold, answer, asked)
        if outcome is Outcome.WRONG and self.lenient and _ROUNDED.fullmatch(answer) and not _DECIMAL.fullmatch(gold):
            return asked("rounds_to", gold, answer)
        return outcome


def _outcome(gold: str, answer: str, asked: _Ask) -> Outcome:
    if gold == answer:
        return Outcome.CORRECT
    if latex.is_text(gold) or latex.is_text(answer):
        return Outcome.WRONG
    if _DECIMAL.fullmatch(gold) and _DECIMAL.fullmatch(answer):
        return Outcome.CORRECT if Decimal(gold) == Decimal(answer) else Outcome.WRONG
    return asked("compare", gold, answer)


def _asked(question: str, argument: list[str], seconds: float, end: float) -> Outcome:
    """The algebra's verdict.

    Raises:
        _BudgetSpent: if it was not found before `end`, on the clock of `monotonic`, though its own bound was later.
    """
    algebra = _algebra()
    left = end - monotonic()
    if left <= 0:
        raise _BudgetSpent
    try:
        verdict = bounded.run(getattr(algebra, question), argument, min(seconds, left))
    except bounded.TimedOut:
        if left < seconds:
            raise _BudgetSpent from None
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


def _kept_gold(golds: OrderedDict[str, str | Outcome], reference: object, asked: _Ask) -> str | Outcome:
    """The reference answer in one form; BAD_GOLD if it cannot be read, TIMEOUT if reading it took too long.

    Asked once of each, since a prompt's responses come together.
    """
    text = _text(reference)
    if text is None:
        return Outcome.BAD_GOLD
    if text in golds:
        golds.move_to_end(text)
        return golds[text]
    marked = latex.marked(text)
    found: str | Outcome = latex.normalised(text if marked is None else marked) or Outcome.BAD_GOLD
    if not isinstance(found, Outcome) and not latex.is_text(found) and not _DECIMAL.fullmatch(found):
        outcome = asked("compare", found, found)
        if outcome is not Outcome.CORRECT:
            found = Outcome.TIMEOUT if outcome is Outcome.TIMEOUT else Outcome.BAD_GOLD
    golds[text] = found
    if len(golds) > _KEPT_GOLDS:
        golds.popitem(last=False)
    return found


def _text(reference: object) -> str | None:
    if isinstance(reference, dict):
        reference = next((reference[key] for key in _GOLD_KEYS if reference.get(key) is not None), None)
    if isinstance(reference, bool) or not isinstance(reference, str | int | float):
        return None
    if (isinstance(reference, int) and reference.bit_length() > 128) or (isinstance(reference, float) and not isfinite(reference)):
        return None
    return reference if isinstance(reference, str) else str(reference)


def _check(mode: object, seconds: object, batch_seconds: object) -> None:
    problems = []
    if mode not in MODES:
        problems.append(f"options.mode = {str(mode)[:60]!r}: allowed is one of {', '.join(MODES)}")
    for key, value, least, most in (
        ("seconds", seconds, MIN_SECONDS, MAX_SECONDS),
        ("batch_seconds", batch_seconds, MIN_BATCH_SECONDS, MAX_BATCH_SECONDS),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            problems.append(f"options.{key} = {str(value)[:60]!r}: allowed is a number from {least:g} to {most:g}")
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
