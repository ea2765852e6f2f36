"""Alarms on the reward's trend and the grader, fed by batches that the real reward function grades."""

from __future__ import annotations

import math

from tests.alarms.case import Case, for_long, in_turn, often, once_less, told
from tests.alarms.scene import GROUP, RIGHT, UNMARKED, WRONG, Scene

_BATCH = 20


def _worthless(scene: Scene) -> None:
    scene.grade([UNMARKED] * _BATCH)


def _just_worth_it(scene: Scene) -> None:
    """One right answer among as many as keep the mean at the floor."""
    scene.grade([RIGHT] + [WRONG] * (_most(1, scene.deployed.settings.alarms.reward_floor) - 1))


def _mixed(scene: Scene) -> None:
    scene.grade([RIGHT, WRONG] * (_BATCH // 2))


def _alike(scene: Scene) -> None:
    scene.grade([RIGHT] * _BATCH)


def _barely_apart(scene: Scene) -> None:
    """One group with a spread among as many as keep the mean at the floor: one right answer spreads by sqrt(GROUP - 1) / GROUP."""
    groups = _most(math.sqrt(GROUP - 1) / GROUP, scene.deployed.settings.alarms.spread_floor)
    scene.grade([RIGHT] + [WRONG] * (GROUP - 1) + [WRONG] * GROUP * (groups - 1))


def _most(value: float, floor: float) -> int:
    """Over how many a value can be spread before the mean falls below the floor."""
    return max(count for count in range(1, 500) if value / count >= floor)


def _bad_gold(scene: Scene) -> None:
    scene.grade([RIGHT] * 8, reference=None)
    scene.engine.advance(1)


def _answered_wrongly(scene: Scene) -> None:
    scene.grade([WRONG, UNMARKED] * 4)
    scene.engine.advance(1)


CASES: dict[str, Case] = {
    "RewardBelowFloor": Case(
        fires=often(_worthless),
        misses=in_turn(once_less(_worthless), for_long(_just_worth_it)),
        recovers=for_long(_mixed),
        fired_by="ten minutes of batches in which no answer has the marker",
        missed_by="nine of them, then batches whose mean is the floor itself",
        recovered_by="batches of which half is right",
    ),
    "NoSpread": Case(
        fires=often(_alike),
        misses=in_turn(once_less(_alike), for_long(_barely_apart)),
        recovers=for_long(_mixed),
        fired_by="ten minutes of batches in which all answers to a prompt score alike",
        missed_by="nine of them, then batches whose mean spread is the floor itself",
        recovered_by="batches of which half is right",
    ),
    "GraderFaults": told(
        _bad_gold,
        _answered_wrongly,
        fired_by="a batch whose records lost their reference answers",
        missed_by="a batch of wrong and unmarked answers",
    ),
}
