"""What the guard rails look at: the steps of a job's trend, in the few figures they judge. No AWS calls here."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from contracts.metrics import Metric
from contracts.trends import JUDGE, OUTCOME_METRICS, OUTCOMES, TRAINING, VALIDATION

from pipeline.trend import Step

_UNREADABLE = [name for name, metric in OUTCOME_METRICS.items() if metric in (Metric.OUTCOME_NO_MARKER, Metric.OUTCOME_UNPARSABLE)]


@attrs.frozen(kw_only=True)
class Reading:
    """What was graded in one training step, or in several where one call of the grader holds more than a step, or a long trend was joined.

    Attributes:
        step: the last of them, from 1 on, counted from the responses graded so far.
        since: the step before the first of them.
        reward: mean score of training responses, 0 to 1; None when none was graded.
        graded: training responses.
        spread: mean standard deviation within the groups.
        length: mean characters of a training response.
        validation: mean score of validation responses graded meanwhile.
        validated: validation responses.
        judge_usd: US dollars the judge took.
        unreadable: training responses whose answer the grader could not find or read.
    """

    step: int
    since: int = attrs.field(default=attrs.Factory(lambda self: self.step - 1, takes_self=True))
    reward: float | None = None
    graded: int = 0
    spread: float | None = None
    length: float | None = None
    validation: float | None = None
    validated: int = 0
    judge_usd: float = 0.0
    unreadable: int = 0


def readings(steps: Sequence[Step]) -> list[Reading]:
    """One reading for each step."""
    return [_reading(step) for step in steps]


def _reading(step: Step) -> Reading:
    trained, validated, judged = (step.get(part) or {} for part in (TRAINING, VALIDATION, JUDGE))
    return Reading(
        step=step["step"],
        since=step["since"],
        reward=trained.get("reward"),
        graded=trained.get("graded", 0),
        spread=trained.get("spread"),
        length=trained.get("length"),
        validation=validated.get("reward"),
        validated=validated.get("graded", 0),
        judge_usd=judged.get("usd", 0.0),
        unreadable=sum(trained.get(OUTCOMES, {}).get(name, 0) for name in _UNREADABLE),
    )


def mean(found: Sequence[Reading], what: str) -> float | None:
    """The mean of `reward`, `spread` or `length`, weighted by training responses; of `validation`, by validation responses."""
    weigh = "validated" if what == "validation" else "graded"
    counted = [(getattr(one, what), getattr(one, weigh)) for one in found if getattr(one, what) is not None]
    weights = sum(weight for _, weight in counted)
    return sum(value * weight for value, weight in counted) / weights if weights else None


def unreadable_share(found: Sequence[Reading]) -> float | None:
    """The share of training responses, 0 to 1, whose answer could not be read; None when none was graded."""
    graded = sum(one.graded for one in found)
    return sum(one.unreadable for one in found) / graded if graded else None
