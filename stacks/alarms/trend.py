"""Alarms on what a job learns."""

from __future__ import annotations

from contracts.metrics import Metric

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import BELOW, AlarmRule
from stacks.constructs.metric import MINUTE

_QUIET = "Nothing is graded between jobs; a job that grades nothing is NoSamples."


def rules(watched: Watched) -> list[AlarmRule]:
    floors = watched.settings.alarms
    return [
        AlarmRule(
            construct_id="RewardBelowFloor",
            metric=watched.metric(Metric.REWARD, "Average", MINUTE),
            threshold=floors.reward_floor,
            comparison=BELOW,
            of=15,
            breaching=10,
            what=f"Mean training reward stayed below {floors.reward_floor:g} for 10 of 15 minutes.",
            first="see which outcome leads on the dashboard. No marker or unparsable points at the prompt, wrong at a task too hard; then "
            "stop the run.",
            quiet_because=_QUIET,
        ),
        AlarmRule(
            construct_id="NoSpread",
            metric=watched.metric(Metric.GROUP_SPREAD, "Average", MINUTE),
            threshold=floors.spread_floor,
            comparison=BELOW,
            of=15,
            breaching=10,
            what="Responses to the same prompt have scored alike for 10 of 15 minutes, so nothing is being learnt.",
            first="look at the mean reward. Near 1 the task is solved, near 0 it is out of reach or the reward constant: stop the run.",
            quiet_because=_QUIET,
        ),
    ]
