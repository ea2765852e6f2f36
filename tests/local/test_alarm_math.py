"""Metric math as alarms and dashboards use it."""

from __future__ import annotations

import pytest

from local.emulator.metric_math import MathError, Scope, evaluate, names_in

TIMES = [0, 60, 120, 180]
SCOPE = Scope(
    values={"m1": {0: 1.0, 60: 2.0, 120: 4.0, 180: 8.0}, "m2": {60: 10.0, 180: 0.0}, "empty": {}},
    timeline=TIMES,
    period=60,
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", {0: 1, 60: 2, 120: 4, 180: 8}),
        ("m1 + 1", {0: 2, 60: 3, 120: 5, 180: 9}),
        ("2 * m1 - m1 / 2", {0: 1.5, 60: 3, 120: 6, 180: 12}),
        ("-m1 ^ 2", {0: -1, 60: -4, 120: -16, 180: -64}),
        ("(m1 + 1) * 2", {0: 4, 60: 6, 120: 10, 180: 18}),
        ("m1 + m2", {60: 12, 180: 8}),
        ("m1 / m2", {60: 0.2}),
        ("m1 > 2", {0: 0, 60: 0, 120: 1, 180: 1}),
        ("m1 > 2 && m1 < 8", {0: 0, 60: 0, 120: 1, 180: 0}),
        ("m1 == 1 OR m1 >= 8", {0: 1, 60: 0, 120: 0, 180: 1}),
        ("FILL(m2, 0)", {0: 0, 60: 10, 120: 0, 180: 0}),
        ("FILL(m2, REPEAT)", {60: 10, 120: 10, 180: 0}),
        ("FILL(m2, LINEAR)", {60: 10, 120: 5, 180: 0}),
        ("FILL(empty, 3)", {0: 3, 60: 3, 120: 3, 180: 3}),
        ("IF(m1 > 2, m1, 0)", {0: 0, 60: 0, 120: 4, 180: 8}),
        ("IF(m2, m1)", {60: 2}),
        ("DIFF(m1)", {60: 1, 120: 2, 180: 4}),
        ("RATE(m1)", {60: 1 / 60, 120: 2 / 60, 180: 4 / 60}),
        ("RUNNING_SUM(m1)", {0: 1, 60: 3, 120: 7, 180: 15}),
        ("m1 - MIN(m1)", {0: 0, 60: 1, 120: 3, 180: 7}),
        ("SUM([m1, m2])", {0: 1, 60: 12, 120: 4, 180: 8}),
        ("MAX([m1, m2])", {0: 1, 60: 10, 120: 4, 180: 8}),
        ("m1 / PERIOD(m1)", {0: 1 / 60, 60: 2 / 60, 120: 4 / 60, 180: 8 / 60}),
        ("5", {0: 5, 60: 5, 120: 5, 180: 5}),
    ],
)
def test_an_expression(expression: str, expected: dict[int, float]) -> None:
    assert evaluate(expression, SCOPE) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("m9 + 1", "m9"),
        ("SEARCH('{RFT} Reward', 'Average', 60)", "SEARCH"),
        ("m1 +", "end"),
        ("m1 m2", "m2"),
        ("__import__('os')", "__import__"),
        ("m1.real", "m1.real"),
        ("(" * 80 + "m1" + ")" * 80, "deeper"),
        ("FILL(m1)", "FILL"),
    ],
)
def test_what_cannot_be_computed_is_named(expression: str, named: str) -> None:
    with pytest.raises(MathError, match=named.replace("(", r"\(") if named != "m1.real" else "real"):
        evaluate(expression, SCOPE)


def test_the_ids_an_expression_needs_leave_out_functions() -> None:
    assert names_in("IF(m1 > 2, FILL(e1, 0), m2)") == {"m1", "e1", "m2"}
