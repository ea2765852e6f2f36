"""docs/rules.md tells every rule as the code has it."""

from __future__ import annotations

from audit.assembly import ROOT
from stacks.rules.catalogue import table
from stacks.rules.packs import PACKS


def test_the_page_holds_the_table_of_our_own_rules() -> None:
    page = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    assert table() in page, "docs/rules.md: put in what `python -m stacks.rules.catalogue` prints"


def test_the_page_names_every_pack() -> None:
    page = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    assert all(f"`{pack}-`" in page for pack in PACKS)
