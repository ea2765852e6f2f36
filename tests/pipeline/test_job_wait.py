"""Waiting for the job: the event and the poll each wake the run, together they wake it once. Requests for runs likewise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contracts import names
from contracts.errors import InvalidInput
from contracts.run import Plan
from contracts.validation import plain
from pipeline import await_job, on_job_event, request_run, start_training, store, tokens

JOB = "arn:aws:bedrock:us-east-1:210987654321:model-customization-job/amazon.nova-2-lite-v1:0:256k/abcdefghijkl"


def job_event(run_id: str, status: str = "Completed", job_arn: str = JOB) -> dict[str, Any]:
    detail = {"jobName": names.job_name("dev", run_id), "jobStatus": status, "jobArn": job_arn}
    return {"source": "aws.bedrock", "detail-type": "Model Customization Job State Change", "detail": detail}


def leave_token(house: Any, run_id: str) -> str:
    token: str = house.waiting_execution(run_id)
    store.write_json(house.runs, names.token_key(run_id, tokens.JOB), {"token": token, "job_arn": JOB})
    return token


def test_the_event_wakes_the_run_and_its_duplicate_does_nothing(house: Any) -> None:
    leave_token(house, "woken")
    # The documented sample of the event has an ARN without the base model's segment, and its case is not promised.
    event = job_event("woken", "completed", JOB.replace("amazon.nova-2-lite-v1:0:256k/", ""))

    assert on_job_event.handler(event, None)["woken"] is True
    assert house.until(lambda: house.execution("woken")["status"] == "SUCCEEDED")
    assert on_job_event.handler(event, None)["woken"] is False
    assert house.keys(house.runs, f"{names.TOKENS}woken/") == []


@pytest.mark.parametrize(
    "event",
    [
        job_event("asleep", "InProgress"),
        job_event("asleep", job_arn=JOB[:-1] + "x"),
        {"detail": {"jobName": "rft-prod-asleep", "jobStatus": "Completed", "jobArn": JOB}},
        {"detail": {}},
    ],
)
def test_an_event_about_something_else_wakes_nobody(house: Any, event: dict[str, Any]) -> None:
    store.write_json(house.runs, names.token_key("asleep", tokens.JOB), {"token": "t", "job_arn": JOB})
    assert on_job_event.handler(event, None)["woken"] is False
    assert house.keys(house.runs, f"{names.TOKENS}asleep/") == [names.token_key("asleep", tokens.JOB)]


def test_an_event_for_a_wait_that_is_over_is_no_error(house: Any) -> None:
    store.write_json(house.runs, names.token_key("over", tokens.JOB), {"token": "no-longer-there", "job_arn": JOB})
    assert on_job_event.handler(job_event("over"), None) == {"woken": False, "why": "the state has moved on already"}


def test_a_job_that_ended_before_the_token_was_stored_is_noticed(house: Any, a_plan: Plan) -> None:
    # The data of this plan were never staged, so the job fails at once; its event finds no token.
    job_arn = start_training.handler({"plan": plain(a_plan), "approvals": {}}, None)["job_arn"]
    house.until(lambda: house.bedrock.get_model_customization_job(jobIdentifier=job_arn)["status"] == "Failed")
    token = house.waiting_execution("unnoticed")

    assert await_job.handler({"plan": plain(a_plan), "job_arn": job_arn, "token": token}, None)["status"] == "Failed"
    assert house.until(lambda: house.execution("unnoticed")["status"] == "SUCCEEDED")
    assert house.keys(house.runs, f"{names.TOKENS}{a_plan.run_id}/") == []


def test_a_registered_dataset_starts_one_run_however_often_the_event_comes(house: Any) -> None:
    event = {"detail-type": "Dataset Registered", "detail": {"dataset": "plums", "dataset_version": "0123456789ab", "sha256": "…"}}
    first = request_run.handler(event, None)
    house.until(lambda: house.execution("plums-0123456789ab")["status"] == "SUCCEEDED")

    assert first == {"run_id": "plums-0123456789ab", "started": True}
    assert request_run.handler(event, None) == {"run_id": "plums-0123456789ab", "started": False}
    given = json.loads(house.execution("plums-0123456789ab")["input"])
    assert (given["dataset_version"], given["requested_by"]) == ("0123456789ab", "dataset registered")


def test_a_schedule_starts_one_run_each_time_it_is_due(house: Any) -> None:
    event = {"dataset": "plums", "requested_by": "schedule", "scheduled_at": "2026-11-20T03:00:00Z"}
    assert request_run.handler(event, None)["run_id"] == "plums-202611200300"
    assert request_run.for_schedule({"dataset": "plums"}, "2026-11-21T08:00:00+00:00").run_id == "plums-20261121"


@pytest.mark.parametrize("event", [{}, {"detail-type": "Model Released"}, {"dataset": "Not A Name"}])
def test_an_event_that_names_no_dataset_is_refused(house: Any, event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="the event that asks for a run"):
        request_run.handler(event, None)
