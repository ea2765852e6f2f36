"""The two questions behind rule RFT-TriggerLoop: which keys a rule matches, and whether two patterns meet."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.rules.loops import can_both_match, key_patterns


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("incoming/*.jsonl", "datasets/*", False),
        ("incoming/*.jsonl", "incoming/*", True),
        ("*.jsonl", "datasets/*", True),
        ("*.jsonl", "datasets/*.json", False),
        ("in*", "*coming/x", True),
        ("", "*", True),
        ("a", "b", False),
    ],
)
def test_patterns_meet(one: str, other: str, meet: bool) -> None:
    assert can_both_match(one, other) is can_both_match(other, one) is meet


@given(st.text("ab*", max_size=5), st.text("ab*", max_size=5), st.text("ab", max_size=6))
def test_a_text_that_fits_both_shows_that_they_meet(one: str, other: str, text: str) -> None:
    if fnmatch.fnmatchcase(text, one) and fnmatch.fnmatchcase(text, other):
        assert can_both_match(one, other)


def test_matchers_of_eventbridge_become_patterns() -> None:
    matchers = ["incoming/a", {"prefix": "incoming/"}, {"suffix": ".jsonl"}, {"wildcard": "a/*/b"}, {"anything-but": "x"}]
    assert key_patterns(matchers) == ["incoming/a", "incoming/*", "*.jsonl", "a/*/b", "*"]
    assert key_patterns([]) == ["*"]
