"""Which step a run is in, read from the states it entered."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rft.history import Step, steps
from rft.phases import PHASE_OF_STATE, PHASES, Mark
from stacks.run_definition import FUNCTIONS, run_definition
from tests.cli.made_runs import HAPPY_PATH, at, entries


def marks(result: Sequence[Step]) -> dict[str, Mark]:
    return {step.phase.key: step.mark for step in result}


def test_every_state_of_the_state_machine_belongs_to_one_step() -> None:
    definition = run_definition(
        environment="dev",
        functions=dict.fromkeys(FUNCTIONS, "arn"),
        bus_name="b",
        notice={},
        poll_seconds=60,
        approval_seconds=60,
        ask_seconds=60,
        turn_seconds=60,
        training_seconds=60,
    )
    states = set(definition["States"])
    states |= {name for state in definition["States"].values() if state["Type"] == "Map" for name in state["ItemProcessor"]["States"]}
    assert states == set(PHASE_OF_STATE)
    assert sum(len(phase.states) for phase in PHASES) == len(PHASE_OF_STATE)


def test_given_a_released_run_then_all_is_done_and_unneeded_approvals_are_skipped() -> None:
    found = marks(steps(entries(), ended_at=at(43), failed_state=None))
    skipped = {key for key, mark in found.items() if mark is Mark.SKIPPED}
    assert skipped == {"approve-spend", "approve-release"}
    assert set(found.values()) == {Mark.DONE, Mark.SKIPPED}


def test_given_a_run_in_training_then_that_step_is_current_and_later_ones_pend() -> None:
    found = marks(steps(entries(HAPPY_PATH[:10]), ended_at=None, failed_state=None))
    assert found["train"] is Mark.CURRENT
    assert found["rehearse"] is Mark.DONE
    assert found["evaluate"] is found["announce"] is Mark.PENDING


def test_given_a_run_that_waits_for_a_person_then_the_step_says_so() -> None:
    path = (*HAPPY_PATH[:18], ("ApproveRelease", 41.0))
    found = marks(steps(entries(path), ended_at=None, failed_state=None))
    assert found["approve-release"] is Mark.WAITING
    assert found["gate"] is Mark.DONE


def test_given_a_refused_candidate_then_the_gate_failed_and_the_release_never_was() -> None:
    path = (*HAPPY_PATH[:17], ("CleanUp", 41.0), ("RecordLineage", 42.0))
    found = marks(steps(entries(path), ended_at=at(43), failed_state="CandidateBetter"))
    assert found["gate"] is Mark.FAILED
    assert found["release"] is Mark.SKIPPED
    assert found["clean-up"] is Mark.DONE


def test_a_step_that_is_entered_again_lasts_from_first_to_last() -> None:
    train = next(step for step in steps(entries(), ended_at=at(43), failed_state=None) if step.phase.key == "train")
    assert train.seconds(at(99)) == pytest.approx(27.3)


def test_given_nothing_entered_yet_then_everything_pends() -> None:
    assert set(marks(steps([], ended_at=None, failed_state=None)).values()) == {Mark.PENDING}
