"""Alarms on the guard rails a job is held to: what it learns, and whether it costs what was estimated.

A rail is decided on in one place, `pipeline/guard_rails.py`, with the warm-up, the window and the limits of `[guard_rails]`; it sends its
metric at each look at which it is reached. So an alarm has no limit of its own, and a rail that is off has no alarm.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.guard_settings import ASK, OFF, STOP, GuardRailSettings
from contracts.metrics import METRIC_OF_RAIL
from contracts.runbooks import RUNBOOK_OF_RAIL

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import AlarmRule

_QUIET = (
    "TrackTraining sends a point at each look at which the rail is reached, and none otherwise: silence means it is not, or no job runs."
)

_TOLD = {
    ASK: "the rail asks a person, with the run and its figures.",
    STOP: "the rail stops the job, and the message at the run's end says why.",
}
_TELLS = "the rail tells of it once, with the run and its figures."


@dataclass(frozen=True, kw_only=True)
class _Rail:
    """One alarm: the rail's name in settings, the alarm's, and its two sentences."""

    rail: str
    alarm: str
    what: str
    first: str


def rules(watched: Watched) -> list[AlarmRule]:
    settings = watched.settings.guard_rails
    return [_rule(watched, rail, getattr(settings, rail.rail)) for rail in _rails(settings) if getattr(settings, rail.rail) != OFF]


def _rule(watched: Watched, rail: _Rail, action: str) -> AlarmRule:
    return AlarmRule(
        construct_id=rail.alarm,
        metric=watched.metric(METRIC_OF_RAIL[rail.rail], "Sum", watched.look),
        threshold=0,
        # Who is asked must answer; what is only told can wait, and what stops the job has ended the cost.
        needs_person=action == ASK,
        told=_TOLD.get(action, _TELLS),
        page=RUNBOOK_OF_RAIL[rail.rail],
        what=rail.what,
        first=rail.first,
        quiet_because=_QUIET,
    )


def _rails(settings: GuardRailSettings) -> list[_Rail]:
    steps = f"over the last {settings.window_steps} steps"
    answer = "answer the question with `rft run approve` or `rft run reject`."
    return [
        _Rail(
            rail="floor",
            alarm="RewardBelowFloor",
            what=f"After its warm-up a job's mean reward {steps} is below {settings.reward_floor:g}.",
            first="see which outcome leads on the dashboard. No marker or unparsable points at the prompt, wrong at a task too hard.",
        ),
        _Rail(
            rail="falling",
            alarm="RewardFalling",
            what=f"A job's mean reward {steps} fell below {settings.falling_share:.0%} of its best.",
            first="look at validation reward and response length in `rft report`; a job that goes on falling is stopped as collapsed.",
        ),
        _Rail(
            rail="collapse",
            alarm="RewardCollapsed",
            what=f"A job's mean reward {steps} fell below {settings.collapse_share:.0%} of its best.",
            first="read with `rft run show` what became of the job; train again with a lower learning rate.",
        ),
        _Rail(
            rail="plateau",
            alarm="Plateau",
            what=f"A job's mean reward is below {settings.plateau_below:g} and has not moved in {settings.plateau_steps} steps.",
            first=answer,
        ),
        _Rail(
            rail="no_signal",
            alarm="NoSpread",
            what=f"Responses to the same prompt scored alike {steps} of a job, so nothing is being learnt.",
            first=answer,
        ),
        _Rail(
            rail="exploitation",
            alarm="RewardExploited",
            what="A job's training reward holds or rises while its validation reward falls, or while its responses grow longer.",
            first=f"read a few responses, then {answer}",
        ),
        _Rail(
            rail="outcome_shift",
            alarm="OutcomeShift",
            what=f"The share of answers that cannot be read rose by {settings.shift:.0%} or more since a job's warm-up.",
            first="see the outcomes on the dashboard: the model learnt another form of answer, or the grader or its judge has a fault.",
        ),
        _Rail(
            rail="overspend",
            alarm="SpendOverEstimate",
            what=f"A job has taken more than {settings.overspend_factor:g} times what its run was estimated at.",
            first=answer,
        ),
    ]
