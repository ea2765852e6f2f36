"""What a word problem is made of: drawn numbers, and a worked solution whose arithmetic cannot disagree with its text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar

T = TypeVar("T")
Number = int | Fraction

NAMES = (
    "Aisha", "Amara", "Ben", "Carmen", "Chen", "Clara", "Daniel", "Diego", "Elena", "Emeka", "Farid", "Freya", "Grace", "Hana", "Hugo",
    "Ines", "Ivan", "Jamal", "Jun", "Kavya", "Kofi", "Lars", "Leila", "Lucia", "Malik", "Mei", "Milan", "Nadia", "Noah", "Olga", "Omar",
    "Paula", "Priya", "Quinn", "Rafael", "Rosa", "Samir", "Sofia", "Tariq", "Tess", "Uma", "Viktor", "Wanda", "Yara", "Yusuf", "Zoe",
)  # fmt: skip

TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}
WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


class Unsuitable(Exception):
    """The drawn numbers do not make a problem with clean steps; the generator draws again."""


class Problem(NamedTuple):
    """One problem in GSM8K's shape: `answer` is the worked solution, its last line ``#### n``."""

    question: str
    answer: str


class Draw:
    """Seeded choices. Only `randrange` is used: its results are the same in every supported version of Python."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def whole(self, low: int, high: int, step: int = 1) -> int:
        """A whole number from `low` to `high`, both included, in steps of `step`."""
        return self._random.randrange(low, high + 1, step)

    def pick(self, options: Sequence[T]) -> T:
        return options[self._random.randrange(len(options))]

    def several(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, in drawn order."""
        left = list(options)
        return [left.pop(self._random.randrange(len(left))) for _ in range(count)]

    def names(self, count: int) -> list[str]:
        return self.several(NAMES, count)


class Solution:
    """The worked steps, written as they are computed."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def step(self, sentence: str, *parts: Number | str, money: bool = False) -> Fraction:
        """Adds a line and returns the value it computes.

        Args:
            sentence: with one ``{}``, which becomes ``48 / 2 = <<48/2=24>>24``.
            parts: numbers and operators in turn, all of the same precedence, computed from left to right.
            money: writes the result with a dollar sign.

        Raises:
            Unsuitable: if the result is negative, or no whole number where it is not money, or an amount with parts of a cent.
        """
        value = Fraction(parts[0])
        for operator, operand in zip(parts[1::2], parts[2::2], strict=True):
            value = _apply(value, str(operator), Fraction(operand))
        if value < 0 or not (money or value.denominator == 1):
            raise Unsuitable
        spaced = " ".join(part if isinstance(part, str) else shown(part) for part in parts)
        sign = "$" if money else ""
        self._lines.append(sentence.format(f"{spaced} = {sign}<<{spaced.replace(' ', '')}={shown(value)}>>{shown(value)}"))
        return value

    def problem(self, question: str, result: Fraction, *, below_zero: bool = False) -> Problem:
        """The finished problem.

        Raises:
            Unsuitable: if the result is no whole number, or is not positive where it should be.
        """
        if result.denominator != 1 or (result <= 0 and not below_zero):
            raise Unsuitable
        return Problem(question, "\n".join([*self._lines, f"#### {int(result):,}"]))


def shown(value: Number) -> str:
    """A number as the steps write it: no thousands separators, at most two decimals.

    Raises:
        Unsuitable: if that cannot be exact.
    """
    hundredths = Fraction(value) * 100
    if hundredths.denominator != 1:
        raise Unsuitable
    if Fraction(value).denominator == 1:
        return str(int(value))
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(int(hundredths)), 100)
    return f"{sign}{whole}.{part:02d}".rstrip("0")


def dollars(value: Number) -> str:
    """An amount as a question writes it: $7 or $7.50."""
    amount = Fraction(value)
    return f"${int(amount)}" if amount.denominator == 1 else f"${float(amount):.2f}"


def _apply(left: Fraction, operator: str, right: Fraction) -> Fraction:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/" and right:
        return left / right
    raise Unsuitable
