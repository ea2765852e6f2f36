"""The functions of a run one after the other, as the state machine calls them, from an upload to a lineage record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from contracts import names
from contracts.settings import EvaluationSettings, HyperParameters, PipelineSettings, TrainingSettings
from contracts.trends import RECORD
from contracts.validation import plain
from pipeline import (
    clean_up,
    deploy_candidate,
    evaluate,
    gate,
    prepare_run,
    record_lineage,
    register_dataset,
    rehearse_reward,
    release,
    start_training,
    track_training,
)

SETTINGS = PipelineSettings(
    training=TrainingSettings(hyperparameters=HyperParameters(batch_size=16, epoch_count=3)),
    evaluation=EvaluationSettings(chunk_prompts=50),
)


def test_a_run_goes_from_upload_to_release_and_every_step_may_be_called_twice(
    house: Any, problems: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = plain(SETTINGS)
    settings["approval"]["release"] = False
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(settings))
    registered = register_dataset.handler(house.upload("beads", problems(300)), None)
    assert registered["status"] == "registered"

    run_id = "beads-one"
    event = {"run_id": run_id, "request": {"dataset": "beads", "requested_by": "a test"}}
    plan = twice(prepare_run.handler, event)
    assert (plan["dataset_version"], plan["reward_version"]) == (registered["dataset_version"], house.reward_version)
    assert plan["reward_arn"].endswith(f":reward:{house.reward_version}")
    staged = house.s3.get_object(Bucket=house.runs, Key=names.staged_key(run_id, "train"))["Body"].read().splitlines()
    assert len(staged) == plan["prompts"]["train"] == 225
    assert json.loads(staged[0])[names.META_RUN_ID] == run_id

    rehearsal = twice(rehearse_reward.handler, {"plan": plan})
    assert rehearsal["trusted"], rehearsal["reasons"]
    job_arn = twice(start_training.handler, {"plan": plan, "approvals": {"spend": None}})["job_arn"]
    job = house.until(lambda: ended(track_training.handler({"plan": plan, "job_arn": job_arn}, None)), 60)
    assert job["status"] == "Completed", job["reason"]
    trend = house.read(house.runs, names.record_key(run_id, "trend.json"))
    assert trend.keys() == RECORD.keys()
    assert any("reward" in column for table in trend["artifacts"].values() for column in table["columns"])

    deployed = house.until(lambda: active(deploy_candidate.handler({"plan": plan, "model_arn": job["model_arn"]}, None)))
    arn = deployed["deployment_arn"]
    for item in plan["evaluation"]:
        answered = evaluate.handler({"plan": plan, "deployment_arn": arn, "item": item}, None)
        assert answered["graded"] == item["count"]
    verdict = twice(gate.handler, {"plan": plan})
    assert verdict["passed"], verdict["reasons"]
    assert verdict["difference"] > 0.05
    text = json.dumps([house.read(house.runs, key) for key in house.keys(house.runs, names.RECORDS)])
    assert "beads and gets" not in text, "records hold scores, never a prompt or a reply"

    given = {"plan": plan, "model_arn": job["model_arn"], "deployment_arn": arn, "gate": verdict, "approvals": {"release": None}}
    pointer = twice(release.handler, given)
    assert pointer["run_id"] == run_id
    assert pointer == json.loads(house.ssm.get_parameter(Name=names.parameter("dev", names.PARAM_RELEASED_MODEL))["Parameter"]["Value"])

    cleaned = clean_up.handler({"run_id": run_id, "job_arn": job_arn, "deployment_arn": arn, "keep_deployment": False}, None)
    assert cleaned == {"stopped_job": None, "deleted_deployment": None, "released": None, "problems": []}, (
        "a released deployment is never deleted"
    )
    assert house.keys(house.runs, f"{names.STAGED}{run_id}/") == []
    ending = {"code": "Released", "reason": "the candidate passed the gate", "state": "Release"}
    record = {**given, "run_id": run_id, "outcome": ending, "job_arn": job_arn, "released": pointer, "cleaned": cleaned}
    twice(record_lineage.handler, {**record, "rehearsal": rehearsal, "request": event["request"]})
    lineage = house.read(house.runs, names.record_key(run_id, "lineage.json"))
    assert lineage["dataset"]["sha256"] == registered["sha256"]
    assert lineage["reward"]["code_sha256"] == plan["reward_sha256"]
    assert lineage["times"]["job_ended_at"] > lineage["times"]["job_created_at"]


def twice(handler: Callable[[Any, object], dict[str, Any]], event: dict[str, Any]) -> dict[str, Any]:
    first = handler(event, None)
    second = handler(event, None)
    assert second == first, "a step that is retried gives what it gave"
    return first


def ended(result: dict[str, Any]) -> dict[str, Any] | None:
    return result if result["ended"] else None


def active(result: dict[str, Any]) -> dict[str, Any] | None:
    assert result["status"] != "Failed", result["reason"]
    return result if result["status"] == "Active" else None
