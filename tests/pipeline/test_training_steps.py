"""StartTraining and TrackTraining in the local cloud: money is spent once, and only on what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.errors import InvalidInput, TransientFault
from contracts.run import Plan
from contracts.validation import plain
from pipeline import clean_up, jobs, start_training, store, track_training
from pipeline.start_training import security

from local.bedrock import faults_client

PRINCIPAL = {"arn": "arn:aws:iam::210987654321:user/ana", "account": "210987654321", "user_id": "AIDA"}
YES = {"approved": True, "by": PRINCIPAL["arn"], "reason": "", "at": "2026-11-20T19:00:00+00:00", "principal": PRINCIPAL}


def start(plan: Plan, approvals: dict[str, Any] | None = None) -> str:
    return str(start_training.handler({"plan": plain(plan), "approvals": approvals or {}}, None)["job_arn"])


def stage(house: Any, plan: Plan, body: bytes) -> None:
    """Stages data a job can be trained on."""
    for split, uri in ((names.SPLIT_TRAIN, plan.train_uri), (names.SPLIT_VALIDATION, plan.validation_uri)):
        records = [json.loads(line) for line in body.splitlines()]
        lines = [{"id": f"{n:016x}", "messages": [{"role": "user", "content": r["question"]}]} for n, r in enumerate(records)]
        marks = {names.META_RUN_ID: plan.run_id, names.META_SPLIT: split}
        staged = [
            {**line, "reference_answer": r["answer"], names.META_RECORD_ID: line["id"], **marks}
            for line, r in zip(lines, records, strict=True)
        ]
        store.write_lines(house.runs, uri.split("/", 3)[3], staged)


@pytest.mark.parametrize(
    "approvals",
    [
        None,
        {},
        {"spend": None},
        {"spend": {**YES, "approved": "true"}},
        {"spend": {**YES, "approved": False}},
        {"spend": {**YES, "principal": None}},
    ],
)
def test_without_a_yes_nothing_is_started(house: Any, a_plan: Plan, approvals: Any) -> None:
    plan = attrs.evolve(a_plan, needs_spend_approval=True)
    with pytest.raises(InvalidInput, match="spend approval"):
        start_training.handler({"plan": plain(plan), "approvals": approvals}, None)
    assert house.bedrock.list_model_customization_jobs(nameContains=plan.job_name)["modelCustomizationJobSummaries"] == []


def test_with_a_yes_the_job_carries_everything_that_was_asked_for(house: Any, a_plan: Plan) -> None:
    plan = attrs.evolve(a_plan, needs_spend_approval=True)
    arn = start(plan, {"spend": YES})
    job = house.bedrock.get_model_customization_job(jobIdentifier=arn)

    assert jobs.differences(job, plan, security()) == []
    assert job["customizationConfig"]["rftConfig"]["hyperParameters"]["trainingSamplePerPrompt"] == 4
    tags = {tag["key"]: tag["value"] for tag in house.bedrock.list_tags_for_resource(resourceARN=arn)["tags"]}
    wanted = {"rft:run": plan.run_id, "rft:environment": "dev", "rft:dataset": "plums/0123456789ab", "rft:reward": plan.reward_version}
    assert wanted.items() <= tags.items()


def test_an_estimate_above_the_cap_is_refused_even_when_approved(house: Any, a_plan: Plan) -> None:
    plan = attrs.evolve(a_plan, estimate=attrs.evolve(a_plan.estimate, usd=501.0))
    with pytest.raises(InvalidInput, match=r"the estimate is \$501\.00; allowed is at most \$500\.00"):
        start(plan, {"spend": YES})


def test_a_name_taken_by_another_job_is_not_adopted(house: Any, a_plan: Plan) -> None:
    other = jobs.request(a_plan, security()) | {
        "clientRequestToken": "someone-else",
        "outputDataConfig": {"s3Uri": f"s3://{house.runs}/output/x/"},
    }
    house.bedrock.create_model_customization_job(**other)
    with pytest.raises(InvalidInput, match="exists already and is not this run's"):
        start(a_plan)


def test_a_name_taken_by_this_runs_own_job_gives_that_job(house: Any, a_plan: Plan) -> None:
    made = house.bedrock.create_model_customization_job(**jobs.request(a_plan, security()) | {"clientRequestToken": "an-older-token"})
    assert start(a_plan) == made["jobArn"]


def test_a_busy_service_is_a_transient_fault(house: Any, a_plan: Plan, no_waiting: None) -> None:
    faults_client.set_fault(house.endpoint, "throttle", operation="CreateModelCustomizationJob", count=50)
    with pytest.raises(TransientFault, match="ThrottlingException"):
        start(a_plan)


def test_a_failed_job_ends_the_wait_with_bedrocks_reason(house: Any, a_plan: Plan) -> None:
    arn = start(a_plan)
    result = house.until(lambda: ended(a_plan, arn))

    assert (result["status"], result["model_arn"], result["reward"]) == ("Failed", None, {"mean": None, "samples": 0})
    assert a_plan.run_id in result["reason"], "the data of this plan were never staged, and Bedrock names the place"


def test_a_job_older_than_allowed_is_stopped(
    house: Any, a_plan: Plan, problems: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(house, a_plan, problems(200))
    faults_client.set_pace(house.endpoint, 0.2)
    arn = start(a_plan)
    monkeypatch.setattr(jobs, "elapsed_hours", lambda _job: 24.5)
    guard: dict[str, Any] = {}
    result = house.until(lambda: ended(a_plan, arn, guard), 30)
    faults_client.set_pace(house.endpoint, 0.0)

    assert (result["status"], result["reason"]) == ("Stopped", "stopped after 24.5 hours; allowed are 24 (training.max_hours)")


def test_a_job_that_is_not_what_was_asked_for_is_stopped_and_fails_the_run(
    house: Any, a_plan: Plan, problems: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(house, a_plan, problems(200))
    faults_client.set_pace(house.endpoint, 0.2)
    arn = start(a_plan)
    monkeypatch.setenv(names.ENV_SUBNETS, "subnet-approved")
    result = track_training.handler({"plan": plain(a_plan), "job_arn": arn}, None)
    house.until(lambda: house.bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Stopped")
    faults_client.set_pace(house.endpoint, 0.0)

    assert (result["status"], result["ended"], result["model_arn"]) == ("Failed", True, None)
    assert "vpcConfig.subnetIds" in result["reason"]


def test_clean_up_finds_a_running_job_by_name_when_its_arn_was_lost(house: Any, a_plan: Plan, problems: Callable[..., bytes]) -> None:
    stage(house, a_plan, problems(200))
    faults_client.set_pace(house.endpoint, 0.2)
    arn = start(a_plan)
    house.until(lambda: house.bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress")
    event = {"run_id": a_plan.run_id, "job_arn": None, "deployment_arn": None, "keep_deployment": False}

    assert clean_up.handler(event, None) == {"stopped_job": arn, "deleted_deployment": None, "released": None, "problems": []}
    house.until(lambda: house.bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Stopped")
    faults_client.set_pace(house.endpoint, 0.0)
    assert clean_up.handler(event, None) == {"stopped_job": None, "deleted_deployment": None, "released": None, "problems": []}
    assert house.keys(house.runs, f"{names.STAGED}{a_plan.run_id}/") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"roleArn": "other"}, "roleArn"),
        ({"vpcConfig": None}, "vpcConfig.subnetIds"),
        ({"customizationConfig": None}, "lambdaGrader.lambdaArn"),
        ({"outputModelKmsKeyArn": "other"}, "outputModelKmsKeyArn"),
        ({"outputModelKmsKeyArn": None, "status": "Completed"}, "outputModelKmsKeyArn"),
        ({"baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/another"}, "baseModelArn"),
        ({"trainingDataConfig": {"s3Uri": "s3://elsewhere/x"}}, "trainingDataConfig.s3Uri"),
    ],
)
def test_every_difference_of_a_job_is_found(house: Any, a_plan: Plan, change: dict[str, Any], said: str) -> None:
    asked = jobs.request(a_plan, security())
    echo = {
        **{key: asked[key] for key in ("jobName", "roleArn", "trainingDataConfig", "outputDataConfig", "vpcConfig", "customizationConfig")},
        "baseModelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{a_plan.base_model}",
        "outputModelKmsKeyArn": asked["customModelKmsKeyId"],
        "status": "InProgress",
    }
    assert jobs.differences(echo, a_plan, security()) == []
    assert jobs.differences(echo | {"outputModelKmsKeyArn": None}, a_plan, security()) == [], "the key may show only with the model"
    assert any(said in found for found in jobs.differences(echo | change, a_plan, security()))


def test_a_rail_that_asks_waits_for_the_answer_and_a_no_stops_the_job(house: Any, a_plan: Plan, problems: Callable[..., bytes]) -> None:
    stage(house, a_plan, problems(200))
    faults_client.set_fault(house.endpoint, "fixed_answers", strategy="no_marker", job=a_plan.job_name)
    faults_client.set_fault(house.endpoint, "stall", step=13, job=a_plan.job_name)
    arn = start(a_plan)

    def asking() -> dict[str, Any] | None:
        result = track_training.handler({"plan": plain(a_plan), "job_arn": arn, "guard": {"cleared": ["plateau"]}}, None)
        return result if result["ask"] else None

    result = house.until(asking, 60)
    assert result["status"] == "InProgress"
    assert result["guard"]["asked"]["rail"] == "no_signal"
    assert result["spent_usd"] > 0

    event = {"plan": plain(a_plan), "job_arn": arn, "guard": result["guard"]}
    allowed = track_training.handler({**event, "approvals": {"continue": YES}}, None)
    assert (allowed["status"], allowed["ask"]) == ("InProgress", False)
    assert "no_signal" in allowed["guard"]["cleared"]

    refused = track_training.handler({**event, "approvals": {"continue": {**YES, "approved": False}}}, None)
    assert refused["status"] == "Stopping"
    assert refused["stopped_by"]["by"] == PRINCIPAL["arn"], "a job may complete before the stop reaches it"
    guard = dict(refused["guard"])
    last = house.until(lambda: ended(a_plan, arn, guard), 30)
    assert last["status"] == "Stopped"
    assert "nothing is being learnt" in last["reason"] and f"refused by {PRINCIPAL['arn']}" in last["reason"]
    assert house.read(house.runs, names.record_key(a_plan.run_id, "trend.json"))["guard"]["stopped"] == last["reason"]


@pytest.mark.parametrize(
    ("answer", "stopped_by"),
    [
        ({**YES, "approved": False, "reason": "not this one"}, PRINCIPAL["arn"]),
        ({"approved": False, "by": "bo (not proven)", "reason": "not this one", "principal": None}, "bo (not proven)"),
        (YES, None),
        (None, None),
    ],
)
def test_a_no_that_the_jobs_end_outran_is_heard_all_the_same(
    house: Any, a_plan: Plan, problems: Callable[..., bytes], answer: dict[str, Any] | None, stopped_by: str | None
) -> None:
    stage(house, a_plan, problems(200))
    arn = start(a_plan)
    house.until(lambda: ended(a_plan, arn), 30)
    guard = {"cleared": [], "asked": {"rail": "plateau", "reason": "the reward does not rise"}, "stopped": ""}
    event = {"plan": plain(a_plan), "job_arn": arn, "guard": guard, "approvals": {"continue": answer}}
    result = track_training.handler(event, None)

    assert (result["status"], result["ended"], result["model_arn"] is None) == ("Completed", True, False)
    if stopped_by:
        assert answer is not None
        assert result["stopped_by"] == {"by": stopped_by, "reason": "not this one", "principal": answer["principal"]}
        assert result["guard"]["stopped"] == f"the reward does not rise; the continue approval was refused by {stopped_by}: not this one"
    else:
        assert (result["stopped_by"], result["guard"]["stopped"]) == (None, "")


def test_hours_are_counted_to_the_end_or_to_now() -> None:
    since = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert jobs.elapsed_hours({"creationTime": since, "endTime": since + timedelta(minutes=90)}) == 1.5
    assert jobs.elapsed_hours({"creationTime": since}, since + timedelta(hours=3)) == 3


def ended(plan: Plan, job_arn: str, guard: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """One look at the job; `guard` takes what the state machine would carry from look to look."""
    carried = {} if guard is None else guard
    result = track_training.handler({"plan": plain(plan), "job_arn": job_arn, "guard": dict(carried)}, None)
    carried.update(result["guard"])
    return result if result["ended"] else None
