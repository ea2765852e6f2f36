"""CloudWatch Logs filter patterns."""

from __future__ import annotations

import pytest

from local.emulator.filter_patterns import compile_pattern, number

LINE = '{"level": "ERROR", "code": 503, "user": {"name": "reward"}, "ok": false, "gone": null, "list": [1, 2]}'


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ('"Task timed out"', "x Task timed out y", True),
        ('"Task timed out"', "Task was out", False),
        ("ERROR reward", "reward ERROR", True),
        ("ERROR -expected", "ERROR expected", False),
        ("?ERROR ?WARN", "a WARN", True),
        ("?ERROR ?WARN", "an INFO", False),
        ('{ $.level = "ERROR" }', LINE, True),
        ('{ $.level = "ERR*" }', LINE, True),
        ('{ $.level != "ERROR" }', LINE, False),
        ("{ $.code >= 500 }", LINE, True),
        ('{ $.code >= 500 && $.user.name = "other" }', LINE, False),
        ('{ ($.code < 500) || ($.user.name = "reward") }', LINE, True),
        ("{ $.ok IS FALSE }", LINE, True),
        ("{ $.gone IS NULL }", LINE, True),
        ("{ $.absent NOT EXISTS }", LINE, True),
        ("{ $.absent = 1 }", LINE, False),
        ("{ $.list[1] = 2 }", LINE, True),
        ('{ $.level = "ERROR" }', "not json", False),
        ("[a, b]", "1 2", False),
        ("{ $.level ~ 1 }", LINE, False),
    ],
)
def test_a_pattern(pattern: str, message: str, expected: bool) -> None:
    assert compile_pattern(pattern)(message) is expected


@pytest.mark.parametrize(("value", "expected"), [("1", 1.0), ("$.code", 503.0), ("$.level", None), ("$.absent", None)])
def test_a_metric_filters_value(value: str, expected: float | None) -> None:
    assert number(LINE, value) == expected
