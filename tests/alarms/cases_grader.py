"""Alarms on the grader, fed by batches that the real reward function grades."""

from __future__ import annotations

from tests.alarms.case import Case, told
from tests.alarms.scene import RIGHT, UNMARKED, WRONG, Scene


def _bad_gold(scene: Scene) -> None:
    scene.grade([RIGHT] * 8, reference=None)
    scene.engine.advance(1)


def _answered_wrongly(scene: Scene) -> None:
    scene.grade([WRONG, UNMARKED] * 4)
    scene.engine.advance(1)


CASES: dict[str, Case] = {
    "GraderFaults": told(
        _bad_gold,
        _answered_wrongly,
        fired_by="a batch whose records lost their reference answers",
        missed_by="a batch of wrong and unmarked answers",
    ),
}
