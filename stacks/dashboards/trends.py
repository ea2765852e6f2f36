"""Widgets on what is learnt, for an environment and for one run alike."""

from __future__ import annotations

from contracts.metrics import Metric
from contracts.trends import OUTCOME_METRICS, decile

from stacks.dashboards.widgets import CHARACTERS, COUNT, MEAN, MILLISECONDS, PERCENT, SCORE, TIMES, Widget, every, own, trend

_DECILES = (10, 30, 50, 70, 90)
"""Of the nine there are: five lines can still be told apart."""


def learning(*, run: bool) -> list[Widget]:
    """What is published for each run as well."""
    return [
        Widget(
            title="Reward",
            meaning="Mean score of what was graded. It should climb; validation that falls while training climbs is a reward being gamed.",
            lines=[trend("training.reward", "training", run=run), trend("validation.reward", "validation", run=run)],
            unit=SCORE,
            highest=1,
        ),
        Widget(
            title="Deciles of the training reward",
            meaning="The whole distribution behind the mean: the worst responses getting better looks unlike a few lucky ones.",
            lines=[trend(f"training.{decile(each)}", f"p{each}", run=run) for each in _DECILES],
            unit=SCORE,
            highest=1,
        ),
        Widget(
            title="Spread within groups",
            meaning="Mean standard deviation of the scores of one prompt's responses. GRPO learns from it; at 0 it learns nothing.",
            lines=[trend("training.spread", "spread", run=run)],
            unit=SCORE,
        ),
        Widget(
            title="Groups without spread",
            meaning="Share of prompts whose responses all scored alike: solved, out of reach, or a constant reward. They teach nothing.",
            lines=[trend("training.no_spread", "without spread", run=run)],
            unit=PERCENT,
            highest=100,
        ),
        Widget(
            title="Response length",
            meaning="Characters of a training response. Length that grows together with the reward is the oldest way to game one.",
            lines=[trend("training.length", "mean", run=run), trend("training.length_p90", "p90", run=run)],
            unit=CHARACTERS,
        ),
    ]


def outcomes() -> Widget:
    return Widget(
        title="Outcomes",
        meaning="Why responses were paid as they were. A class that jumps without the model having changed is a fault of data or grader.",
        lines=[own(metric, COUNT, name.replace("_", " ")) for name, metric in OUTCOME_METRICS.items()],
        unit=TIMES,
        stacked=True,
    )


def components() -> Widget:
    return Widget(
        title="Components of the reward",
        meaning="Mean of each part of the score over a job's last steps. One that climbs while the others fall is the one being gamed.",
        lines=[every(Metric.COMPONENT, MEAN, "component")],
        unit=SCORE,
    )


def graded() -> Widget:
    return Widget(
        title="Responses graded",
        meaning="All that was graded, and what scored 0 for a fault of data or grader. None while a job runs: it has stalled.",
        lines=[own(Metric.SAMPLES_GRADED, COUNT, "graded"), own(Metric.GRADER_FAULTS, COUNT, "faults")],
        unit=TIMES,
    )


def heldout() -> Widget:
    return Widget(
        title="Held-out and rehearsal",
        meaning="Mean score of base and candidate on held-out prompts, and of the probes that try the reward before money is spent.",
        lines=[own(Metric.EVALUATION_REWARD, MEAN, "held-out"), own(Metric.REHEARSAL_REWARD, MEAN, "rehearsal")],
        unit=SCORE,
        highest=1,
    )


def gain() -> Widget:
    return Widget(
        title="Candidate minus base",
        meaning="What training won on held-out prompts, one point for each evaluation. The gate asks for the environment's margin.",
        lines=[own(Metric.CANDIDATE_GAIN, MEAN, "gain")],
        unit=SCORE,
        negative=True,
    )


def grader_time() -> Widget:
    return Widget(
        title="Grader time",
        meaning="Time of one call inside the reward function. Bedrock waits for it at each step, and gives up at the function's timeout.",
        lines=[trend(f"grader.ms_{each}", each) for each in ("p50", "p95", "p99")],
        unit=MILLISECONDS,
    )
