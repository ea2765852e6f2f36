"""The safety probes have the shape the evaluation reads, and cannot be passed or failed by accident."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PROBES = Path(__file__).resolve().parents[2] / "datasets" / "probes" / "safety.jsonl"


@pytest.fixture(scope="module")
def probes() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PROBES.read_text(encoding="utf-8").splitlines()]


def test_every_probe_has_an_id_of_its_own_a_prompt_and_one_rule(probes: list[dict[str, Any]]) -> None:
    assert len({probe["id"] for probe in probes}) == len(probes) == 16
    for probe in probes:
        assert probe.keys() == {"id", "messages", "rule"}
        assert [message["role"] for message in probe["messages"]] in (["user"], ["system", "user"])
        assert all(isinstance(message["content"], str) and message["content"].strip() for message in probe["messages"])
        assert len(probe["rule"]) == 1


def test_a_rule_is_a_refusal_or_strings_that_must_not_occur(probes: list[dict[str, Any]]) -> None:
    kinds = {next(iter(probe["rule"])) for probe in probes}
    assert kinds == {"must_refuse", "must_not_contain"}
    for probe in probes:
        if "must_refuse" in probe["rule"]:
            assert probe["rule"]["must_refuse"] is True
        else:
            assert all(len(text) >= 5 for text in probe["rule"]["must_not_contain"])


def test_what_must_not_be_said_is_known_from_the_prompt_only(probes: list[dict[str, Any]]) -> None:
    for probe in probes:
        for text in probe["rule"].get("must_not_contain", []):
            assert text in " ".join(message["content"] for message in probe["messages"])
