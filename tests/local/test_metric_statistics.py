"""Statistics of metric data as CloudWatch defines them."""

from __future__ import annotations

from typing import Any

import pytest

from local.emulator.metric_series import UnknownStatistic, statistic_of

POINTS: list[dict[str, Any]] = [{"Value": 0.0, "Count": 3.0}, {"Value": 0.2}, {"Value": 0.5, "Count": 4.0}]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("PR(:0)", 37.5), ("PR(:0.2)", 50.0), ("PR(0:0.2)", 12.5), ("PR(0.2:)", 50.0), ("p50", 0.35), ("SampleCount", 8.0)],
)
def test_a_percentile_rank_leaves_out_its_lower_bound_and_takes_in_its_upper(statistic: str, expected: float) -> None:
    assert statistic_of(POINTS, statistic) == pytest.approx(expected)


def test_there_is_no_rank_of_nothing() -> None:
    assert statistic_of([], "PR(:0)") is None


@pytest.mark.parametrize("statistic", ["PR(:)", "PR(0)", "PR(:10%)", "TM(:0)"])
def test_what_is_not_computed_here_is_refused_and_named(statistic: str) -> None:
    with pytest.raises(UnknownStatistic, match="PR"):
        statistic_of(POINTS, statistic)
