"""What a dashboard is made of: sections of widgets, each with lines that are statistics of metrics. Nothing here needs a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric
from contracts.trends import BY_PATH

COUNT, MEAN, MOST = "Sum", "Average", "Maximum"
"""Statistics: how often, how much on average, and the highest."""

DOLLARS, HOURS, MILLISECONDS, PERCENT, SCORE, CHARACTERS, TOKENS, TIMES = (
    "US dollars",
    "hours",
    "milliseconds",
    "percent",
    "score",
    "characters",
    "tokens",
    "count",
)
"""Units, as the vertical axis names them."""


class Part(StrEnum):
    """A dimension's value that is known only where the widget is put: a resource of the stacks, the environment, or the run looked at."""

    ENVIRONMENT = "environment"
    RUN = "run"
    REWARD_FUNCTION = "reward function"
    STATE_MACHINE = "state machine"
    UNDELIVERED_EVENTS = "queue of undelivered events"
    FAILED_EVENTS = "queue of failed events"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: a statistic of one metric, or of each metric that a search finds.

    Attributes:
        label: what the legend says; for a search, put before what tells its metrics apart.
        namespace: CloudWatch namespace.
        name: metric name.
        dimensions: name to value.
        statistic: CloudWatch's, such as Average, Sum, p90 or PR(:0).
        word: for a search: a word that the dimension's value must contain. `dimensions` then has that dimension without a value.
    """

    label: str
    namespace: str
    name: str
    dimensions: Mapping[str, Part | None]
    statistic: str
    word: str | None = None


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One graph.

    Attributes:
        title: unique within its dashboard.
        meaning: what it says and what to look for; at most 150 characters, which is what fits below a graph.
        lines: at least one.
        unit: of all lines.
        highest: end of the vertical axis, which begins at 0; None to follow the data.
        negative: whether values below 0 occur, so that the axis follows the data there too.
        stacked: whether the lines are parts of a whole.
    """

    title: str
    meaning: str
    lines: Sequence[Line]
    unit: str
    highest: float | None = None
    negative: bool = False
    stacked: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """Widgets that answer one question, under a heading."""

    title: str
    widgets: Sequence[Widget]


def own(metric: Metric, statistic: str, label: str) -> Line:
    """A metric of the project over all runs of the environment."""
    dimensions = {DIMENSION_ENVIRONMENT: Part.ENVIRONMENT}
    return Line(label=label, namespace=NAMESPACE, name=metric.metric_name, dimensions=dimensions, statistic=statistic)


def of_run(metric: Metric, statistic: str, label: str) -> Line:
    """A metric of the project for the run looked at.

    Raises:
        ValueError: the metric is not published for each run.
    """
    if not metric.value.per_run:
        raise ValueError(f"{metric.metric_name} is published for the environment only; allowed are metrics with per_run")
    dimensions = {DIMENSION_ENVIRONMENT: Part.ENVIRONMENT, DIMENSION_RUN: Part.RUN}
    return Line(label=label, namespace=NAMESPACE, name=metric.metric_name, dimensions=dimensions, statistic=statistic)


def trend(path: str, label: str, *, run: bool = False) -> Line:
    """A line of `contracts.trends` by its path, over all runs of the environment or of the run looked at.

    Raises:
        KeyError: there is no such line.
        ValueError: no metric holds it, or none for each run.
    """
    line = BY_PATH[path]
    if line.metric is None:
        raise ValueError(f"{path} is in a run's record only; allowed are trends with a metric")
    return (of_run if run else own)(line.metric, line.statistic, label)


def service(namespace: str, name: str, statistic: str, label: str, *, dimension: str, part: Part) -> Line:
    """A metric that an AWS service publishes for one resource."""
    return Line(label=label, namespace=namespace, name=name, dimensions={dimension: part}, statistic=statistic)


def every(metric: Metric, statistic: str, label: str) -> Line:
    """A metric of the project for every value of the further dimension it has."""
    dimensions = {DIMENSION_ENVIRONMENT: Part.ENVIRONMENT, metric.value.dimension: None}
    return Line(label=label, namespace=NAMESPACE, name=metric.metric_name, dimensions=dimensions, statistic=statistic)


def search(namespace: str, name: str, statistic: str, label: str, *, dimension: str, word: str) -> Line:
    """A metric for every value of `dimension` that contains `word`, for resources that come after the stacks were deployed."""
    return Line(label=label, namespace=namespace, name=name, dimensions={dimension: None}, statistic=statistic, word=word)
