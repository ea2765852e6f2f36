"""Every state of the synthesised definition has its cases, and the committed tables are those of the current cases."""

from __future__ import annotations

import pytest

from tests.faults import table
from tests.faults.cases import (
    ENDS,
    FUNCTION_OF_STATE,
    IN_TURN,
    KILLED_AT,
    LASTING,
    SERVICE_STATES,
    SLICE,
    WITHOUT_CALLS,
    Fault,
    cases,
    kebab,
)
from tests.faults.leading import WAYS
from tests.stacks.test_run_definition import STATES


def tasks() -> dict[str, str]:
    """The resource of every Task state, those inside a Map included."""
    inside = {name: state for each in STATES.values() if each["Type"] == "Map" for name, state in each["ItemProcessor"]["States"].items()}
    return {name: str(state["Resource"]) for name, state in {**STATES, **inside}.items() if state["Type"] == "Task"}


def test_every_task_of_the_state_machine_has_its_cases() -> None:
    assert set(ENDS) == set(tasks())
    runs = {case.run for case in cases()}
    assert {f"{fault.name.lower()}-{kebab(state)}" for state in tasks() for fault in LASTING} <= runs


def test_every_task_that_invokes_a_function_is_killed_or_has_no_call_to_be_killed_at() -> None:
    invoking = {name for name, resource in tasks().items() if ":lambda:invoke" in resource}
    assert set(FUNCTION_OF_STATE) == invoking
    assert set(KILLED_AT) == invoking - set(WITHOUT_CALLS)
    assert set(SERVICE_STATES) == set(tasks()) - invoking


def test_the_faults_that_come_in_turn_strike_every_task() -> None:
    assert set(IN_TURN) == set(tasks())
    assert {state for state, fault in IN_TURN.items() if fault is Fault.KILLED} <= set(KILLED_AT)
    assert set(IN_TURN.values()) == {Fault.FAILING, Fault.LOST, Fault.KILLED}


def test_what_every_change_is_tried_on_are_cases() -> None:
    assert set(SLICE) <= {case.run for case in cases()}


def test_every_case_is_a_run_of_its_own_that_somebody_leads() -> None:
    listed = [case.run for case in cases()]
    assert len(listed) == len(set(listed))
    # A fault's run is looked for as text: none may end like another.
    assert not [(one, other) for one in listed for other in listed if one != other and one.endswith(other)]
    assert {case.way for case in cases()} <= set(WAYS)


@pytest.mark.parametrize("case", cases(), ids=[case.run for case in cases()])
def test_the_committed_result_is_of_this_case_and_as_it_wants(case) -> None:
    found = table.committed()[case.run]
    assert found["case"] == table.digest(case), "the case has changed since: make faults"
    assert (found["outcome"], found["left"], found["gaps"]) == (case.outcome, [], [])


def test_the_page_is_drawn_from_the_committed_results() -> None:
    found = table.committed()
    assert set(found) == {case.run for case in cases()}
    assert table.PART.read() == table.page(found), "python -m tests.faults.table"
