"""The price table of the repository."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import attrs

FILE = Path(__file__).with_name("prices.toml")
HOURS_PER_MONTH = 730
"""AWS's own convention: a year's hours over twelve."""


@attrs.frozen(kw_only=True)
class Price:
    """One list price.

    Attributes:
        usd: US dollars for one `unit`.
        source: AWS's own page.
        quoted: a page the figure was read on, where AWS's shows it only in a browser.
        seen: the day of the comparison.
        free: units an account has free each month, for ever; those of the first year do not count.
    """

    usd: float = attrs.field(validator=attrs.validators.gt(0))
    unit: str = attrs.field(validator=attrs.validators.min_len(1))
    source: str = attrs.field(validator=attrs.validators.matches_re(r"https://aws\.amazon\.com/\S+"))
    seen: date = attrs.field(validator=attrs.validators.instance_of(date))
    free: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))
    quoted: str = attrs.field(default="", validator=attrs.validators.matches_re(r"(https://\S+)?"))


@attrs.frozen(kw_only=True)
class Line:
    """One line of a bill.

    Attributes:
        what: what costs.
        quantity: units of `price`.
        price: its key in the table; empty for what costs nothing.
        usd: US dollars.
    """

    what: str
    quantity: float
    price: str
    usd: float


class Prices:
    """The table by key."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = prices

    def __getitem__(self, key: str) -> Price:
        return self._prices[key]

    def items(self) -> list[tuple[str, Price]]:
        """Every price with its key."""
        return list(self._prices.items())

    def line(self, what: str, quantity: float, price: str) -> Line:
        """A line for `quantity` units of a price."""
        return Line(what=what, quantity=quantity, price=price, usd=quantity * self[price].usd)

    def beyond_free(self, lines: list[Line]) -> float:
        """US dollars of a bill in an account that uses nothing else in its month."""
        priced = [(line, self[line.price]) for line in lines if line.price]
        return sum(max(0.0, line.quantity - price.free) * price.usd for line, price in priced)


def load(file: Path = FILE) -> Prices:
    """Reads a price table.

    Raises:
        TypeError, ValueError: for a key or a value that is not allowed.
    """
    return Prices({key: Price(**entry) for key, entry in tomllib.loads(file.read_text(encoding="utf-8")).items()})


def total(lines: list[Line]) -> float:
    """US dollars of all lines."""
    return sum(line.usd for line in lines)
