"""The reward trend: from CloudWatch's pages and from whatever CSV Bedrock leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline import trend

START = datetime(2026, 11, 20, 19, tzinfo=UTC)


def test_points_come_in_order_with_their_samples() -> None:
    later = START + timedelta(seconds=5)
    pages = [
        {"MetricDataResults": [{"Id": "train_average", "Timestamps": [later], "Values": [0.5]}]},
        {"MetricDataResults": [{"Id": "train_average", "Timestamps": [START], "Values": [0.25]}]},
        {"MetricDataResults": [{"Id": "train_samplecount", "Timestamps": [later, START], "Values": [128.0, 64.0]}]},
    ]
    found = trend.series(pages)

    assert [(point["mean"], point["samples"]) for point in found["train"]] == [(0.25, 64), (0.5, 128)]
    assert found["validation"] == []
    assert trend.total(found["train"]) == {"mean": round((0.25 * 64 + 0.5 * 128) / 192, 6), "samples": 192}


@pytest.mark.parametrize(("hours", "period"), [(0.1, 1), (2.9, 1), (3.0, 60), (20, 60)])
def test_fine_data_points_are_asked_for_while_cloudwatch_keeps_them(hours: float, period: int) -> None:
    asked = trend.queries("dev", "a-run", START, START + timedelta(hours=hours))
    assert {query["MetricStat"]["Period"] for query in asked} == {period}
    assert {query["MetricStat"]["Metric"]["MetricName"] for query in asked} == {"Reward", "ValidationReward"}


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 1000)), max_size=900), st.integers(1, 50))
def test_thinning_keeps_samples_and_mean(points: list[tuple[float, int]], most: int) -> None:
    full = [{"t": str(number), "mean": mean, "samples": samples} for number, (mean, samples) in enumerate(points)]
    thin = trend.thinned(full, most)

    assert len(thin) <= max(most, 1)
    assert trend.total(thin)["samples"] == trend.total(full)["samples"]
    if points:
        assert trend.total(thin)["mean"] == pytest.approx(trend.total(full)["mean"], abs=1e-4)
        assert thin[-1]["t"] == full[-1]["t"]


def test_a_csv_keeps_every_column_and_leaves_out_what_is_cut() -> None:
    table = trend.table(b"\xef\xbb\xbfstep_number, critic/rewards/mean,note\n0,0.25,warm\n1,nan,\n2,0.5\n3,0.75,x\n")

    assert table.columns == ["step_number", "critic/rewards/mean", "note"]
    assert [row["critic/rewards/mean"] for row in table.rows] == [0.25, None, 0.75]
    assert table.notes == ["1 rows were left out: cut, too long, or beyond 5000"]


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reading(body: bytes) -> None:
    table = trend.table(body)
    assert all(row.keys() <= set(table.columns) for row in table.rows)
