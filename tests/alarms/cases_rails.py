"""Alarms on guard rails, fed by looks of TrackTraining at jobs whose graded steps are written out here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import attrs
from contracts import names
from contracts.run import Plan
from contracts.trends import OUTCOMES, TRAINING
from contracts.validation import plain
from pipeline import jobs
from pipeline.trend import Step

from tests.alarms.case import Case, for_long, in_turn
from tests.alarms.cases_pipeline import a_plan, judged
from tests.alarms.scene import Play, Scene

Column = Sequence[float]
_LENGTH, _UNREAD, _HIGH = 400.0, 0.1, 0.8
_USUAL = {"spread": 0.3, "length": _LENGTH, "unread": _UNREAD}


def _steps(scene: Scene, rewards: Column, **columns: Column) -> None:
    """A look at a job that made one step a minute, with these mean rewards, and of each further column one value a step."""
    h = scene.deployed.settings.training.hyperparameters
    graded = h.batch_size * h.training_sample_per_prompt
    count = len(rewards)
    started = datetime.now(UTC) - timedelta(minutes=count + 1)
    spread, length, unread = (columns.get(name, [usual] * count) for name, usual in _USUAL.items())
    steps = [
        {
            "step": place + 1,
            "since": place,
            "began": (started + timedelta(minutes=place)).isoformat(),
            "at": (started + timedelta(minutes=place)).isoformat(),
            TRAINING: {
                "graded": graded,
                "groups": h.batch_size,
                "reward": reward,
                "spread": spread[place],
                "length": length[place],
                OUTCOMES: {"no_marker": round(unread[place] * graded)},
            },
        }
        for place, reward in enumerate(rewards)
    ]
    # What the steps cost is no matter here.
    plan = attrs.evolve(a_plan(scene), estimate=attrs.evolve(a_plan(scene).estimate, usd=scene.deployed.settings.training.caps.usd))
    _look(scene, plan, started, steps)


def _look(scene: Scene, plan: Plan, started: datetime, steps: Sequence[Step]) -> None:
    """TrackTraining looks at the job the plan asks for, whose steps so far are in its record."""
    scene.recorded(steps)
    variables = scene.deployed.variables("pipeline.track_training.handler")
    security = jobs.Security(
        role_arn=variables[names.ENV_JOB_ROLE],
        key_arn=variables[names.ENV_MODEL_KEY],
        subnets=tuple(variables[names.ENV_SUBNETS].split(",")),
        security_groups=tuple(variables[names.ENV_SECURITY_GROUPS].split(",")),
    )
    scene.services.job = {
        **jobs.request(plan, security),
        "jobArn": "arn:aws:bedrock:job/1",
        "baseModelArn": f"arn:aws:bedrock:foundation-model/{plan.base_model}",
        "status": "InProgress",
        "creationTime": started,
    }
    scene.step("track_training", {"job_arn": "arn:aws:bedrock:job/1", "plan": plain(plan)})


def _early(scene: Scene) -> int:
    """Steps of a job that is a whole window past its warm-up."""
    rails = scene.deployed.settings.guard_rails
    return rails.warm_up_steps + rails.window_steps


def _at(reward: float, steps: int) -> list[float]:
    return [reward] * steps


def _below_floor(share: float, missing: int = 0) -> Play:
    return lambda scene: _steps(scene, _at(share * scene.deployed.settings.guard_rails.reward_floor, _early(scene) - missing))


def _fell_to(rail_share: str, share: float) -> Play:
    """From a high mean to a share of what the rail lets pass."""

    def play(scene: Scene) -> None:
        rails = scene.deployed.settings.guard_rails
        fallen = share * getattr(rails, rail_share) * _HIGH
        _steps(scene, [*_at(_HIGH, 2 * _early(scene)), *_at(fallen, rails.window_steps)])

    return play


def _flat(above: float = 0.0, climb: float = 0.0) -> Play:
    def play(scene: Scene) -> None:
        rails = scene.deployed.settings.guard_rails
        count = _early(scene) + rails.plateau_steps
        level = rails.plateau_below + above - 0.03
        _steps(scene, [level + climb * rails.plateau_gain * n / rails.plateau_steps for n in range(count)])

    return play


def _alike(spread: float, reward: float = 0.5) -> Play:
    """With a share of the least spread a group must have."""

    def play(scene: Scene) -> None:
        least = scene.deployed.settings.guard_rails.spread_floor
        _steps(scene, _at(reward, _early(scene)), spread=_at(spread * least, _early(scene)))

    return play


def _longer(share: float) -> Play:
    """The reward climbs and the responses grow to a share of what the rail lets pass."""

    def play(scene: Scene) -> None:
        rails, early = scene.deployed.settings.guard_rails, _early(scene)
        lengths = [*_at(_LENGTH, early), *_at(share * rails.length_growth * _LENGTH, rails.window_steps)]
        _steps(scene, [0.3 + 0.01 * n for n in range(len(lengths))], length=lengths)

    return play


def _unread(share: float) -> Play:
    """Answers that cannot be read rise by a share of what the rail lets pass."""

    def play(scene: Scene) -> None:
        rails, early = scene.deployed.settings.guard_rails, _early(scene)
        risen = _UNREAD + share * rails.shift
        _steps(scene, _at(0.5, early + rails.window_steps), unread=[*_at(_UNREAD, early), *_at(risen, rails.window_steps)])

    return play


def _dear(share: float) -> Play:
    """The judge alone has taken a share of what the rail lets pass."""

    def play(scene: Scene) -> None:
        usd = share * scene.deployed.settings.guard_rails.overspend_factor * a_plan(scene).estimate.usd
        started = datetime.now(UTC) - timedelta(minutes=1)
        _look(scene, a_plan(scene), started, [judged(started, usd)])

    return play


def _rail(fires: Play, *misses: Play, fired_by: str, missed_by: str) -> Case:
    """A look at which the rail is reached, and looks at which it is not."""
    return Case(
        fires=fires,
        misses=in_turn(*(for_long(each) for each in misses)),
        recovers=lambda scene: scene.each_period(scene.periods + 4, misses[0]),
        fired_by=f"a look at a job {fired_by}",
        missed_by=f"looks at one {missed_by}",
        recovered_by="looks at which the rail is not reached",
    )


CASES: dict[str, Case] = {
    "RewardBelowFloor": _rail(
        _below_floor(0.98),
        _below_floor(1.02),
        _below_floor(0.0, missing=1),
        fired_by="whose mean reward after the warm-up is below the floor",
        missed_by="a little above it, and at one that is not yet a window past its warm-up",
    ),
    "RewardFalling": _rail(
        _fell_to("falling_share", 0.98),
        _fell_to("falling_share", 1.02),
        fired_by="whose mean reward fell below `falling_share` of its best",
        missed_by="that fell a little less",
    ),
    "RewardCollapsed": _rail(
        _fell_to("collapse_share", 0.98),
        _fell_to("collapse_share", 1.02),
        fired_by="whose mean reward fell below `collapse_share` of its best",
        missed_by="that fell a little less, and is only falling",
    ),
    "Plateau": _rail(
        _flat(),
        _flat(above=0.04),
        _flat(climb=1.2),
        fired_by="whose mean reward is low and does not move",
        missed_by="whose mean is above the limit, and at one that climbs slowly",
    ),
    "NoSpread": _rail(
        _alike(0.98),
        _alike(1.02),
        _alike(0.0, reward=0.96),
        fired_by="whose responses to the same prompt score alike",
        missed_by="with a little more spread, and at one that has solved its task",
    ),
    "RewardExploited": _rail(
        _longer(1.02),
        _longer(0.98),
        fired_by="whose responses grow with its reward",
        missed_by="whose responses grow a little less",
    ),
    "OutcomeShift": _rail(
        _unread(1.1),
        _unread(0.9),
        fired_by="whose answers can no longer be read as they could after the warm-up",
        missed_by="of which a few less cannot be read",
    ),
    "SpendOverEstimate": _rail(
        _dear(1.02),
        _dear(0.98),
        fired_by="that has taken more than `overspend_factor` times its estimate",
        missed_by="that has taken a little less",
    ),
}
