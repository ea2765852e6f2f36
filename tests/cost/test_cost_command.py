"""`rft cost`, and the table in the README."""

from __future__ import annotations

import json

import pytest

from audit.assembly import Assembly
from cost import tables
from cost.prices import Prices
from rft.cli import invoke
from rft.exits import Exit


def test_the_command_prints_each_environment_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["cost", "--env", "dev", "--hours", "12", "--json"]) == Exit.OK
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"dev"}
    dev = found["dev"]
    assert dev["idle_usd_per_month"] == pytest.approx(sum(line["usd"] for line in dev["idle"]))
    assert dev["run_usd"] == pytest.approx(sum(line["usd"] for line in dev["run"]))
    assert dev["run_hours"] == 12


def test_the_text_names_what_costs_and_the_difference(
    assemblies: dict[str, Assembly], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.assembly.synthesise", lambda chosen, _directory: {each.name: assemblies[each.name] for each in chosen})
    assert invoke(["cost", "--env", "dev", "--env", "prod"]) == Exit.OK
    out = capsys.readouterr().out
    assert "interface endpoints" in out and "state transitions" in out
    assert "idle, dev costs" in out


def test_the_table_in_the_readme_is_what_the_templates_give(assemblies: dict[str, Assembly], prices: Prices) -> None:
    assert tables.PART.read() == tables.PART.filled(tables.readme(assemblies, prices)), "stale: run python -m cost.tables"
