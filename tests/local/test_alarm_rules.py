"""The tables of the CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", row by row."""

from __future__ import annotations

import pytest

from local.emulator.alarm_rules import Condition, reason_of, state_of

KEEP = "the state it was in"


def points(text: str) -> list[float | None]:
    """`X` breaches, `0` does not, `-` is missing; oldest first."""
    return [{"X": 9.0, "0": 1.0, "-": None}[each] for each in text.split()]


def check(text: str, datapoints: int, expected: tuple[str, str, str, str]) -> None:
    for missing, wanted in zip(("missing", "ignore", "breaching", "notBreaching"), expected, strict=True):
        condition = Condition(comparison="GreaterThanThreshold", threshold=5, periods=3, datapoints=datapoints, missing=missing)
        for current in ("OK", "ALARM", "INSUFFICIENT_DATA"):
            state = state_of(points(text), condition, current)
            assert state == (current if wanted == KEEP else wanted), (text, missing, current)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 - X - X", ("OK", "OK", "OK", "OK")),
        ("- - - - 0", ("OK", "OK", "OK", "OK")),
        ("- - - - -", ("INSUFFICIENT_DATA", KEEP, "ALARM", "OK")),
        ("0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("- - X - -", ("ALARM", KEEP, "ALARM", "OK")),
    ],
)
def test_three_of_three(text: str, expected: tuple[str, str, str, str]) -> None:
    check(text, 3, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 - X - -", ("OK", "OK", "ALARM", "OK")),
        ("- - - - 0", ("OK", "OK", "ALARM", "OK")),
        ("- - - X -", ("ALARM", KEEP, "ALARM", "OK")),
    ],
)
def test_two_of_three(text: str, expected: tuple[str, str, str, str]) -> None:
    check(text, 2, expected)


@pytest.mark.parametrize("text", ["- - - - X", "- - - X -"])
def test_intermittent_data_does_not_alarm_before_it_is_old_enough(text: str) -> None:
    condition = Condition(comparison="GreaterThanThreshold", threshold=5, periods=3, datapoints=3)
    assert state_of(points(text), condition, "OK") == "OK"


@pytest.mark.parametrize(
    ("comparison", "at_threshold"),
    [
        ("GreaterThanThreshold", "OK"),
        ("GreaterThanOrEqualToThreshold", "ALARM"),
        ("LessThanThreshold", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM"),
    ],
)
def test_a_value_at_the_threshold(comparison: str, at_threshold: str) -> None:
    condition = Condition(comparison=comparison, threshold=5, periods=1, datapoints=1)
    assert state_of([None, None, 5.0], condition, "OK") == at_threshold


def test_the_reason_says_how_many_of_how_many() -> None:
    condition = Condition(comparison="LessThanThreshold", threshold=0.5, periods=3, datapoints=2)
    assert reason_of([None, None, 0.1, 0.9, 0.2], condition, "ALARM") == (
        "Threshold Crossed: 2 out of the last 3 datapoints [0.2, 0.9, 0.1] were less than the threshold (0.5) "
        "(minimum 2 datapoints for OK -> ALARM transition)."
    )
    once = Condition(comparison="GreaterThanThreshold", threshold=1.0, periods=1, datapoints=1)
    assert reason_of([None, None, 3.22], once, "ALARM", [0, 60, 120]) == (
        "Threshold Crossed: 1 out of the last 1 datapoints [3.22 (01/01/70 00:02:00)] was greater than the threshold (1.0) "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert "no datapoints were received" in reason_of(
        [None] * 5, Condition(comparison="LessThanThreshold", threshold=1, periods=3, datapoints=3, missing="breaching"), "ALARM"
    )
