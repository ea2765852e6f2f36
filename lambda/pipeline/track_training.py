"""TrackTraining: asks Bedrock how the job fares, holds it to its guard rails, and keeps the reward trend.

A job that is not what was asked for, too old or over its cap is stopped, and one that a person wants stopped; the other rails do what
the settings say.

Event `{plan, job_arn, guard?, approvals?, stop?}`, `stop` being what a person woke the run with: `{by, reason, proof}`; gives `{status,
ended, model_arn, reason, elapsed_hours, spent_usd, reward: {mean, samples}, ask, guard, stopped_by: {by, reason, principal} | null}`.
`guard` goes back in with the next look; with `ask` a person must be asked before it. Who was asked and says no has stopped the run, also
when the job completed before the answer came, or before the stop reached it.

Permissions:
  bedrock:GetModelCustomizationJob, bedrock:StopModelCustomizationJob on model-customization-job/*
  logs:FilterLogEvents on the reward function's log group
  s3:GetObject on <runs bucket>/output/* and records/*, s3:ListBucket on the runs bucket with s3:prefix output/* or records/*
  s3:PutObject on <runs bucket>/records/*; kms:Decrypt, kms:GenerateDataKey on the data key
  sns:Publish on the topic, with kms:Decrypt and kms:GenerateDataKey on the topic's key
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_TOPIC_ARN, RFT_RUNS_BUCKET, RFT_STATE_MACHINE_ARN, RFT_JOB_ROLE_ARN,
RFT_MODEL_KEY_ARN, RFT_JOB_SUBNETS, RFT_JOB_SECURITY_GROUPS, RFT_REWARD_LOG_GROUP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from contracts.chat import Step
from contracts.emf import emit
from contracts.guard_settings import TELL
from contracts.metrics import DIMENSION_COMPONENT, METRIC_OF_RAIL, Metric
from contracts.run import Plan
from contracts.runbooks import RUNBOOK_OF_RAIL

from pipeline import aws, config, guard_rails, jobs, notices, signals, spend, stopping, store, trend, trend_record
from pipeline.guard_rails import Hours, Spend
from pipeline.guard_record import GuardRecord
from pipeline.signals import Reading
from pipeline.start_training import security
from pipeline.task import Event, Result, log, task

EVERY_LOOK = (Metric.JOB_HOURS, Metric.SPEND_SO_FAR)
"""Printed with each look at the job."""

REASON_CHARACTERS = 600
"""Of Bedrock's failure message, which is passed on but never logged: it may quote a line of the data."""


@task
def handler(event: Event) -> Result:
    plan, job_arn = store.plan_of(event), str(event["job_arn"])
    job: Mapping[str, Any] = aws.bedrock().get_model_customization_job(jobIdentifier=job_arn)
    status = jobs.status_of(str(job["status"]))
    hours = jobs.elapsed_hours(job)
    asked = event.get("stop")
    stopped_by = stopping.who(plan.run_id, asked) if isinstance(asked, Mapping) else None
    wrong = jobs.differences(job, plan, security())
    running = status == "InProgress"
    steps = trend_record.steps(plan, job)
    readings = signals.readings(steps)
    spent = spend.so_far(plan, readings, config.settings().training.prices)
    emit(dict(zip(EVERY_LOOK, (hours, spent), strict=True)), environment=plan.environment, run_id=plan.run_id)
    for name, mean in trend.latest_components(steps, config.settings().guard_rails.window_steps).items():
        component = f',"{DIMENSION_COMPONENT}":{json.dumps(name)}'
        emit({Metric.COMPONENT: mean}, environment=plan.environment, run_id=plan.run_id, noted=component)

    record, approvals = GuardRecord.read(event.get("guard")), event.get("approvals")
    if refused := record.refusal(approvals):
        stopped_by = stopped_by or {key: refused.get(key) for key in ("by", "reason", "principal")}
    # Silence stops a job that runs. It says nothing against a candidate of one that has ended: that is for the gate.
    if running or refused:
        record = record.answered(approvals)
    if wrong:
        if not jobs.has_ended(status):
            stop(job_arn)
        log("the job is not what was asked for", run_id=plan.run_id, differences=len(wrong))
    elif running and stopped_by:
        stop(job_arn)
        status = "Stopping"
    elif running:
        record = _guarded(plan, record, readings, spent=spent, hours=hours)
        if record.stopped:
            stop(job_arn)
            status = "Stopping"

    ended = jobs.has_ended(status)
    trend_record.write(plan, job, steps, with_output=ended, status=status, guard=record.plain(), spent_usd=round(spent, 2))
    return {
        # A job with another role, key, network or grader must go no further, whatever Bedrock calls its state.
        "status": "Failed" if wrong else status,
        "ended": bool(wrong) or ended,
        "model_arn": job.get("outputModelArn") if ended and not wrong else None,
        "reason": "; ".join(wrong) if wrong else reason_of(job, status, record),
        "elapsed_hours": round(hours, 3),
        "spent_usd": round(spent, 2),
        "reward": trend.reward(steps),
        "ask": record.asked is not None,
        "guard": record.plain(),
        "stopped_by": stopped_by,
    }


def _guarded(plan: Plan, record: GuardRecord, readings: Sequence[Reading], *, spent: float, hours: float) -> GuardRecord:
    """The record after the rails looked at the job. What they demand is told once: by the run's end, the question, or a message."""
    if record.stopped:
        return record
    settings = config.settings()
    found = guard_rails.findings(
        readings,
        settings.guard_rails,
        spend=Spend(so_far=spent, estimated=plan.estimate.usd, cap=settings.training.caps.usd),
        hours=Hours(so_far=hours, allowed=settings.training.max_hours),
    )
    emit(
        {METRIC_OF_RAIL[rail]: 1 for rail in guard_rails.standing(found, record.cleared)}, environment=plan.environment, run_id=plan.run_id
    )
    finding = guard_rails.pressing(found, record.cleared)
    if finding is None:
        return record
    if finding.action == TELL:
        notices.tell(
            f"run {plan.run_id}: {finding.rail}",
            f"{finding.reason}\nThe job goes on.",
            steps=[
                Step(what="Look", command=f"rft run watch {plan.run_id} --env {plan.environment}"),
                Step(what="Stop it", command=f"rft run stop {plan.run_id} --env {plan.environment}"),
            ],
            page=RUNBOOK_OF_RAIL.get(finding.rail, ""),
            run_id=plan.run_id,
        )
    emit({Metric.GUARD_RAIL: 1}, environment=plan.environment, run_id=plan.run_id)
    log("a guard rail was reached", run_id=plan.run_id, rail=finding.rail, action=finding.action)
    return record.reached(finding)


def stop(job_arn: str) -> bool:
    """Asks Bedrock to stop the job; one that is stopping or has ended meanwhile is as wanted. Says whether this call did it."""
    try:
        aws.bedrock().stop_model_customization_job(jobIdentifier=job_arn)
    except ClientError as error:
        if aws.code_of(error) in {"ConflictException", "ResourceNotFoundException"}:
            return False
        raise
    return True


def reason_of(job: Mapping[str, Any], status: str, record: GuardRecord) -> str:
    """Why the job ended, for people; empty while it runs or when it completed."""
    message = " ".join(str(job.get("failureMessage") or "").split())[:REASON_CHARACTERS]
    if status in {"Stopping", "Stopped"} and record.stopped:
        return record.stopped
    if status == "Stopped":
        return message or "the job was stopped"
    if status == "Failed":
        return message or "the job failed; Bedrock gave no message"
    return ""
