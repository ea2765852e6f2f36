"""Alarms on the released model, fed by the state machine that looks at it."""

from __future__ import annotations

from tests.alarms.case import Case, for_long, in_turn, often, once_less, service
from tests.alarms.scene import Play, Scene
from tests.released.looking import Model


def _looks(model: Model) -> Play:
    return lambda scene: scene.look(model)


def _requests(*, above: bool) -> Play:
    """As many requests as a share is taken of, with just too many of them failed, or just not."""

    def play(scene: Scene) -> None:
        limits = scene.deployed.settings.alarms
        asked = max(limits.released_requests, 1000)
        failed = int(limits.released_error_share * asked) + (1 if above else 0)
        scene.look(Model(answered=asked - failed, failed=failed - failed // 2, throttled=failed // 2))

    return play


def _few(scene: Scene) -> None:
    """All fail, and are one too few to take a share of."""
    scene.look(Model(failed=scene.deployed.settings.alarms.released_requests - 1))


def _within(share: float) -> Play:
    return lambda scene: scene.look(Model(answered=40, latency=share * scene.deployed.settings.alarms.released_seconds * 1000))


WELL = Model(answered=100)

CASES: dict[str, Case] = {
    "ReleasedFailing": Case(
        fires=often(_requests(above=True)),
        misses=in_turn(once_less(_requests(above=True)), for_long(_requests(above=False)), for_long(_few)),
        recovers=for_long(_looks(WELL)),
        fired_by="two looks at which Bedrock failed or throttled one request more than `released_error_share` allows",
        missed_by="one such look; looks at exactly that share; looks at which all failed of fewer than `released_requests`",
        recovered_by="looks at which every request was answered",
    ),
    "ReleasedSlow": Case(
        fires=often(_within(1.01)),
        misses=in_turn(once_less(_within(1.01)), for_long(_within(1))),
        recovers=for_long(_looks(WELL)),
        fired_by="two looks at which five of a hundred answers took longer than `released_seconds`",
        missed_by="one such look, and looks at which they took as long as that",
        recovered_by="looks at which answers came in time",
    ),
    "ReleasedDown": Case(
        fires=often(_looks(Model(status=None))),
        misses=in_turn(once_less(_looks(Model(status=None))), for_long(_looks(WELL)), for_long(_looks(Model(released=None)))),
        recovers=_looks(WELL),
        fired_by="two looks that do not find the released model's deployment",
        missed_by="one such look, looks that find it, and looks while nothing is released",
        recovered_by="a look that finds it active",
    ),
    "ReleasedUnwatched": service(
        "AWS/States", "ExecutionsFailed", fires=1, misses=0, fired_by="two looks in a row fail", missed_by="looks that end"
    ),
}
