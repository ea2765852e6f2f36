"""Grade-school maths: the marked final number against the reference answer, by bounded parsing and exact decimals.

The format is GSM8K's: worked text, then a last line ``#### 42``. The last marker of the whole response wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import repeat
from math import isfinite

from contracts.errors import InvalidInput

from reward.contract import Sample
from reward.graders.numerals import MAX_DIGITS, has_digit, read_marked, read_sentence
from reward.graders.thinking import without_thinking
from reward.score import ByOutcome, Component, Outcome, Score

MARKER = "####"
_MARKER_AND_SPACE = f"{MARKER} "
MODES = ("strict", "lenient")
MAX_PARTIAL = 0.3
"""Highest pay for form alone. Above it a policy that never solves a problem could pass for one that is learning."""

# The plain case, most of all answers; whatever else a line may hold is left to `read_marked`.
_PLAIN = re.compile(r"[ \t*]*\$?(-?(?:[0-9]{1,3}(?:,[0-9]{3}){0,12}|[0-9]{1,40}))\**\.?\**[ \t\r]*(?:\n|\Z)")
_plain_at = _PLAIN.match
_BOXED = "\\boxed{"
_MAX_BOXED = 100
_GOLD_KEYS = ("reference_answer", "final_answer", "answer", "text")
_GOLD_DEPTH = 3


class _Absent(str):
    """Told apart from an unreadable answer by identity."""


_NO_ANSWER = _Absent()
_NO_REFERENCE = object()


def grader(*, mode: str = "strict", partial: float = 0.0) -> Callable[[Sample], Score]:
    """The maths grader.

    Args:
        mode: ``strict`` pays only an answer behind the marker. ``lenient`` falls back, when no marker holds anything, to the last
            ``\\boxed{}`` and then to the only number of the last line that is not empty.
        partial: paid for a readable answer that is wrong, 0 to 0.3. The default pays for being right and nothing else.

    Raises:
        InvalidInput: for a value outside these.
    """
    _check(mode, partial)
    lenient = mode == "lenient"
    verdicts = {
        Outcome.CORRECT: _score(1.0, Outcome.CORRECT, answered=True),
        Outcome.WRONG: _score(float(partial), Outcome.WRONG, answered=True),
        Outcome.NO_MARKER: _score(0.0, Outcome.NO_MARKER, answered=False),
        Outcome.UNPARSABLE: _score(0.0, Outcome.UNPARSABLE, answered=False),
        Outcome.BAD_GOLD: _score(0.0, Outcome.BAD_GOLD, answered=False),
    }
    correct, wrong = Outcome.CORRECT, Outcome.WRONG

    # The responses to one prompt arrive together, so the last reference read is kept, as one value that is swapped whole.
    kept: tuple[object, str | None, str] = (_NO_REFERENCE, None, "")

    def outcomes_of(responses: Sequence[str], references: Sequence[object]) -> list[Outcome]:
        nonlocal kept
        last, written, digits = kept
        untagged = "<" not in "".join(responses)
        outcomes: list[Outcome] = []
        append = outcomes.append
        # The marked line as GSM8K writes it, which nearly every response has; `_outcome` would find the same, in five times as long.
        split = map(str.rpartition, responses, repeat(_MARKER_AND_SPACE))
        for (_, marked, tail), text, reference in zip(split, responses, references, strict=True):
            if reference != last:
                last, written, digits = _read(reference)
            if marked and (untagged or "<" not in text):
                if tail == written:
                    append(correct)
                    continue
                # Two runs of digits without leading zeros are equal as numbers exactly if they are equal as text.
                if digits and tail.isdecimal() and tail[0] != "0" and len(tail) <= MAX_DIGITS and tail.isascii():
                    append(correct if tail == digits else wrong)
                    continue
            append(_outcome(text, written, digits, lenient))
        kept = (last, written, digits)
        return outcomes

    def grade(sample: Sample) -> Score:
        return verdicts[outcomes_of((sample[1],), (sample[2],))[0]]

    grade.by_outcome = ByOutcome(verdicts, outcomes_of)  # type: ignore[attr-defined]
    return grade


def _outcome(text: str, written: str | None, digits: str, lenient: bool) -> Outcome:
    """What a response deserves, however it is written."""
    if written is None:
        return Outcome.BAD_GOLD
    answer = answer_of(without_thinking(text) if "<" in text else text, lenient)
    if not answer:
        return Outcome.UNPARSABLE if answer is None else Outcome.NO_MARKER
    if digits and answer.isdecimal() and answer[0] != "0":
        return Outcome.CORRECT if answer == digits else Outcome.WRONG
    return Outcome.CORRECT if _decimal(answer) == _decimal(written) else Outcome.WRONG


def answer_of(response: str, lenient: bool = False) -> str | None:
    """The number a response gives as its answer, as written there; None if it is unreadable, an empty string if none is given.

    Thinking has been taken out of `response` before.
    """
    position = response.rfind(MARKER)
    if position >= 0:
        plain = _plain_at(response, position + 4)
        if plain is not None:
            return plain[1]
        line = _line(response, position + 4)
        if not lenient or line.strip():
            return read_marked(line)
    return _fallback(response) if lenient else _NO_ANSWER


def gold_of(reference: str | None) -> str | None:
    """The number of a reference answer, read by the same code: a worked solution with the marker, or the bare number."""
    if reference is None:
        return None
    if reference.isdecimal() and _is_short(reference):
        return reference
    position = reference.rfind(MARKER)
    start = 0 if position < 0 else position + 4
    plain = _plain_at(reference, start)
    # A bare reference is the number and nothing else; a worked one may have lines after the marked line.
    if plain is not None and (start or plain.end() == len(reference)):
        return plain[1]
    return read_marked(reference if start == 0 else _line(reference, start))


def _read(reference: object) -> tuple[object, str | None, str]:
    """A reference to compare the next one with, its number as written and, where `_plain_digits` gives any, as digits."""
    if type(reference) is not str:
        written = gold_of(_gold_text(reference))
        return _NO_REFERENCE, written, _plain_digits(written)
    if reference.isdecimal() and reference[0] != "0" and _is_short(reference):
        return reference, reference, reference
    written = gold_of(reference)
    return reference, written, _plain_digits(written)


def _is_short(digits: str) -> bool:
    return len(digits) <= MAX_DIGITS and digits.isascii()


def _plain_digits(numeral: str | None) -> str:
    """The digits of a whole number without sign and leading zeros; empty for any other number."""
    digits = numeral.replace(",", "") if numeral else ""
    return digits if digits.isdecimal() and digits[0] != "0" else ""


def _decimal(numeral: str) -> Decimal:
    return Decimal(numeral.replace(",", ""))


def _fallback(response: str) -> str | None:
    position = response.rfind(_BOXED)
    if position >= 0:
        start = position + len(_BOXED)
        box = response[start : start + _MAX_BOXED]
        # One level of braces inside, as in \boxed{\text{42}}, closes before the box does.
        depth = 1
        for index, character in enumerate(box):
            depth += (character == "{") - (character == "}")
            if depth == 0:
                return read_marked(box[:index])
        return None
    response = response.rstrip()
    line = response[response.rfind("\n") + 1 :]
    return read_sentence(line) if has_digit(line) else _NO_ANSWER


def _check(mode: object, partial: object) -> None:
    problems = []
    if mode not in MODES:
        problems.append(f"options.mode = {str(mode)[:60]!r}: allowed is one of {', '.join(MODES)}")
    if isinstance(partial, bool) or not isinstance(partial, int | float) or not 0 <= partial <= MAX_PARTIAL:
        problems.append(f"options.partial = {str(partial)[:60]!r}: allowed is a number from 0 to {MAX_PARTIAL}")
    if problems:
        raise InvalidInput("reward settings", problems)


def _line(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _gold_text(reference: object) -> str | None:
    """A reference answer that is no string, as one: a number, or an object that holds the answer under a usual key."""
    if isinstance(reference, str):
        return reference
    for _ in range(_GOLD_DEPTH):
        if not isinstance(reference, dict):
            break
        reference = next((reference[key] for key in _GOLD_KEYS if reference.get(key) is not None), None)
    if isinstance(reference, str):
        return reference
    if isinstance(reference, bool):
        return None
    if isinstance(reference, int):
        # Python refuses to print integers of thousands of digits; none of those is an answer.
        return str(reference) if reference.bit_length() <= 128 else None
    if isinstance(reference, float) and isfinite(reference):
        return format(Decimal(repr(reference)), "f")
    return None


def _score(value: float, outcome: Outcome, *, answered: bool) -> Score:
    right = 1.0 if outcome is Outcome.CORRECT else 0.0
    return Score(
        value,
        outcome,
        (Component(name="correct", value=right, type="Reward"), Component(name="answered", value=float(answered), type="Metric")),
    )
