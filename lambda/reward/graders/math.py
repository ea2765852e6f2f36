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
_PLAIN = re.compile(r"[ \t*]*+\$?(-?[0-9]{1,40}+(?:(?<![0-9]{4})(?:,[0-9]{3}){1,12}+)?+)\**+\.?\**+[ \t\r]*+(?:\n|\Z)")
_plain_at = _PLAIN.match
_BOXED = "\\boxed{"
_MAX_BOXED = 100
_GOLD_KEYS = ("reference_answer", "final_answer", "answer", "text")
_GOLD_DEPTH = 3


class _Absent(str):
    """Told apart from an unreadable answer by identity."""


_NO_ANSWER = _Absent()
"""What `_fallback` gives where there is no answer; None is one that is unreadable."""

# Python before 3.12 takes longer to look up a member of an enumeration than to compare two texts.
_CORRECT, _WRONG, _NO_MARKER, _UNPARSABLE, _BAD_GOLD = (
    Outcome.CORRECT, Outcome.WRONG, Outcome.NO_MARKER, Outcome.UNPARSABLE, Outcome.BAD_GOLD
)  # fmt: skip
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
        _CORRECT: _score(1.0, _CORRECT, answered=True),
        _WRONG: _score(float(partial), _WRONG, answered=True),
        **{outcome: _score(0.0, outcome, answered=False) for outcome in (_NO_MARKER, _UNPARSABLE, _BAD_GOLD)},
    }

    # The responses to one prompt arrive together, so the last reference read is kept, as one value that is swapped whole.
    kept: tuple[object, str | None, str] = (_NO_REFERENCE, None, "")

    def outcomes_of(responses: Sequence[str], references: Sequence[object]) -> list[Outcome]:
        nonlocal kept
        last, written, digits = kept
        everything = "".join(responses)
        untagged, ascii_only = "<" not in everything, everything.isascii()
        outcomes: list[Outcome] = []
        append = outcomes.append
        # The marked line as GSM8K writes it, which nearly every response has; `_outcome` would find the same, in five times as long.
        split = map(str.rpartition, responses, repeat(_MARKER_AND_SPACE))
        for (_, marked, tail), text, reference in zip(split, responses, references, strict=True):
            if reference != last:
                last, written, digits = _read(reference)
            if marked and (untagged or "<" not in text):
                if tail == written:
                    append(_CORRECT)
                    continue
                # Two runs of digits without leading zeros are equal as numbers exactly if they are equal as text.
                if digits and tail.isdecimal() and tail >= "1" and len(tail) <= MAX_DIGITS and (ascii_only or tail.isascii()):
                    append(_CORRECT if tail == digits else _WRONG)
                    continue
            append(_outcome(text, written, digits, lenient))
        kept = (last, written, digits)
        return outcomes

    def grade(sample: Sample) -> Score:
        return verdicts[outcomes_of((sample[1],), (sample[2],))[0]]

    grade.by_outcome = ByOutcome(verdicts, outcomes_of)  # type: ignore[attr-defined]
    return grade


def _outcome(response: str, written: str | None, digits: str, lenient: bool) -> Outcome:
    """What a response deserves, however it is written."""
    if written is None:
        return _BAD_GOLD
    if "<" in response:
        response = without_thinking(response)
    position = response.rfind(MARKER)
    if position < 0:
        answer = _fallback(response) if lenient else _NO_ANSWER
    elif plain := _plain_at(response, position + 4):
        answer = plain[1]
    else:
        line = _line(response, position + 4)
        answer = _fallback(response) if lenient and not line.strip() else read_marked(line)
    if not answer:
        return _UNPARSABLE if answer is None else _NO_MARKER
    answer = answer.replace(",", "")
    if digits and answer.isdecimal() and answer[0] != "0":
        return _CORRECT if answer == digits else _WRONG
    return _CORRECT if Decimal(answer) == Decimal(written.replace(",", "")) else _WRONG


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
