"""Starts a run because something happened: a dataset version was registered, or the schedule came round.

The execution name is made from what asked, so the same event twice starts one run.

Events:
  `Dataset Registered` from the bus: trains on that version.
  `{"dataset", "requested_by", "scheduled_at"?}` from the schedule or an input transformer: trains on the latest version.

Permissions:
  states:StartExecution on the state machine
Environment: RFT_ENVIRONMENT, RFT_STATE_MACHINE_ARN.
"""

from __future__ import annotations

import json
import re
from typing import Any

import attrs
import boto3
from botocore.exceptions import ClientError
from contracts import names
from contracts.emf import emit
from contracts.errors import InvalidInput
from contracts.events import RunEvent
from contracts.metrics import Metric
from contracts.run import RunRequest
from contracts.validation import plain, structure

from pipeline import aws, config, proof
from pipeline.prepare_run import request_claim
from pipeline.task import Event, Result, log, now, task

WHERE = "the event that asks for a run"


@attrs.frozen
class Asked:
    """A run to start: its id, and the request the state machine is given."""

    run_id: str
    request: RunRequest


@task
def handler(event: Event) -> Result:
    asked = _asked(event)
    # A request goes in without its None values: the state machine checks it against the same type again.
    request = {key: value for key, value in plain(asked.request).items() if key != "hyperparameters"}
    request["proof"] = _proof(asked)
    try:
        aws.states().start_execution(stateMachineArn=config.variable(names.ENV_STATE_MACHINE), name=asked.run_id, input=json.dumps(request))
    except ClientError as error:
        if aws.code_of(error) != "ExecutionAlreadyExists":
            raise
        log("the run exists already", run_id=asked.run_id)
        return {"run_id": asked.run_id, "started": False}
    emit({Metric.RUN_REQUESTED: 1}, environment=config.environment(), run_id=None)
    return {"run_id": asked.run_id, "started": True}


def _proof(asked: Asked) -> dict[str, str]:
    # This function's own role: a run that no person asked for can be told from one whose request was made up.
    what = request_claim(config.environment(), asked.run_id, asked.request)
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        return {}
    frozen = credentials.get_frozen_credentials()
    return proof.sign(what, credentials=frozen, region=config.region(), endpoint=aws.sts().meta.endpoint_url)


def _asked(event: Event) -> Asked:
    kind, detail = event.get("detail-type"), event.get("detail", {})
    if kind == RunEvent.DATASET_REGISTERED:
        return for_dataset(detail)
    if "dataset" in event:
        return for_schedule(event, now())
    raise InvalidInput(WHERE, [f"detail-type = {kind!r}: allowed are {RunEvent.DATASET_REGISTERED} or a key dataset"])


def for_dataset(detail: Event) -> Asked:
    """One run for each registered version."""
    dataset, version = str(detail.get("dataset", "")), str(detail.get("dataset_version", ""))
    request = _request({"dataset": dataset, "dataset_version": version, "requested_by": "dataset registered"})
    return Asked(names.run_id_for(dataset, version), request)


def for_schedule(event: Event, today: str) -> Asked:
    """One run for each minute the schedule names; one a day when it names none."""
    due = str(event.get("scheduled_at") or today[:10])
    request = _request({"dataset": event.get("dataset"), "requested_by": event.get("requested_by", "schedule")})
    return Asked(names.run_id_for(request.dataset, _digits(due)), request)


def _request(data: dict[str, Any]) -> RunRequest:
    return structure(data, RunRequest, WHERE)


def _digits(moment: str) -> str:
    # 2026-11-20T03:00:00Z becomes 202611200300: a minute is as fine as a schedule is.
    return re.sub(r"\D", "", moment)[:12]
