"""The state machine's shape: every state reachable, bounded, caught, and every ending cleaned up and recorded."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from contracts.events import Outcome
from jsonata import Jsonata
from jsonata.utils import Utils
from pipeline import cut_short

from stacks import run_notice
from stacks.run_definition import FUNCTIONS, run_definition

DEFINITION = run_definition(
    environment="dev",
    functions={name: f"arn:aws:lambda:us-east-1:111122223333:function:{name}" for name in FUNCTIONS},
    bus_name="rft-dev",
    notice=run_notice.arguments("dev", "arn:aws:sns:us-east-1:111122223333:topic", chat_runbooks=""),
    poll_seconds=60,
    approval_seconds=3600,
    ask_seconds=600,
    turn_seconds=7200,
    training_seconds=86400,
)
STATES: dict[str, dict[str, Any]] = DEFINITION["States"]
TAIL = ("CleanUp", "RecordLineage", "Notify", "AnnounceEnd", "Ended")


def evaluated(expression: str, **variables: Any) -> Any:
    """What an expression of the definition gives with these variables."""
    told = Jsonata(expression.removeprefix("{%").removesuffix("%}"))
    for name, value in variables.items():
        told.assign(name, Utils.NULL_VALUE if value is None else value)
    return told.evaluate(None)


def following(state: dict[str, Any]) -> Iterator[str]:
    for key in ("Next", "Default"):
        if key in state:
            yield state[key]
    for branch in [*state.get("Catch", []), *state.get("Choices", [])]:
        yield branch["Next"]


def test_every_state_exists_and_can_be_reached() -> None:
    reached, open_ends = set(), ["Begin"]
    while open_ends:
        name = open_ends.pop()
        if name not in reached:
            reached.add(name)
            open_ends += following(STATES[name])
    assert reached == set(STATES)


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state["Type"] == "Task"])
def test_every_task_has_a_timeout_a_retry_and_a_catch_for_everything(name: str) -> None:
    state = STATES[name]
    assert state["TimeoutSeconds"] > 0
    assert state["Retry"][0]["MaxAttempts"] >= 1
    assert any("States.ALL" in catch["ErrorEquals"] for catch in state["Catch"])


@pytest.mark.parametrize("name", [name for name in STATES if name not in TAIL])
def test_every_failure_before_the_tail_is_cleaned_up(name: str) -> None:
    allowed = {"CleanUp", "RehearseReward", "TrackTraining", "PollLater"}
    assert {catch["Next"] for catch in STATES[name].get("Catch", [])} <= allowed


def test_every_way_to_clean_up_says_how_the_run_ended() -> None:
    def assigned(state: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
        yield state.get("Next") or state.get("Default") or "", state.get("Assign")
        for branch in [*state.get("Catch", []), *state.get("Choices", [])]:
            yield branch["Next"], branch.get("Assign")

    for name, state in STATES.items():
        for target, assign in assigned(state):
            if target == "CleanUp":
                assert assign and assign["outcome"]["code"] in set(Outcome), name


def test_the_run_ends_only_after_clean_up_record_and_notice() -> None:
    for first, second in itertools.pairwise(TAIL):
        assert set(following(STATES[first])) == {second}
    assert set(following(STATES["Ended"])) == {"Released", "NotReleased"}


def test_no_money_is_spent_before_the_rehearsal_and_the_approval() -> None:
    ways_in = {name for name, state in STATES.items() if "StartTraining" in following(state)}
    assert ways_in == {"TurnGranted"}
    assert {name for name, state in STATES.items() if "ClaimTurn" in following(state)} == {
        "SpendNeedsApproval",
        "SpendApproved",
        "AwaitTurn",
    }
    assert {name for name, state in STATES.items() if "SpendNeedsApproval" in following(state)} == {"RewardTrusted"}


def test_the_definition_fits_the_services_limit_with_room_to_grow() -> None:
    assert len(json.dumps(DEFINITION)) < 500_000
    assert DEFINITION["TimeoutSeconds"] < 99_999_999


@pytest.mark.parametrize(
    ("status", "stopped", "leads_to"),
    [
        ("Completed", False, "DeployCandidate"),
        ("Completed", True, "CleanUp"),
        ("Stopped", True, "CleanUp"),
        ("Failed", True, "CleanUp"),
        ("Stopping", True, "AwaitJobChange"),
    ],
)
def test_a_stop_that_a_job_outran_ends_the_run_before_its_candidate_is_deployed(status: str, stopped: bool, leads_to: str) -> None:
    job = {"ended": status in ("Completed", "Stopped", "Failed"), "status": status, "ask": False, "model_arn": "arn:model", "reason": ""}
    by = {"by": "ana", "reason": "too slow"} if stopped else None
    state = STATES["JobEnded"]
    taken = next((rule for rule in state["Choices"] if evaluated(rule["Condition"], job=job, stoppedBy=by)), None)
    assert (taken["Next"] if taken else state["Default"]) == leads_to
    if taken and stopped and status != "Failed":
        decided = taken["Assign"]["outcome"]
        assert decided["code"] == Outcome.TRAINING_STOPPED
        assert evaluated(decided["reason"], job=job, stoppedBy=by) == "stopped by ana: too slow"
        assert evaluated(taken["Assign"]["modelArn"], job=job) == "arn:model", "the record names the model that was paid for"


def test_a_no_that_a_job_outran_ends_the_run_with_what_was_asked_and_answered() -> None:
    stopped = "the reward does not rise; the continue approval was refused by ana: no"
    job = {"ended": True, "status": "Completed", "ask": False, "model_arn": "arn:model", "reason": "", "guard": {"stopped": stopped}}
    by = {"by": "ana", "reason": "no"}
    taken = next(rule for rule in STATES["JobEnded"]["Choices"] if evaluated(rule["Condition"], job=job, stoppedBy=by))
    decided = taken["Assign"]["outcome"]
    assert (taken["Next"], decided["code"]) == ("CleanUp", Outcome.TRAINING_STOPPED)
    assert evaluated(decided["reason"], job=job, stoppedBy=by) == stopped


@pytest.mark.parametrize(
    ("answer", "by", "reason"),
    [
        ({"approved": False, "by": "ana", "reason": "not this one"}, "ana (not proven)", "not this one"),
        ({"approved": True, "by": "ana", "reason": "go on"}, "the pipeline", "the yes could not be verified"),
        ({}, "somebody (not proven)", ""),
        ("no", "somebody (not proven)", ""),
    ],
)
def test_an_answer_about_the_job_that_could_not_be_verified_is_a_no(answer: Any, by: str, reason: str) -> None:
    (caught,) = STATES["VerifyContinue"]["Catch"]
    assert caught["Next"] == "TrackTraining"
    before = {"spend": {"approved": True}, "continue": None, "release": None}
    after = evaluated(caught["Assign"]["approvals"], approvals=before, answer=answer)
    assert after["spend"] == {"approved": True}
    assert {key: after["continue"][key] for key in ("approved", "by", "reason")} == {"approved": False, "by": by, "reason": reason}


def test_who_was_not_asked_about_the_job_or_did_not_answer_has_not_said_no() -> None:
    (caught,) = STATES["AskToContinue"]["Catch"]
    assert evaluated(caught["Assign"]["approvals"], approvals={"spend": None, "continue": {"approved": True}})["continue"] is None


@pytest.mark.parametrize("released", [None, {"run_id": "r"}])
def test_a_release_that_was_not_heard_ends_the_run_as_the_pointer_says(released: dict[str, Any] | None) -> None:
    state = STATES["CleanUp"]
    failed = {"code": "InternalError", "reason": "denied", "state": "Release"}
    assert evaluated(state["Arguments"]["Payload"]["release_failed"], outcome=failed) is True
    result: dict[str, Any] = {"result": {"Payload": {"released": released, "problems": []}}}
    outcome = evaluated(state["Assign"]["outcome"], states=result, outcome=failed)
    if released is None:
        assert outcome == failed
    else:
        reason = "the model was released; Release was not heard: denied"
        assert outcome == {"code": "Released", "reason": reason, "state": "Release"}
    assert evaluated(state["Assign"]["released"], states=result, released=None) in (released, Utils.NULL_VALUE)


@pytest.mark.parametrize(("code", "state"), [("Released", "Release"), ("InternalError", "Gate"), ("TrainingStopped", "TrackTraining")])
def test_only_of_a_release_that_failed_the_pointer_is_asked(code: str, state: str) -> None:
    expression = STATES["CleanUp"]["Arguments"]["Payload"]["release_failed"]
    assert evaluated(expression, outcome={"code": code, "reason": "", "state": state}) is False


def test_the_states_whose_history_tells_what_became_of_a_run_are_those_of_the_definition() -> None:
    def calling(function: str) -> set[str]:
        asked = {name: str((state.get("Arguments") or {}).get("FunctionName", "")) for name, state in STATES.items()}
        return {name for name, arn in asked.items() if arn.endswith(f":{function}")}

    assert cut_short.APPROVAL_OF_STATE.keys() == calling("verify_approval")
    assert {cut_short.RELEASE_STATE} == calling("release")
