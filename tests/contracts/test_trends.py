"""The definitions of the trends: what dashboards, report, record and guard rails may rely on."""

from __future__ import annotations

import re

import pytest
from contracts.metrics import Metric
from contracts.trends import BY_PATH, DECILES, OUTCOME_METRICS, TRENDS, Trend, decile
from reward.score import METRIC_OF


def test_no_two_lines_share_a_place_and_labels_tell_lines_of_a_part_apart() -> None:
    assert len(BY_PATH) == len(TRENDS)
    assert len({(trend.part, trend.label) for trend in TRENDS}) == len(TRENDS)


@pytest.mark.parametrize("trend", TRENDS, ids=lambda trend: trend.path)
def test_every_statistic_is_one_that_cloudwatch_knows(trend: Trend) -> None:
    assert re.fullmatch(r"Average|Sum|SampleCount|p\d{1,2}|PR\(:\d+\)", trend.statistic)
    assert (trend.scale == 0.01) == trend.statistic.startswith("PR")


def test_every_decile_of_the_reward_is_a_line_of_training_and_of_validation() -> None:
    for part, metric in (("training", Metric.REWARD), ("validation", Metric.VALIDATION_REWARD)):
        lines = [BY_PATH[f"{part}.{decile(percentile)}"] for percentile in DECILES]
        assert [line.statistic for line in lines] == ["p10", "p20", "p30", "p40", "p50", "p60", "p70", "p80", "p90"]
        assert {line.metric for line in lines} == {metric}


def test_outcome_classes_are_those_the_grader_gives() -> None:
    assert {str(outcome): metric for outcome, metric in METRIC_OF.items()} == OUTCOME_METRICS


def test_a_line_finds_its_value_in_a_step_or_none() -> None:
    line = BY_PATH["training.no_spread"]
    assert line.of({"training": {"no_spread": 0.25}}) == 0.25
    assert (line.of({}), line.of({"training": None}), line.of({"training": {"no_spread": None}})) == (None, None, None)


def test_no_metric_is_named_like_a_dimension_since_a_record_has_one_member_of_a_name() -> None:
    dimensions = {name for metric in Metric for names in metric.dimension_sets for name in names}
    assert not dimensions & {metric.metric_name for metric in Metric}
