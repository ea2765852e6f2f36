"""TrackTraining: asks Bedrock how the job fares, stops it when it is too old or not what was asked for, and keeps the reward trend.

Event `{plan, job_arn}`; gives `{status, ended, model_arn, reason, elapsed_hours, reward: {mean, samples}}`.

Permissions:
  bedrock:GetModelCustomizationJob, bedrock:StopModelCustomizationJob on model-customization-job/*
  cloudwatch:GetMetricData on * (the action has no resource level)
  s3:GetObject on <runs bucket>/output/*, s3:ListBucket on the runs bucket with s3:prefix output/*
  s3:PutObject on <runs bucket>/records/*; kms:Decrypt, kms:GenerateDataKey on the data key
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_RUNS_BUCKET, RFT_JOB_ROLE_ARN, RFT_MODEL_KEY_ARN, RFT_JOB_SUBNETS, RFT_JOB_SECURITY_GROUPS.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from contracts import names
from contracts.emf import emit
from contracts.metrics import Metric
from contracts.run import Plan

from pipeline import aws, config, jobs, store, trend
from pipeline.start_training import security
from pipeline.task import Event, Result, log, now, task

REASON_CHARACTERS = 600
"""Of Bedrock's failure message, which is passed on but never logged: it may quote a line of the data."""


@task
def handler(event: Event) -> Result:
    plan, job_arn = store.plan_of(event), str(event["job_arn"])
    job: Mapping[str, Any] = aws.bedrock().get_model_customization_job(jobIdentifier=job_arn)
    status = jobs.status_of(str(job["status"]))
    hours = jobs.elapsed_hours(job)
    emit({Metric.JOB_HOURS: hours}, environment=plan.environment, run_id=plan.run_id)

    wrong = jobs.differences(job, plan, security())
    if wrong:
        if not jobs.has_ended(status):
            stop(job_arn)
        log("the job is not what was asked for", run_id=plan.run_id, differences=len(wrong))
    elif status == "InProgress" and hours > config.settings().training.max_hours:
        stop(job_arn)
        status = "Stopping"

    ended = jobs.has_ended(status)
    reward = _record(plan, job, status, with_artifacts=ended)
    return {
        # A job with another role, key, network or grader must go no further, whatever Bedrock calls its state.
        "status": "Failed" if wrong else status,
        "ended": bool(wrong) or ended,
        "model_arn": job.get("outputModelArn") if ended and not wrong else None,
        "reason": "; ".join(wrong) if wrong else reason_of(job, status, hours, config.settings().training.max_hours),
        "elapsed_hours": round(hours, 3),
        "reward": reward,
    }


def stop(job_arn: str) -> bool:
    """Asks Bedrock to stop the job; one that is stopping or has ended meanwhile is as wanted. Says whether this call did it."""
    try:
        aws.bedrock().stop_model_customization_job(jobIdentifier=job_arn)
    except ClientError as error:
        if aws.code_of(error) in {"ConflictException", "ResourceNotFoundException"}:
            return False
        raise
    return True


def reason_of(job: Mapping[str, Any], status: str, hours: float, max_hours: float) -> str:
    """Why the job ended, for people; empty while it runs or when it completed."""
    message = " ".join(str(job.get("failureMessage") or "").split())[:REASON_CHARACTERS]
    if status in {"Stopping", "Stopped"} and hours > max_hours:
        return f"stopped after {hours:.1f} hours; allowed are {max_hours:g} (training.max_hours)"
    if status == "Stopped":
        return message or "the job was stopped"
    if status == "Failed":
        return message or "the job failed; Bedrock gave no message"
    return ""


def _record(plan: Plan, job: Mapping[str, Any], status: str, *, with_artifacts: bool) -> dict[str, Any]:
    since, until = job["creationTime"], datetime.now(UTC)
    pages = aws.cloudwatch().get_paginator("get_metric_data")
    queries = trend.queries(plan.environment, plan.run_id, since, until)
    answered = pages.paginate(MetricDataQueries=queries, StartTime=trend.whole(since), EndTime=trend.after(until))  # type: ignore[arg-type]
    series = trend.series(answered)
    artifacts, notes = _artifacts(plan) if with_artifacts else ({}, [])
    store.write_json(
        *store.record(plan.run_id, "trend.json"),
        {
            "run_id": plan.run_id,
            "updated_at": now(),
            "job": {
                "arn": job["jobArn"],
                "status": status,
                "created_at": since.isoformat(),
                "ended_at": job["endTime"].isoformat() if job.get("endTime") else None,
            },
            "reward": trend.thinned(series[names.SPLIT_TRAIN]),
            "validation": trend.thinned(series[names.SPLIT_VALIDATION]),
            "artifacts": artifacts,
            "notes": notes,
        },
    )
    return trend.total(series[names.SPLIT_TRAIN])


def _artifacts(plan: Plan) -> tuple[dict[str, Any], list[str]]:
    bucket = config.variable(names.ENV_RUNS_BUCKET)
    found: dict[str, Any] = {}
    notes: list[str] = []
    # The folder's name under the prefix is documented in two ways, so files are found by suffix.
    for key in store.keys(bucket, names.output_prefix(plan.run_id)):
        if key.endswith(".csv"):
            name = key.removeprefix(names.output_prefix(plan.run_id))
            table = trend.table(store.read_bytes(bucket, key))
            found[name] = {"columns": table.columns, "rows": table.rows}
            notes += [f"{name}: {note}" for note in table.notes]
    if not found:
        notes.append("Bedrock left no CSV in the output prefix")
    return found, notes
