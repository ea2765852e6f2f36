"""The trends of a job: what each line of a chart is, once for dashboards, report, guard rails, `trend.json` and tests.

A line is a statistic of a metric. CloudWatch keeps the whole distribution of what the grader sends, so deciles and shares are statistics
of a metric that is there already and cost nothing (CloudWatch user guide, Statistics-definitions). A run's own record `trend.json` has the
same lines by step, under `Trend.path`, and those that no metric holds: they are counted from the grader's log, which costs nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contracts import names
from contracts.metrics import Metric

TRAINING, VALIDATION, GRADER, JUDGE, OUTPUT = "training", "validation", "grader", "judge", "output"
"""Parts of a step in `trend.json`: what was graded of each split, the grader's calls, the judge's, and columns of the job's own output."""

PART_OF_SPLIT = {names.SPLIT_TRAIN: TRAINING, names.SPLIT_VALIDATION: VALIDATION}

AVERAGE, SUM, COUNT = "Average", "Sum", "SampleCount"
PERCENT_AT_ZERO = "PR(:0)"
"""Percentile rank: the percentage of values of at most 0; a percentile rank includes its upper bound."""

DECILES = tuple(range(10, 100, 10))


class Trend(NamedTuple):
    """One line.

    Attributes:
        key: its name in a step of `trend.json`.
        part: the part of a step that holds it.
        label: how charts name it.
        metric: the CloudWatch metric it is a statistic of; None where only the run's record has it.
        statistic: CloudWatch's.
        scale: what CloudWatch's figure is multiplied by to be the record's: a percentile rank is a percentage, a share is not.
    """

    key: str
    part: str
    label: str
    metric: Metric | None
    statistic: str
    scale: float = 1.0

    @property
    def path(self) -> str:
        """Where a step of `trend.json` has it, such as ``training.reward``."""
        return f"{self.part}.{self.key}"

    def of(self, step: Mapping[str, Any]) -> float | None:
        """Its value in a step of `trend.json`; None where nothing was graded."""
        found = (step.get(self.part) or {}).get(self.key)
        return None if found is None else float(found)


def decile(percentile: int) -> str:
    """The key of a percentile of the reward."""
    return f"reward_p{percentile}"


def _of_split(part: str, reward: Metric, spread: Metric | None, length: Metric | None) -> Iterator[Trend]:
    yield Trend("graded", part, "responses graded", reward, COUNT)
    yield Trend("reward", part, "reward, mean", reward, AVERAGE)
    for percentile in DECILES:
        yield Trend(decile(percentile), part, f"reward, p{percentile}", reward, f"p{percentile}")
    yield Trend("groups", part, "groups of two or more responses", spread, COUNT)
    yield Trend("spread", part, "spread within a group", spread, AVERAGE)
    yield Trend("no_spread", part, "share of groups without spread", spread, PERCENT_AT_ZERO, 0.01)
    yield Trend("length", part, "characters of a response, mean", length, AVERAGE)
    yield Trend("length_p90", part, "characters of a response, p90", length, "p90")


TRENDS: tuple[Trend, ...] = (
    *_of_split(TRAINING, Metric.REWARD, Metric.GROUP_SPREAD, Metric.RESPONSE_LENGTH),
    *_of_split(VALIDATION, Metric.VALIDATION_REWARD, None, None),
    Trend("calls", GRADER, "calls of the grader", Metric.GRADER_LATENCY, COUNT),
    Trend("ms", GRADER, "time of a call, mean", Metric.GRADER_LATENCY, AVERAGE),
    Trend("ms_p50", GRADER, "time of a call, p50", Metric.GRADER_LATENCY, "p50"),
    Trend("ms_p95", GRADER, "time of a call, p95", Metric.GRADER_LATENCY, "p95"),
    Trend("ms_p99", GRADER, "time of a call, p99", Metric.GRADER_LATENCY, "p99"),
    Trend("calls", JUDGE, "requests to the judge", Metric.JUDGE_CALLS, SUM),
    Trend("errors", JUDGE, "requests without a usable verdict", Metric.JUDGE_ERRORS, SUM),
    Trend("input_tokens", JUDGE, "tokens the judge read", Metric.JUDGE_INPUT_TOKENS, SUM),
    Trend("output_tokens", JUDGE, "tokens the judge wrote", Metric.JUDGE_OUTPUT_TOKENS, SUM),
    Trend("usd", JUDGE, "US dollars the judge took", Metric.JUDGE_COST, SUM),
)
"""Every line but those that have a name for each entry, which are in `TABLES`."""

BY_PATH: dict[str, Trend] = {trend.path: trend for trend in TRENDS}
"""Each line by where `trend.json` has it, such as ``training.reward_p90``."""

OUTCOMES, COMPONENTS = "outcomes", "components"
"""Tables in a split's part of a step."""

TABLES: dict[str, str] = {
    OUTCOMES: "responses by outcome class, those that came up",
    COMPONENTS: "mean of each entry of the scores' `metrics_list`, by its name",
}
"""What each table holds."""

STEP: dict[str, str] = {
    "step": "the last training step it covers, from 1 on: responses graded so far by batch size times responses per prompt",
    "since": "the step before the first it covers; `step - 1` unless neighbours were joined",
    "began": "when the first of it was graded, ISO 8601 in UTC",
    "at": "when the last of it was graded",
    TRAINING: "lines and tables of training responses",
    VALIDATION: "lines and tables of validation responses graded meanwhile",
    GRADER: "lines of the grader's calls",
    JUDGE: "lines of the judge's requests, where a model judges",
    OUTPUT: "by part: columns of the CSV files Bedrock left in the job's output, by their own names; means where a step has several rows",
}
"""The members of a step. A part nothing was graded of is not there."""

RECORD: dict[str, str] = {
    "run_id": "the run",
    "updated_at": "when it was written: at each look at the job, and once after its end",
    "job": "`arn`, `status`, `created_at` and `ended_at` of the customization job",
    "guard": "what the guard rails said so far",
    "spent_usd": "US dollars the job has taken, estimated from what was graded and the prices in settings",
    "steps": "in order; neighbours of a long job are joined, so that 400 or so are left",
    "settled": "how many of the first steps will not change any more",
    "totals": "all steps as one",
    "artifacts": "by file, `columns` and `rows` of each CSV of the job's output, once it has ended",
    "notes": "what of the output could not be read or merged",
}
"""The members of `trend.json`."""

MAX_COMPONENTS = 8
"""Components of a grader that `Metric.COMPONENT` is published for, the first by name. A run's record has all."""

OUTCOME_METRICS: dict[str, Metric] = {
    metric.name.removeprefix("OUTCOME_").lower(): metric for metric in Metric if metric.name.startswith("OUTCOME_")
}
"""The metric that counts each outcome class. Training, validation and evaluation are together in it; the run's record has them apart."""
