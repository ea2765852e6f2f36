"""When a run's guard rails act on a job that runs. Read by the stacks and by the functions."""

from __future__ import annotations

import attrs

from contracts.validation import number, one_of, whole

STOP, ASK, TELL, OFF = "stop", "ask", "tell", "off"
"""What a guard rail does: stops the job, asks a person while it runs on, tells people once, nothing."""


def _action(default: str) -> str:
    return attrs.field(default=default, validator=one_of(STOP, ASK, TELL, OFF))


@attrs.frozen(kw_only=True)
class GuardRailSettings:
    """Limits a job is held to while it trains, and what happens beyond each.

    A stopped job leaves no model (user guide, model-customization-stop), and what was processed is paid for: so only a collapse
    and the hard limits stop by themselves. Time (`training.max_hours`) and the cap (`training.caps.usd`) always do.

    Attributes:
        warm_up_steps: training steps before any rail looks at the reward.
        window_steps: steps a mean is taken over.
        floor: the mean of the window is below `reward_floor`.
        reward_floor: mean score, 0 to 1.
        falling: the mean fell below `falling_share` of the best mean of an earlier window: on its way to a collapse.
        falling_share: 0 to 1; `collapse_share` or more.
        collapse: the mean fell below `collapse_share` of the best mean of an earlier window.
        collapse_share: 0 to 1.
        plateau: the mean stayed below `plateau_below` and moved by less than `plateau_gain` over `plateau_steps`. A plateau above it
            is no fault: the model has learnt what there was.
        plateau_below, plateau_gain: scores, 0 to 1.
        plateau_steps: steps between the two windows compared.
        no_signal: responses to the same prompt scored alike: mean spread in the window below `spread_floor`, with a mean reward
            below `solved_above`. Above it the task is solved.
        spread_floor: mean standard deviation within a group.
        solved_above: mean score.
        exploitation: training reward held or rose while validation reward fell by `validation_drop` from its best, or while
            responses grew to `length_growth` times their length after the warm-up.
        validation_drop: score, 0 to 1.
        length_growth: a factor.
        outcome_shift: the share of answers the grader could not read rose by `shift` since the warm-up: the model learnt another form,
            or the grader lost the old one.
        shift: a share, 0 to 1.
        overspend: what was spent so far, by the environment's prices, exceeds `overspend_factor` times the estimate.
        overspend_factor: a factor.
        ask_minutes: how long a person has to answer; without an answer the job is stopped.
    """

    warm_up_steps: int = attrs.field(default=10, validator=whole(1, 10_000))
    window_steps: int = attrs.field(default=5, validator=whole(1, 1000))
    floor: str = _action(TELL)
    reward_floor: float = attrs.field(default=0.05, validator=number(0, 1))
    falling: str = _action(TELL)
    falling_share: float = attrs.field(default=0.75, validator=number(0, 1))
    collapse: str = _action(STOP)
    collapse_share: float = attrs.field(default=0.5, validator=number(0, 1))
    plateau: str = _action(ASK)
    plateau_below: float = attrs.field(default=0.15, validator=number(0, 1))
    plateau_gain: float = attrs.field(default=0.01, validator=number(0, 1))
    plateau_steps: int = attrs.field(default=30, validator=whole(1, 10_000))
    no_signal: str = _action(ASK)
    spread_floor: float = attrs.field(default=0.01, validator=number(0, 0.5))
    solved_above: float = attrs.field(default=0.95, validator=number(0, 1))
    exploitation: str = _action(ASK)
    validation_drop: float = attrs.field(default=0.1, validator=number(0.01, 1))
    length_growth: float = attrs.field(default=2.5, validator=number(1.1, 100))
    outcome_shift: str = _action(TELL)
    shift: float = attrs.field(default=0.3, validator=number(0.05, 1))
    overspend: str = _action(ASK)
    overspend_factor: float = attrs.field(default=1.5, validator=number(1, 100))
    ask_minutes: int = attrs.field(default=60, validator=whole(5, 1440))
