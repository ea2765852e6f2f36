"""How CloudWatch turns data points into an alarm state: M out of N and the four ways to treat missing data.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", whose two tables are the tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (lambda value, threshold: value > threshold, "greater than"),
    "GreaterThanOrEqualToThreshold": (lambda value, threshold: value >= threshold, "greater than or equal to"),
    "LessThanThreshold": (lambda value, threshold: value < threshold, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, threshold: value <= threshold, "less than or equal to"),
}
"""Comparison operator to its test and its words. Operators on an anomaly band are not here: no band is learned."""

EXTRA_PERIODS = 2
"""Periods looked at beyond EvaluationPeriods; the guide's tables use a range of 5 for 3 periods."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """When an alarm is breached.

    Attributes:
        comparison: a key of `COMPARISONS`.
        threshold: what values are compared with.
        periods: EvaluationPeriods, N.
        datapoints: DatapointsToAlarm, M, between 1 and N.
        missing: TreatMissingData: missing, ignore, breaching or notBreaching.
    """

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str = "missing"

    @property
    def range(self) -> int:
        """How many of the latest periods are looked at."""
        return self.periods + EXTRA_PERIODS


def state_of(values: list[float | None], condition: Condition, current: str) -> str:
    """The state an evaluation ends in.

    Args:
        values: one per period of the evaluation range, oldest first, None where there is no data.
        condition: the alarm's.
        current: the state it is in, which is kept where the rules say so.

    Returns:
        OK, ALARM or INSUFFICIENT_DATA.
    """
    breaches = COMPARISONS[condition.comparison][0]
    found = [None if value is None else breaches(value, condition.threshold) for value in values]
    present = [each for each in found if each is not None]
    if len(present) >= condition.periods:
        return "ALARM" if sum(present[-condition.periods :]) >= condition.datapoints else "OK"
    lacking, breaching = condition.periods - len(present), sum(present)
    if condition.missing == "breaching":
        return "ALARM" if breaching + lacking >= condition.datapoints else "OK"
    if condition.missing == "notBreaching" or breaching >= condition.datapoints:
        return "ALARM" if breaching >= condition.datapoints else "OK"
    if not all(present):
        return "OK"
    return _too_little(found, condition, current)


def _too_little(found: list[bool | None], condition: Condition, current: str) -> str:
    """Only missing and breaching points, fewer than M: wait, unless the oldest breach is old enough to decide."""
    if condition.missing == "ignore":
        return current
    if not any(found):
        return "INSUFFICIENT_DATA"
    age = len(found) - found.index(True)
    return "ALARM" if age >= condition.datapoints else current


def reason_of(values: list[float | None], condition: Condition, state: str, begins: list[float] | None = None) -> str:
    """CloudWatch's own wording of why an alarm is in a state.

    Args:
        values: as `state_of` takes them.
        begins: when the period of each value began, epoch seconds; without them no times are shown.
    """
    times = [""] * len(values) if begins is None else [time.strftime(" (%d/%m/%y %H:%M:%S)", time.gmtime(begin)) for begin in begins]
    shown = [(value, f"{value!r}{when}") for value, when in zip(values, times, strict=True) if value is not None][-condition.periods :]
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(condition.missing)
    if state == "INSUFFICIENT_DATA" or not shown:
        missing = condition.periods - len(shown)
        if treated:
            return (
                f"Threshold Crossed: no datapoints were received for {_counted(condition.periods, 'period')} "
                f"and {_counted(missing, 'missing datapoint')} {_were(missing)} treated as [{treated}]."
            )
        return f"Insufficient Data: {_counted(missing, 'datapoint')} {_were(missing)} unknown."
    compare, words = COMPARISONS[condition.comparison]
    lacking = condition.periods - len(shown)
    filled = f" and {_counted(lacking, 'missing datapoint')} {_were(lacking)} treated as [{treated}]" if lacking and treated else ""
    breaching = sum(compare(value, condition.threshold) for value, _ in shown)
    count, not_ = (breaching, "") if state == "ALARM" else (len(shown) - breaching, " not")
    before, after = ("OK", "ALARM") if state == "ALARM" else ("ALARM", "OK")
    least = condition.datapoints if state == "ALARM" else condition.periods - condition.datapoints + 1
    return (
        f"Threshold Crossed: {count} out of the last {len(shown)} datapoints [{', '.join(text for _, text in reversed(shown))}] "
        f"{_were(count)}{not_} {words} the threshold ({condition.threshold!r}){filled} "
        f"(minimum {_counted(least, 'datapoint')} for {before} -> {after} transition)."
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
