"""RecordLineage signs what it finds, once, and says which record is not what the run carried."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from contracts import names
from contracts.run import Plan
from contracts.validation import plain
from pipeline import after_end, attestation, aws, cut_short, pointer, proof, record_lineage, stopping

GATE = {"passed": True, "reasons": [], "difference": 0.25}


def recorded(house: Any, plan: Plan, *, gate: dict[str, Any] = GATE) -> dict[str, Any]:
    """A run whose plan and gate are stored as its states would have; the event of its last state."""
    house.s3.put_object(
        Bucket=house.runs, Key=names.record_key(plan.run_id, "plan.json"), Body=json.dumps(plain(plan), indent=2, sort_keys=True).encode()
    )
    stored = {"run_id": plan.run_id, "judged_at": "2026-11-20T20:00:00+00:00", **gate}
    house.s3.put_object(Bucket=house.runs, Key=names.record_key(plan.run_id, "gate.json"), Body=json.dumps(stored).encode())
    house.s3.put_object(Bucket=house.datasets, Key=names.manifest_key(plan.dataset, plan.dataset_version), Body=b'{"sha256": "x"}')
    return {
        "run_id": plan.run_id,
        "outcome": {"code": "Released", "reason": "passed", "state": "Release"},
        "plan": plain(plan),
        "gate": GATE,
        "approvals": {},
    }


def sealed(house: Any, run_id: str) -> attestation.Attestation:
    key = names.record_key(run_id, names.ATTESTATION)
    return attestation.parse(house.s3.get_object(Bucket=house.runs, Key=key)["Body"].read())


def test_one_signature_covers_every_record_and_the_datasets_manifest(house: Any, a_plan: Plan) -> None:
    given = recorded(house, a_plan)
    answer = record_lineage.handler(given, None)
    signed = sealed(house, a_plan.run_id)

    base = f"s3://{house.runs}/records/{a_plan.run_id}/"
    manifest = f"s3://{house.datasets}/{names.manifest_key(a_plan.dataset, a_plan.dataset_version)}"
    assert set(signed.digests) == {base + "plan.json", base + "gate.json", base + "lineage.json", manifest}
    assert answer == {"record": base + "lineage.json", "attestation": base + "lineage.dsse.json"}
    verified = house.client("kms").verify(
        KeyId=house.signing_key,
        Message=attestation.digest(signed.signed),
        MessageType="DIGEST",
        Signature=signed.signature,
        SigningAlgorithm=attestation.ALGORITHM,
    )
    assert verified["SignatureValid"] is True
    assert house.read(house.runs, names.record_key(a_plan.run_id, "lineage.json"))["altered"] == []


def test_a_second_attempt_changes_nothing(house: Any, a_plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    given = recorded(house, a_plan)
    record_lineage.handler(given, None)
    before = {key: house.s3.get_object(Bucket=house.runs, Key=key)["Body"].read() for key in house.keys(house.runs, "records/")}
    record_lineage.handler({**given, "outcome": {"code": "InternalError", "reason": "other", "state": "s"}}, None)
    assert {key: house.s3.get_object(Bucket=house.runs, Key=key)["Body"].read() for key in house.keys(house.runs, "records/")} == before
    assert capsys.readouterr().out.count('"RunReleased":1') == 1


def test_an_attempt_that_died_before_it_signed_is_finished_by_the_next(
    house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = recorded(house, a_plan)
    with monkeypatch.context() as dying:
        dying.setattr(aws.kms(), "sign", lambda **_: (_ for _ in ()).throw(RuntimeError("gone")))
        with pytest.raises(RuntimeError):
            record_lineage.handler(given, None)
    left = house.s3.get_object(Bucket=house.runs, Key=names.record_key(a_plan.run_id, "lineage.json"))["Body"].read()
    assert "RunReleased" not in capsys.readouterr().out
    monkeypatch.setattr(record_lineage, "now", lambda: "2030-01-01T00:00:00+00:00")
    record_lineage.handler(given, None)
    digests = sealed(house, a_plan.run_id).digests
    assert digests[f"s3://{house.runs}/records/{a_plan.run_id}/lineage.json"] == attestation.sha256(left)
    assert capsys.readouterr().out.count('"RunReleased":1') == 1


@pytest.mark.parametrize("changed", [{"passed": False}, {"difference": 0.9}])
def test_a_record_altered_behind_the_runs_back_is_named(house: Any, a_plan: Plan, changed: dict[str, Any]) -> None:
    given = recorded(house, a_plan, gate={**GATE, **changed})
    record_lineage.handler(given, None)
    assert house.read(house.runs, names.record_key(a_plan.run_id, "lineage.json"))["altered"] == ["gate.json"]


@pytest.mark.parametrize("proven", [True, False])
def test_a_run_that_was_aborted_is_recorded_and_signed_with_whoever_stopped_it(house: Any, a_plan: Plan, proven: bool) -> None:
    recorded(house, a_plan)
    house.waiting_execution(a_plan.run_id, proof={"authorization": "signed"})
    arn = f"{house.state_machine.replace(':stateMachine:', ':execution:')}:{a_plan.run_id}"
    credentials = house.endpoint.session("210987654321").get_credentials().get_frozen_credentials()
    what = stopping.claim_of("dev", a_plan.run_id if proven else "another-run", "too slow")
    signed = proof.sign(what, credentials=credentials, region="us-east-1", endpoint=house.endpoint.url)
    cause = stopping.cause({"by": "ana", "reason": "too slow", "proof": signed})
    house.states.stop_execution(executionArn=arn, error="StoppedByPerson", cause=cause)
    record_lineage.handler({"run_id": a_plan.run_id, "execution_arn": arn, "after_end": True}, None)
    record_lineage.handler({"run_id": a_plan.run_id, "execution_arn": arn, "after_end": True}, None)

    message = house.heard(f"Run {a_plan.run_id} in dev ended")
    assert "stopped by ana: too slow" in message["Message"]
    assert house.heard("Run Stopped")["detail"]["run_id"] == a_plan.run_id
    with pytest.raises(AssertionError):
        house.heard(f"Run {a_plan.run_id} in dev ended", 1)
    record = house.read(house.runs, names.record_key(a_plan.run_id, "lineage.json"))
    assert record["outcome"] == {"code": "TrainingStopped", "reason": "stopped by ana: too slow", "state": "the execution is ABORTED"}
    assert record["stopped_by"]["by"] == ("arn:aws:iam::210987654321:root" if proven else "ana (not proven)")
    assert bool(record["stopped_by"]["principal"]) is proven
    assert (record["dataset"]["name"], record["gate"]["passed"], record["request"]) == ("plums", True, {"wait": True})
    assert record["altered"] == []
    assert sealed(house, a_plan.run_id).predicate["run_id"] == a_plan.run_id
    assert "authorization" not in json.dumps(record)


def test_a_run_whose_record_failed_is_recorded_after_its_end_with_what_only_it_knew(house: Any, a_plan: Plan) -> None:
    recorded(house, a_plan)
    token = house.waiting_execution(a_plan.run_id)
    arn = f"{house.state_machine.replace(':stateMachine:', ':execution:')}:{a_plan.run_id}"
    approvals = {"spend": {"approved": True, "by": "arn:aws:iam::210987654321:root"}}
    cause = "no better\n" + json.dumps({"unrecorded": {"approvals": approvals, "model_arn": "arn:model"}})
    house.states.send_task_failure(taskToken=token, error="CandidateRejected", cause=cause)
    house.until(lambda: house.execution(a_plan.run_id)["status"] == "FAILED" or None)
    record_lineage.handler({"run_id": a_plan.run_id, "execution_arn": arn, "after_end": True}, None)

    record = house.read(house.runs, names.record_key(a_plan.run_id, "lineage.json"))
    assert record["outcome"] == {"code": "CandidateRejected", "reason": "no better", "state": "the execution is FAILED"}
    assert (record["approvals"], record["model"]["model_arn"]) == (approvals, "arn:model")
    assert sealed(house, a_plan.run_id).predicate["cut_short"] is False
    # Its own last states told of its end.
    with pytest.raises(AssertionError):
        house.heard(a_plan.run_id, 1)


POINTER = {"run_id": "r", "model_arn": "arn:model", "deployment_arn": "arn:deployment", "previous": None}
STARTED = datetime(2026, 11, 20, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("execution", "code", "told", "settled"),
    [
        ({"status": "ABORTED", "cause": "by hand"}, "TrainingStopped", False, False),
        ({"status": "TIMED_OUT"}, "TrainingStopped", False, False),
        ({"status": "FAILED", "error": "States.Runtime", "cause": "an expression"}, "InternalError", False, True),
        ({"status": "FAILED", "error": "SpendRejected", "cause": "refused"}, "SpendRejected", True, True),
        ({"status": "SUCCEEDED", "output": json.dumps({"outcome": {"code": "Released"}, "unrecorded": None})}, "Released", True, True),
    ],
)
def test_how_an_execution_ended_is_read_from_the_execution(execution: dict[str, Any], code: str, told: bool, settled: bool) -> None:
    ended = {"startDate": STARTED, "input": "{}", **execution}
    event = after_end.as_recorded({"run_id": "r", "execution_arn": "arn"}, ended, {}, released=None, approvals={})
    assert event["outcome"]["code"] == code
    assert (after_end.told(ended, None), after_end.is_settled(ended)) == (told, settled)


@pytest.mark.parametrize(
    ("execution", "reason", "told"),
    [
        ({"status": "ABORTED", "cause": "by hand"}, "the model was released; too late came: by hand", False),
        ({"status": "TIMED_OUT"}, "the model was released; too late came: no cause was given", False),
        ({"status": "FAILED", "error": "InternalError", "cause": "busy"}, "the model was released; too late came: busy", False),
        ({"status": "SUCCEEDED", "output": json.dumps({"outcome": {"code": "Released", "reason": "passed"}})}, "passed", True),
    ],
)
def test_a_run_whose_release_moved_the_pointer_was_released_however_it_ended(execution: dict[str, Any], reason: str, told: bool) -> None:
    ended = {"startDate": STARTED, "input": "{}", **execution}
    approvals = {"release": {"approved": True}}
    event = after_end.as_recorded({"run_id": "r", "execution_arn": "arn"}, ended, {}, released=POINTER, approvals=approvals)
    assert (event["outcome"]["code"], event["outcome"]["reason"]) == ("Released", reason)
    assert (event["released"], event["model_arn"], event["deployment_arn"]) == (POINTER, "arn:model", "arn:deployment")
    assert (event["approvals"], after_end.told(ended, POINTER)) == (approvals, told)


@pytest.mark.parametrize("moved", ["before", "meanwhile", "and another after it", "never"])
def test_an_execution_that_was_aborted_in_release_is_recorded_and_told_as_the_pointer_says(
    house: Any, a_plan: Plan, no_pointer: None, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    """Record, event, message and pointer say the same, whatever the interleaving."""
    recorded(house, a_plan)
    own = {**POINTER, "run_id": a_plan.run_id, "previous": {"run_id": "the-one-before"}}
    house.waiting_execution(a_plan.run_id)
    arn = f"{house.state_machine.replace(':stateMachine:', ':execution:')}:{a_plan.run_id}"
    house.states.stop_execution(executionArn=arn, cause="by hand")
    if moved == "before":
        pointer.write(own)

    def await_release(_arn: str, has_moved: Callable[[], bool]) -> None:
        assert has_moved() is (moved == "before")
        if moved in ("meanwhile", "and another after it"):
            pointer.write(own)
        if moved == "and another after it":
            pointer.write({**POINTER, "run_id": "another", "previous": own})

    monkeypatch.setattr(cut_short, "await_release", await_release)
    record_lineage.handler({"run_id": a_plan.run_id, "execution_arn": arn, "after_end": True}, None)

    record = house.read(house.runs, names.record_key(a_plan.run_id, "lineage.json"))
    message = house.heard(f"Run {a_plan.run_id} in dev ended")["Message"]
    if moved == "never":
        assert (record["outcome"]["code"], record["model"]["released"]) == ("TrainingStopped", None)
        assert house.heard("Run Stopped")["detail"]["deployment_arn"] is None
        assert "ended: TrainingStopped" in message
        return
    assert record["outcome"]["code"] == "Released"
    assert (record["model"]["released"], record["model"]["model_arn"], record["model"]["deployment_arn"]) == (
        own,
        "arn:model",
        "arn:deployment",
    )
    told = house.heard("Model Released")["detail"]
    assert (told["run_id"], told["outcome"], told["deployment_arn"]) == (a_plan.run_id, "Released", "arn:deployment")
    assert "ended: Released" in message and "rft backup restore pointer --run the-one-before" in message
