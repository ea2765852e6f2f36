"""Rank correlation with ties, and intervals for it, by standard-library arithmetic.

Spearman's rho is the correlation of average ranks; Kendall's is tau-b. Intervals are Fisher's transformation with the variances of
Bonett and Wright 2000 (rho) and Fieller, Hartley and Pearson 1957 (tau).
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import attrs

LEAST = 5
"""Fewest values a correlation is given for: below, its interval has no width that means anything."""


@attrs.frozen(kw_only=True)
class Correlation:
    """A correlation, -1 to 1, and the ends of its interval."""

    value: float
    low: float
    high: float


def spearman(first: Sequence[float], second: Sequence[float], confidence: float) -> Correlation | None:
    """Spearman's rho; None for fewer than `LEAST` values or when all values of a side are equal."""
    value = _rho(first, second)
    return _interval(value, len(first), confidence, lambda rho: (1 + rho * rho / 2) / (len(first) - 3)) if value is not None else None


def kendall(first: Sequence[float], second: Sequence[float], confidence: float) -> Correlation | None:
    """Kendall's tau-b; None as for `spearman`."""
    value = _tau(first, second)
    return _interval(value, len(first), confidence, lambda _tau: 0.437 / (len(first) - 4)) if value is not None else None


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(values)
    counts = Counter(values)
    return [bisect_left(order, value) + (counts[value] + 1) / 2 for value in values]


def _rho(first: Sequence[float], second: Sequence[float]) -> float | None:
    if len(first) < LEAST or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return statistics.correlation(ranks(first), ranks(second))


def _tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    if len(first) < LEAST or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    points = sorted(zip(first, second, strict=True))
    total = _couples([len(points)])
    tied_first, tied_second = _couples(Counter(first).values()), _couples(Counter(second).values())
    tied_both = _couples(Counter(points).values())
    # Sorted by the first side and within its ties by the second, only discordant couples stand the wrong way round.
    discordant = 0
    seen: list[float] = []
    for index, (_, value) in enumerate(points):
        discordant += index - bisect_right(seen, value)
        insort(seen, value)
    concordant = total - tied_first - tied_second + tied_both - discordant
    return (concordant - discordant) / math.sqrt((total - tied_first) * (total - tied_second))


def _couples(counts: Iterable[int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts)


def _interval(value: float, count: int, confidence: float, variance: Callable[[float], float]) -> Correlation:
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    # A perfect order has an infinite transform and no interval; one couple out of place in 2n bounds it instead.
    held = math.copysign(min(abs(value), 1 - 1 / (2 * count)), value)
    middle, half = math.atanh(held), z * math.sqrt(variance(held))
    return Correlation(value=value, low=min(value, math.tanh(middle - half)), high=max(value, math.tanh(middle + half)))
