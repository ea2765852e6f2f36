"""The price table: every figure with its source and day, and none unused."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.assembly import Assembly
from cost.idle import idle
from cost.prices import Prices, load
from cost.run import run

ENTRY = '[key_month]\nusd = 1.0\nunit = "key"\nsource = "https://aws.amazon.com/kms/pricing/"\nseen = 2026-11-25\n'


def test_every_price_has_a_unit_a_source_of_aws_and_a_day(prices: Prices) -> None:
    assert len(prices.items()) >= 14
    for _, price in prices.items():
        assert price.usd > 0 and price.unit and price.source.startswith("https://aws.amazon.com/")
        assert price.seen.year >= 2026


def test_no_price_is_without_use(assemblies: dict[str, Assembly], prices: Prices) -> None:
    used = {line.price for each in assemblies.values() for line in (*idle(each, prices), *run(each, prices))}
    assert {key for key, _ in prices.items()} <= used


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("usd = 1.0", "usd = 0.0"),
        ("usd = 1.0", "usd = -1.0"),
        ('unit = "key"', 'unit = ""'),
        ("https://aws.amazon.com/kms/pricing/", "https://example.com/"),
        ("seen = 2026-11-25", 'seen = "lately"'),
        ("seen = 2026-11-25", ""),
        ("usd = 1.0", "usd = 1.0\nper = 2"),
    ],
)
def test_an_entry_that_lacks_something_is_refused(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(ENTRY.replace(old, new))
    with pytest.raises((TypeError, ValueError)):
        load(file)
