"""The dashboard of one run, chosen by its run id."""

from __future__ import annotations

from contracts.metrics import Metric

from stacks.dashboards import trends
from stacks.dashboards.environment import cost, judge
from stacks.dashboards.widgets import COUNT, DOLLARS, Section, Widget, of_run


def sections(*, judged: bool) -> list[Section]:
    """In reading order.

    Args:
        judged: whether a model judges in this environment.
    """
    return [
        Section(title="The run", widgets=[*trends.learning(run=True), *([_judge_dollars()] if judged else [])]),
        Section(
            title="Its environment meanwhile",
            widgets=[
                trends.outcomes(),
                trends.graded(),
                trends.grader_time(),
                *cost(judged=judged),
                trends.heldout(),
                trends.gain(),
                *(judge() if judged else []),
            ],
        ),
    ]


def _judge_dollars() -> Widget:
    return Widget(
        title="Dollars of the judge",
        meaning="What the judge's tokens cost, from the prices in the grader's options.",
        lines=[of_run(Metric.JUDGE_COST, COUNT, "dollars")],
        unit=DOLLARS,
    )
