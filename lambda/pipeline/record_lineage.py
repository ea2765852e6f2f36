"""RecordLineage: one file that says what made the model, or why there is none.

Event `{run_id, request?, outcome: {code, reason, state}, plan?, job_arn?, model_arn?, deployment_arn?, rehearsal?, gate?, approvals,
cleaned?, released?, execution_arn?, started_at?}`; gives `{record}`, the S3 URI of lineage.json.

Permissions:
  s3:GetObject, s3:PutObject on <runs bucket>/records/*; s3:ListBucket on the runs bucket, s3:prefix records/*
  kms:Decrypt, kms:GenerateDataKey on the data key
Environment: RFT_ENVIRONMENT, RFT_RUNS_BUCKET.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts import names
from contracts.emf import emit
from contracts.events import Outcome
from contracts.metrics import Metric

from pipeline import config, store
from pipeline.task import Event, Result, now, task

METRIC_OF_OUTCOME: dict[Outcome, Metric | None] = {
    Outcome.REQUEST_REFUSED: None,  # PrepareRun counted it when it refused
    Outcome.RELEASED: Metric.RUN_RELEASED,
    Outcome.REWARD_REJECTED: Metric.RUN_REJECTED,
    Outcome.SPEND_REJECTED: Metric.RUN_REJECTED,
    Outcome.TURN_TIMED_OUT: Metric.RUN_REJECTED,
    Outcome.CANDIDATE_REJECTED: Metric.RUN_REJECTED,
    Outcome.RELEASE_REJECTED: Metric.RUN_REJECTED,
    Outcome.APPROVAL_TIMED_OUT: Metric.RUN_REJECTED,
    Outcome.TRAINING_FAILED: Metric.RUN_FAILED,
    Outcome.TRAINING_STOPPED: Metric.RUN_FAILED,
    Outcome.DEPLOYMENT_FAILED: Metric.RUN_FAILED,
    Outcome.INTERNAL_ERROR: Metric.RUN_FAILED,
}

_SAME = ("outcome", "model", "approvals", "cleaned_up")


@task
def handler(event: Event) -> Result:
    run_id = str(event["run_id"])
    bucket, key = store.record(run_id, "lineage.json")
    trend = store.find_json(bucket, names.record_key(run_id, "trend.json"))
    found = lineage(event, environment=config.environment(), job=(trend or {}).get("job"), recorded_at=now())
    before = store.find_json(bucket, key)
    # A second attempt finds its own record: nothing is rewritten, and the run is not counted twice.
    if before is None or any(before.get(part) != found.get(part) for part in _SAME):
        store.write_json(bucket, key, found)
        if (metric := _metric(event)) is not None:
            emit({metric: 1}, environment=config.environment(), run_id=run_id)
    return {"record": store.uri(bucket, key)}


def lineage(event: Event, *, environment: str, job: Mapping[str, Any] | None, recorded_at: str) -> dict[str, Any]:
    """Model, run, dataset, reward, hyperparameters and people, each with what pins it; None for what the run never reached."""
    plan = event.get("plan") or None
    return {
        "run_id": event["run_id"],
        "environment": environment,
        "outcome": event["outcome"],
        "model": {
            "model_arn": event.get("model_arn"),
            "deployment_arn": event.get("deployment_arn") if event.get("released") else None,
            "base_model": plan and plan["base_model"],
            "released": event.get("released"),
        },
        "job": {"job_arn": event.get("job_arn"), **(job or {})},
        "dataset": plan
        and {
            "name": plan["dataset"],
            "version": plan["dataset_version"],
            "sha256": plan["dataset_sha256"],
            "uri": plan["dataset_uri"],
            "prompts": plan["prompts"],
        },
        "reward": plan
        and {
            "arn": plan["reward_arn"],
            "version": plan["reward_version"],
            "code_sha256": plan["reward_sha256"],
            "grader": plan.get("reward_grader"),
            "options": plan.get("reward_options"),
            "identity": plan.get("reward_identity"),
        },
        "hyperparameters": plan and plan["hyperparameters"],
        "estimate": plan and plan["estimate"],
        "rehearsal": event.get("rehearsal"),
        "gate": event.get("gate"),
        "approvals": event.get("approvals"),
        "requested_by": plan["requested_by"] if plan else (event.get("request") or {}).get("requested_by"),
        "request": event.get("request"),
        "cleaned_up": event.get("cleaned"),
        "execution_arn": event.get("execution_arn"),
        "times": {
            "started_at": event.get("started_at"),
            "prepared_at": plan and plan["prepared_at"],
            "job_created_at": (job or {}).get("created_at"),
            "job_ended_at": (job or {}).get("ended_at"),
            "recorded_at": recorded_at,
        },
    }


def _metric(event: Event) -> Metric | None:
    try:
        return METRIC_OF_OUTCOME[Outcome(event["outcome"]["code"])]
    except ValueError:
        return Metric.RUN_FAILED
