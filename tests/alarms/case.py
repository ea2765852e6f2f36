"""How an alarm is seen to fire and to recover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.alarms.scene import Play, Scene


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is played for one alarm. Plays feed data and move the clock; the states in between are asserted by the test.

    Attributes:
        fires: what must raise it.
        misses: what comes closest to it and must not.
        recovers: what must clear it.
        fired_by, missed_by, recovered_by: the same in words, for people.
        left_alone: whether it clears as well when nothing more comes.
    """

    fires: Play
    misses: Play
    recovers: Play
    fired_by: str
    missed_by: str
    recovered_by: str
    left_alone: bool = True


Value = float | Callable[[Scene], float]
"""A number, or what makes one of the environment's settings."""

QUIET = "nothing more coming"


def quiet(scene: Scene) -> None:
    """Nothing comes for as long as the alarm looks back, and a little longer."""
    scene.quiet(scene.periods + 4)


def often(play: Play) -> Play:
    """In as many periods as the alarm needs."""
    return lambda scene: scene.each_period(scene.breaching, play)


def once_less(play: Play) -> Play:
    """In one period less than the alarm needs."""
    return lambda scene: scene.each_period(scene.breaching - 1, play)


def for_long(play: Play) -> Play:
    """In as many periods as the alarm looks at."""
    return lambda scene: scene.each_period(scene.periods, play)


def in_turn(*plays: Play) -> Play:
    """One after the other."""

    def play(scene: Scene) -> None:
        for each in plays:
            each(scene)

    return play


def service(namespace: str, metric: str, *, fires: Value, misses: Value, fired_by: str, missed_by: str) -> Case:
    """An alarm on a value that a service of AWS publishes.

    Args:
        fires: the value that must raise it.
        misses: the one nearest to it that must not.
    """
    return Case(
        fires=often(lambda scene: scene.publish(namespace, metric, _number(fires, scene))),
        misses=for_long(lambda scene: scene.publish(namespace, metric, _number(misses, scene))),
        recovers=quiet,
        fired_by=f"{fired_by} ({namespace} {metric})",
        missed_by=missed_by,
        recovered_by=QUIET,
    )


def _number(value: Value, scene: Scene) -> float:
    return value(scene) if callable(value) else value


def told(fires: Play, misses: Play, *, fired_by: str, missed_by: str) -> Case:
    """An alarm on something that happens once, and is over when it does not happen again."""
    return Case(fires=fires, misses=misses, recovers=quiet, fired_by=fired_by, missed_by=missed_by, recovered_by=QUIET)
