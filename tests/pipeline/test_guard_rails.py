"""Guard rails on readings made by hand: each is reached for its own reason, and for no other."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from contracts.guard_settings import ASK, OFF, STOP, TELL, GuardRailSettings
from contracts.metrics import METRIC_OF_RAIL
from contracts.run import Plan
from contracts.settings import Prices
from pipeline import guard_rails, signals, spend
from pipeline.guard_rails import Hours, Spend
from pipeline.guard_record import GuardRecord
from pipeline.signals import Reading

SETTINGS = GuardRailSettings(warm_up_steps=5, window_steps=5, plateau_steps=20, falling=OFF)
FALLING = attrs.evolve(SETTINGS, falling=TELL)
CHEAP, EARLY = Spend(so_far=1.0, estimated=10.0, cap=100.0), Hours(so_far=1.0, allowed=24.0)
NO = {"approved": False, "by": "someone"}


def course(rewards: list[float], **columns: list[Any]) -> list[Reading]:
    """One reading a step, of 128 responses."""
    base = [Reading(step=n, reward=reward, graded=128, spread=0.3, length=400.0) for n, reward in enumerate(rewards, 1)]
    for name, values in columns.items():
        base = [attrs.evolve(one, **{name: value}) for one, value in zip(base, values, strict=True)]
    return base


def rails(readings: list[Reading], settings: GuardRailSettings = SETTINGS, spend: Spend = CHEAP, hours: Hours = EARLY) -> dict[str, str]:
    return {one.rail: one.action for one in guard_rails.findings(readings, settings, spend=spend, hours=hours)}


def rising(steps: int = 45, first: float = 0.3, last: float = 0.9) -> list[float]:
    return [first + (last - first) * n / (steps - 1) for n in range(steps)]


def test_a_job_that_learns_reaches_no_rail() -> None:
    assert rails(course(rising())) == {}


def test_a_job_that_just_began_reaches_no_rail() -> None:
    assert rails([]) == {}
    assert rails(course([0.0] * 5, spread=[0.0] * 5)) == {}


def test_a_reward_that_falls_below_half_of_its_best_is_a_collapse() -> None:
    found = guard_rails.findings(course([*rising(30), *[0.1] * 8]), SETTINGS, spend=CHEAP, hours=EARLY)
    assert [(one.rail, one.action) for one in found] == [("collapse", STOP)]
    assert "0.100" in found[0].reason


def test_steps_quicker_than_the_metrics_period_are_looked_at_together() -> None:
    readings = [
        Reading(since=0, step=14, reward=0.5, graded=1792, spread=0.3),
        Reading(since=14, step=20, reward=0.6, graded=768, spread=0.3),
        Reading(since=20, step=30, reward=0.1, graded=1280, spread=0.3),
    ]
    assert rails(readings) == {"collapse": STOP}


def test_a_dip_inside_the_share_is_no_collapse() -> None:
    assert rails(course([*rising(30), *[0.5] * 8])) == {}


def test_a_collapse_before_the_warm_up_is_no_collapse() -> None:
    assert rails(course([0.9, 0.9, 0.9, 0.9, *rising(30, 0.2, 0.4)])) == {}


def test_a_reward_is_told_of_while_it_falls_and_stopped_when_it_collapsed() -> None:
    assert rails(course([*rising(30), *[0.6] * 8]), FALLING) == {"falling": TELL}
    assert rails(course([*rising(30), *[0.7] * 8]), FALLING) == {}
    assert list(rails(course([*rising(30), *[0.2] * 8]), FALLING).items()) == [("collapse", STOP), ("falling", TELL)]


def test_a_reward_below_its_floor_counts_from_a_whole_window_after_the_warm_up() -> None:
    assert rails(course([0.0] * 9)) == {}
    assert rails(course([0.04] * 10)) == {"floor": TELL}
    assert rails(course([0.05] * 10)) == {}
    assert rails(course([*[0.0] * 5, *rising(10, 0.2, 0.3)])) == {}


def test_answers_that_cannot_be_read_any_more_are_a_shift_of_outcomes() -> None:
    found = guard_rails.findings(course(rising(), unreadable=[13] * 35 + [64] * 10), SETTINGS, spend=CHEAP, hours=EARLY)
    assert [(one.rail, one.action) for one in found] == [("outcome_shift", TELL)]
    assert "50% of the answers" in found[0].reason and "10%" in found[0].reason
    assert rails(course(rising(), unreadable=[64] * 35 + [13] * 10)) == {}
    assert rails(course(rising(), unreadable=[64] * 45)) == {}


def test_an_alarm_stands_until_a_person_says_yes_and_again_for_what_was_only_told() -> None:
    found = guard_rails.findings(course([0.01] * 45), SETTINGS, spend=CHEAP, hours=EARLY)
    assert guard_rails.standing(found, ()) == ["plateau", "floor"]
    assert guard_rails.standing(found, ("plateau", "floor")) == ["floor"]
    stopped = guard_rails.findings([], SETTINGS, spend=Spend(so_far=200.0, estimated=190.0, cap=100.0), hours=EARLY)
    assert guard_rails.standing(stopped, ()) == [], "the hard limits have alarms of their own"


def test_a_low_reward_that_does_not_rise_is_a_plateau() -> None:
    assert rails(course([0.05] * 45)) == {"plateau": ASK}


def test_a_high_reward_that_does_not_rise_is_none() -> None:
    assert rails(course([0.8] * 45)) == {}


def test_a_low_reward_that_rises_slowly_is_none() -> None:
    assert rails(course(rising(45, 0.02, 0.1))) == {}


def test_groups_without_spread_are_no_signal() -> None:
    assert rails(course([0.5] * 20, spread=[0.0] * 20)) == {"no_signal": ASK}


def test_a_solved_task_has_no_spread_and_that_is_no_fault() -> None:
    assert rails(course([0.99] * 20, spread=[0.0] * 20)) == {}


def test_length_that_grows_with_the_reward_is_exploitation() -> None:
    assert rails(course(rising(), length=[400.0 + 40 * n for n in range(45)])) == {"exploitation": ASK}


def test_length_that_grows_while_the_reward_falls_is_another_matter() -> None:
    assert "exploitation" not in rails(course(rising(45, 0.9, 0.6), length=[400.0 + 40 * n for n in range(45)]))


def test_validation_that_falls_while_training_rises_is_exploitation() -> None:
    validation = [None if n % 10 else 0.6 - 0.005 * n for n in range(45)]
    assert rails(course(rising(), validation=validation, validated=[60] * 45)) == {"exploitation": ASK}


def test_spending_more_than_the_factor_is_asked_about_and_more_than_the_cap_stops() -> None:
    assert rails(course(rising()), spend=Spend(so_far=15.1, estimated=10.0, cap=100.0)) == {"overspend": ASK}
    assert rails(course(rising()), spend=Spend(so_far=100.1, estimated=90.0, cap=100.0)) == {"cap": STOP}


def test_time_stops() -> None:
    assert rails([], hours=Hours(so_far=24.1, allowed=24.0)) == {"time": STOP}


@pytest.mark.parametrize("action", [STOP, ASK, TELL])
def test_a_rail_does_what_the_settings_say(action: str) -> None:
    assert rails(course([0.05] * 45), attrs.evolve(SETTINGS, plateau=action)) == {"plateau": action}


def test_a_rail_that_is_off_is_silent_and_the_hard_limits_cannot_be() -> None:
    silenced: dict[str, Any] = dict.fromkeys(METRIC_OF_RAIL, OFF)
    off = attrs.evolve(FALLING, **silenced)
    collapsed = course([*rising(30), *[0.0] * 8], spread=[0.0] * 38)
    assert rails(collapsed, off, spend=Spend(so_far=101, estimated=1, cap=100), hours=Hours(so_far=25, allowed=24)) == {
        "time": STOP,
        "cap": STOP,
    }


def test_what_stops_comes_before_what_asks_and_what_was_cleared_is_silent() -> None:
    readings = course([*rising(30), *[0.1] * 8], spread=[0.3] * 30 + [0.0] * 8)
    found = guard_rails.findings(readings, SETTINGS, spend=CHEAP, hours=EARLY)
    assert [one.action for one in found] == [STOP, ASK]
    pressing = guard_rails.pressing(found, ["collapse", "no_signal"])
    assert pressing is not None and pressing.rail == "collapse", "a rail that stops cannot be cleared"
    assert guard_rails.pressing(found[1:], ["no_signal"]) is None


def test_a_long_job_is_looked_at_quickly_enough_to_matter_in_a_function() -> None:
    # 60,000 steps is more than Bedrock's limits allow; a quadratic look would take minutes.
    assert rails(course([0.5] * 60_000)) == {}


def test_only_a_yes_lets_the_job_go_on() -> None:
    asked = GuardRecord(asked={"rail": "plateau", "reason": "the reward does not rise"})
    assert asked.answered({"continue": {"approved": True, "by": "someone", "principal": {"arn": "arn:someone"}}}) == GuardRecord(
        cleared=("plateau",)
    )
    for approvals in (
        None,
        {},
        {"continue": None},
        {"continue": NO},
        {"continue": {"approved": "true"}},
        {"continue": {"approved": True, "by": "unproven"}},
        {"spend": {"approved": True}},
    ):
        assert asked.answered(approvals).stopped.startswith("the reward does not rise; "), approvals
    assert GuardRecord().answered({"continue": NO}) == GuardRecord()


def test_the_record_survives_the_state_machine() -> None:
    record = GuardRecord(cleared=("plateau",), asked={"rail": "no_signal", "reason": "x"}, stopped="")
    assert GuardRecord.read(record.plain()) == record
    assert GuardRecord.read(None) == GuardRecord() == GuardRecord.read({})


def test_a_step_of_the_trend_is_a_reading() -> None:
    step = {
        "step": 4,
        "since": 2,
        "training": {
            "graded": 256,
            "reward": 0.3,
            "spread": 0.2,
            "length": 400.0,
            "outcomes": {"correct": 70, "no_marker": 30, "unparsable": 34},
        },
        "validation": {"graded": 40, "reward": 0.8},
        "judge": {"usd": 0.5},
    }
    (one,) = signals.readings([step])
    assert one == Reading(
        step=4, since=2, reward=0.3, graded=256, spread=0.2, length=400.0, validation=0.8, validated=40, judge_usd=0.5, unreadable=64
    )
    assert signals.unreadable_share([one]) == 0.25
    assert signals.unreadable_share([Reading(step=1)]) is None


def test_a_step_nothing_was_graded_of_is_a_reading_of_nothing() -> None:
    assert signals.readings([{"step": 9, "since": 8, "output": {"training": {"loss": 1.0}}}]) == [Reading(step=9)]


def test_the_spend_counts_prompts_responses_and_the_judge(a_plan: Plan) -> None:
    # 2,400 responses planned at 1,200,000 tokens: 500 each, of which 384 are the response at half of 768.
    assert spend.prompt_tokens(a_plan) == pytest.approx(116)
    readings = [Reading(step=1, reward=0.5, graded=1000, length=400.0, judge_usd=0.25), Reading(step=2, validated=100)]
    tokens = 1000 * (116 + 100) + 100 * (116 + 384)
    assert spend.so_far(a_plan, readings, Prices(training_usd_per_million_tokens=10.0)) == pytest.approx(tokens * 10 / 1e6 + 0.25)
