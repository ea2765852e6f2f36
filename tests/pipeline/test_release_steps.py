"""Approvals, release, clean-up and lineage: refusals, retries, and what is never deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from botocore.stub import Stubber
from contracts import names
from contracts.errors import InvalidInput, TransientFault
from contracts.events import Outcome
from contracts.run import Plan
from contracts.validation import plain
from pipeline import aws, clean_up, cut_short, pointer, record_lineage, release, request_approval

GATE = {"passed": True, "reasons": [], "base_mean": 0.4, "candidate_mean": 0.6, "difference": 0.2, "low": 0.1, "high": 0.3}
PREFIX = "arn:aws:bedrock:us-east-1:210987654321"
MODEL = f"{PREFIX}:custom-model/amazon.nova-2-lite-v1:0:256k/abcdefghijkl"


def deployment(number: int) -> str:
    return f"{PREFIX}:custom-model-deployment/{number:012d}"


@pytest.fixture
def bedrock(house: Any) -> Any:
    """Bedrock with scripted answers: an unexpected call, or an expected one left out, fails the test."""
    with Stubber(aws.bedrock()) as stub:
        yield stub
        stub.assert_no_pending_responses()


def stub_deployment(stub: Stubber, arn: str, status: str = "Active", model: str = MODEL) -> None:
    answer = {"customModelDeploymentArn": arn, "modelDeploymentName": "d", "modelArn": model, "createdAt": "2026-11-20T19:00:00Z"}
    stub.add_response("get_custom_model_deployment", {**answer, "status": status}, {"customModelDeploymentIdentifier": arn})


def event(plan: Plan, number: int = 1, **more: Any) -> dict[str, Any]:
    given = {"plan": plain(plan), "model_arn": MODEL, "deployment_arn": deployment(number), "gate": GATE, "approvals": {"release": None}}
    return {**given, **more}


@pytest.mark.usefixtures("no_pointer")
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"gate": None}, "has not passed the gate"),
        ({"gate": {**GATE, "passed": "true"}}, "has not passed the gate"),
        ({"approvals": None}, "needs the release approval"),
        ({"approvals": {"release": {"approved": False, "by": "bo"}}}, "refused by bo"),
        ({"deployment_arn": None}, "deployment_arn is missing"),
    ],
)
def test_nothing_is_released_without_gate_and_approval(a_plan: Plan, bedrock: Stubber, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match="release of run") as refused:
        release.handler(event(attrs.evolve(a_plan, needs_release_approval=True), **more), None)
    assert said in str(refused.value)
    assert pointer.read() is None


@pytest.mark.usefixtures("no_pointer")
@pytest.mark.parametrize(("status", "model"), [("Creating", MODEL), ("Active", MODEL.replace("abc", "xyz"))])
def test_only_an_active_deployment_of_the_model_is_released(a_plan: Plan, bedrock: Stubber, status: str, model: str) -> None:
    stub_deployment(bedrock, deployment(1), status, model)
    with pytest.raises(InvalidInput, match="allowed is an Active deployment"):
        release.handler(event(a_plan), None)


def test_releases_keep_one_model_to_roll_back_to_and_delete_the_one_before(
    house: Any, a_plan: Plan, bedrock: Stubber, no_pointer: None
) -> None:
    for number in (1, 2, 3):
        stub_deployment(bedrock, deployment(number))
        if number == 3:
            bedrock.add_response("delete_custom_model_deployment", {}, {"customModelDeploymentIdentifier": deployment(1)})
        released = release.handler(event(attrs.evolve(a_plan, run_id=f"run-{number}"), number), None)
    assert (released["run_id"], released["previous"]["run_id"]) == ("run-3", "run-2")
    assert "previous" not in released["previous"]
    assert pointer.read() == released


@pytest.mark.usefixtures("no_pointer")
@pytest.mark.parametrize("written_twice", [False, True])
def test_a_release_that_came_in_between_is_kept_as_the_one_to_roll_back_to(
    a_plan: Plan, bedrock: Stubber, monkeypatch: pytest.MonkeyPatch, written_twice: bool
) -> None:
    """`written_twice`: the answer to the write is lost, and the SDK writes once more."""
    pointer.write({"run_id": "one", "deployment_arn": deployment(1), "previous": None})
    stub_deployment(bedrock, deployment(3))
    write, between = pointer.write, [{"run_id": "two", "deployment_arn": deployment(2), "previous": {"run_id": "one"}}]

    def write_late(value: dict[str, Any]) -> int:
        while between:
            write(between.pop())
            if written_twice:
                write(value)
        return write(value)

    monkeypatch.setattr(pointer, "write", write_late)
    released = release.handler(event(attrs.evolve(a_plan, run_id="three"), 3), None)
    assert (released["run_id"], released["previous"]["run_id"]) == ("three", "two")
    assert pointer.read() == released


@pytest.mark.usefixtures("no_pointer")
def test_a_release_tried_again_after_a_later_one_moves_nothing_back(a_plan: Plan, bedrock: Stubber) -> None:
    for number in (1, 2):
        stub_deployment(bedrock, deployment(number))
        release.handler(event(attrs.evolve(a_plan, run_id=f"run-{number}"), number), None)
    stub_deployment(bedrock, deployment(1))
    again = release.handler(event(attrs.evolve(a_plan, run_id="run-1"), 1), None)
    assert again["run_id"] == "run-1"
    now = pointer.read()
    assert now is not None
    assert (now["run_id"], now["previous"]["run_id"]) == ("run-2", "run-1")


@pytest.mark.usefixtures("no_pointer")
def test_a_pointer_written_twice_by_one_release_is_not_its_own_predecessor(
    a_plan: Plan, bedrock: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer.write({"run_id": "one", "deployment_arn": deployment(1), "previous": None})
    stub_deployment(bedrock, deployment(2))
    write = pointer.write
    monkeypatch.setattr(pointer, "write", lambda value: write(value) and write(value))
    released = release.handler(event(attrs.evolve(a_plan, run_id="two"), 2), None)
    assert released["previous"]["run_id"] == "one"


def test_a_release_stands_even_if_an_old_deployment_cannot_be_deleted(house: Any, a_plan: Plan, bedrock: Stubber, no_pointer: None) -> None:
    pointer.write({"run_id": "two", "deployment_arn": deployment(2), "previous": {"run_id": "one", "deployment_arn": deployment(1)}})
    stub_deployment(bedrock, deployment(3))
    bedrock.add_client_error("delete_custom_model_deployment", "AccessDeniedException", http_status_code=403)
    assert release.handler(event(a_plan, 3), None)["previous"]["run_id"] == "two"


@pytest.mark.parametrize("place", ["released", "previous"])
def test_clean_up_never_deletes_a_deployment_in_use(house: Any, bedrock: Stubber, no_pointer: None, place: str) -> None:
    current = {"run_id": "x", "deployment_arn": deployment(1), "previous": {"run_id": "y", "deployment_arn": deployment(2)}}
    pointer.write(current)
    arn = deployment(1 if place == "released" else 2)
    bedrock.add_client_error("get_model_customization_job", "ResourceNotFoundException", http_status_code=404)
    stub_deployment(bedrock, arn)
    result = clean_up.handler({"run_id": "any", "deployment_arn": arn, "keep_deployment": False}, None)
    assert result == {"stopped_job": None, "deleted_deployment": None, "released": None, "problems": []}


def test_clean_up_deletes_an_unreleased_deployment_found_by_name(house: Any, bedrock: Stubber, no_pointer: None) -> None:
    answer = {"customModelDeploymentArn": deployment(9), "modelDeploymentName": "d", "modelArn": MODEL, "createdAt": "2026-11-20T19:00:00Z"}
    bedrock.add_client_error("get_model_customization_job", "ResourceNotFoundException", http_status_code=404)
    bedrock.add_response(
        "get_custom_model_deployment", {**answer, "status": "Creating"}, {"customModelDeploymentIdentifier": "rft-dev-lost"}
    )
    bedrock.add_response("delete_custom_model_deployment", {}, {"customModelDeploymentIdentifier": deployment(9)})
    assert clean_up.handler({"run_id": "lost", "keep_deployment": False}, None)["deleted_deployment"] == deployment(9)


@pytest.mark.usefixtures("no_pointer")
@pytest.mark.parametrize("moves", [True, False])
def test_no_deployment_is_deleted_that_a_release_under_way_may_point_at(
    bedrock: Stubber, monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    """The execution was cut short in Release, whose function moves the pointer after clean-up has looked at it."""
    arns: list[str] = []

    def await_release(arn: str, moved: Callable[[], bool]) -> None:
        arns.append(arn)
        assert moved() is False
        if moves:
            pointer.write({"run_id": "cut", "deployment_arn": deployment(9), "previous": None})

    monkeypatch.setattr(cut_short, "await_release", await_release)
    bedrock.add_client_error("get_model_customization_job", "ResourceNotFoundException", http_status_code=404)
    stub_deployment(bedrock, deployment(9))
    if not moves:
        bedrock.add_response("delete_custom_model_deployment", {}, {"customModelDeploymentIdentifier": deployment(9)})
    event = {"run_id": "cut", "deployment_arn": deployment(9), "execution_arn": "arn:cut", "after_end": True}
    assert clean_up.handler(event, None)["deleted_deployment"] == (None if moves else deployment(9))
    assert arns == ["arn:cut"]


@pytest.mark.usefixtures("no_pointer")
@pytest.mark.parametrize(("run_id", "found"), [("now", "now"), ("before", "before"), ("long-before", "long-before"), ("another", None)])
def test_clean_up_says_what_a_release_that_was_not_heard_did(bedrock: Stubber, run_id: str, found: str | None) -> None:
    for number, name in enumerate(("long-before", "before", "now")):
        pointer.write(pointer.succeeding(pointer.read(), {"run_id": name, "deployment_arn": deployment(number)}))
    bedrock.add_client_error("get_model_customization_job", "ResourceNotFoundException", http_status_code=404)
    bedrock.add_client_error("get_custom_model_deployment", "ResourceNotFoundException", http_status_code=404)
    released = clean_up.handler({"run_id": run_id, "release_failed": True}, None)["released"]
    assert (released or {}).get("run_id") == found


@pytest.mark.usefixtures("bedrock")
def test_clean_up_looks_for_nothing_under_a_name_that_was_refused() -> None:
    result = clean_up.handler({"run_id": "Not_A_Run_Id", "keep_deployment": False}, None)
    assert result == {"stopped_job": None, "deleted_deployment": None, "released": None, "problems": []}


def test_clean_up_goes_on_after_a_fault_and_reports_it(house: Any, bedrock: Stubber, no_pointer: None) -> None:
    house.s3.put_object(Bucket=house.runs, Key="staged/denied/train.jsonl", Body=b"x")
    bedrock.add_client_error("get_model_customization_job", "AccessDeniedException", http_status_code=403)
    bedrock.add_client_error("get_custom_model_deployment", "ResourceNotFoundException", http_status_code=404)
    result = clean_up.handler({"run_id": "denied", "keep_deployment": False}, None)
    assert len(result["problems"]) == 1
    assert result["problems"][0].startswith("the job was not stopped")
    assert house.keys(house.runs, "staged/denied/") == []


def test_after_the_end_what_was_not_cleaned_up_is_an_error_that_lambda_tries_again(house: Any, bedrock: Stubber, no_pointer: None) -> None:
    bedrock.add_client_error("get_model_customization_job", "AccessDeniedException", http_status_code=403)
    bedrock.add_client_error("get_custom_model_deployment", "ResourceNotFoundException", http_status_code=404)
    with pytest.raises(clean_up.NotCleanedUp, match="the job was not stopped"):
        clean_up.handler({"run_id": "denied", "after_end": True}, None)


def test_clean_up_asks_for_another_attempt_when_a_service_is_busy(house: Any, bedrock: Stubber, no_pointer: None) -> None:
    bedrock.add_client_error("get_model_customization_job", "ValidationException", http_status_code=400)
    bedrock.add_client_error("get_custom_model_deployment", "InternalServerException", http_status_code=400)
    with pytest.raises(TransientFault, match="the deployment was not deleted"):
        clean_up.handler({"run_id": "busy", "keep_deployment": False}, None)


def test_people_are_told_what_is_asked_with_figures_and_the_command(house: Any, a_plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    request_approval.handler({"plan": plain(a_plan), "kind": "spend", "token": "a-secret-token"}, None)
    message = house.heard(f"rft run approve {a_plan.run_id} --env dev")["Message"]
    stored = house.read(house.runs, names.token_key(a_plan.run_id, "spend"))

    assert "estimated at $6.50?" in message
    assert f"rft run reject {a_plan.run_id} --env dev" in message
    assert stored["token"] == "a-secret-token"
    assert stored["expires_at"] > stored["asked_at"]
    assert "a-secret-token" not in message + capsys.readouterr().out

    request_approval.handler({"plan": plain(a_plan), "kind": "release", "token": "t", "gate": GATE}, None)
    assert "candidate_mean: 0.6" in house.heard(f"Release the model of run {a_plan.run_id}")["Message"]


@pytest.mark.parametrize(("kind", "gate"), [("holiday", None), ("release", None)])
def test_an_approval_nobody_could_judge_is_not_asked_for(house: Any, a_plan: Plan, kind: str, gate: Any) -> None:
    with pytest.raises(InvalidInput, match="approval request"):
        request_approval.handler({"plan": plain(a_plan), "kind": kind, "token": "t", "gate": gate}, None)


def test_every_outcome_is_counted_once_and_a_refused_request_leaves_a_record(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for code in Outcome:
        given = {
            "run_id": f"lineage-{code.lower()}",
            "outcome": {"code": code, "reason": "why", "state": "s"},
            "approvals": {},
            "plan": None,
        }
        record_lineage.handler({**given, "request": {"requested_by": "ana"}}, None)
        record_lineage.handler({**given, "request": {"requested_by": "ana"}}, None)
    counted = capsys.readouterr().out

    assert [counted.count(f'"{name}":1') for name in ("RunReleased", "RunRejected", "CandidateRejected", "RunFailed")] == [1, 5, 1, 4]
    record = house.read(house.runs, names.record_key("lineage-requestrefused", "lineage.json"))
    assert (record["requested_by"], record["dataset"], record["model"]["model_arn"]) == ("ana", None, None)
