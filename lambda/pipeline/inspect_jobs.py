"""InspectJobs: finds customization jobs, and models served, that were made beside the pipeline; raises the alarm, and may stop a job.

Event, one of: EventBridge `AWS API Call via CloudTrail` for a call in `foreign.CALLS`; EventBridge `Model Customization Job State Change`
of any job; the schedule's `{}`, which looks through every job of the last `LOOK_BACK` and all that are running, because events are
delivered best effort. Gives `{looked_at, foreign: [id], told: [id], stopped: [id]}`.

Each finding is told once, as an event, a message and a record under `foreign/`, and once more when it becomes known who made it. The
metric is emitted for as long as a job runs.

Permissions:
  bedrock:ListModelCustomizationJobs on * (no resource level); bedrock:GetModelCustomizationJob on model-customization-job/*;
  bedrock:StopModelCustomizationJob on model-customization-job/* where settings say so
  s3:GetObject on <runs bucket>/records/* and foreign/*; s3:PutObject on <runs bucket>/foreign/*; s3:ListBucket on the runs bucket
  kms:Decrypt, kms:GenerateDataKey on the data key; events:PutEvents on the bus; sns:Publish on the topic, with the same use of its key
Environment: RFT_ENVIRONMENT, RFT_RUNS_BUCKET, RFT_BUS, RFT_TOPIC_ARN, RFT_REWARD_FUNCTION, RFT_JOB_ROLE_ARN, RFT_MODEL_KEY_ARN,
  RFT_JOB_SUBNETS, RFT_JOB_SECURITY_GROUPS, RFT_JOB_MAKER_ARN, RFT_DEPLOYMENT_MAKER_ARN, RFT_STOP_FOREIGN_JOBS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from botocore.exceptions import ClientError
from contracts import names, runbooks
from contracts.chat import Step
from contracts.emf import emit
from contracts.errors import InvalidInput
from contracts.events import BEDROCK_JOB_STATE_CHANGE, CLOUDTRAIL_CALL, RunEvent
from contracts.metrics import Metric
from contracts.run import Plan
from contracts.validation import structure

from pipeline import aws, config, foreign, jobs, notices, store
from pipeline.foreign import Finding
from pipeline.start_training import security
from pipeline.task import Event, Result, log, now, task
from pipeline.track_training import stop

LOOK_BACK = timedelta(days=8)
"""Longer than a job may run (`training.max_hours`, at most a week), and than a long weekend without events."""


@task
def handler(event: Event) -> Result:
    looked_at, findings = _found(event)
    told, stopped, running = [], [], 0
    for finding in findings:
        ended = jobs.has_ended(finding.status)
        done, by_us = _stop(finding) if finding.status else ("nothing: only customization jobs are stopped", False)
        stopped += [finding.id] if by_us else []
        before = store.find_json(*_record(finding))
        new = _is_news(finding, before)
        # What is stopped is told of as well: somebody may have been told that it runs on, or another look that it had ended by itself.
        if new or by_us:
            _tell(_known(finding, before), done)
            told.append(finding.id)
        running += new or (bool(finding.status) and not ended)
    if running:
        emit({Metric.FOREIGN_JOBS: running}, environment=config.environment(), run_id=None)
    if findings:
        log("made beside the pipeline", found=len(findings), told=len(told), stopped=len(stopped))
    return {"looked_at": looked_at, "foreign": [finding.id for finding in findings], "told": told, "stopped": stopped}


def _found(event: Event) -> tuple[int, list[Finding]]:
    detail: Mapping[str, Any] = event.get("detail") or {}
    kind = event.get("detail-type")
    if kind == CLOUDTRAIL_CALL:
        found = _called(detail)
    elif kind == BEDROCK_JOB_STATE_CHANGE:
        # By its name: the documented sample of the event has an ARN that is short of a segment.
        found = _inspect(str(detail.get("jobName", "")))
    else:
        inspected = [_inspect(arn) for arn in _recent_jobs()]
        return len(inspected), [finding for finding in inspected if finding]
    return 1, [found] if found else []


def _called(detail: Mapping[str, Any]) -> Finding | None:
    """What a call made, if it was not the pipeline's own."""
    action = str(detail.get("eventName", ""))
    call = foreign.CALLS.get(action)
    if call is None or detail.get("errorCode"):
        return None
    identity, given, answer = detail.get("userIdentity") or {}, detail.get("requestParameters") or {}, detail.get("responseElements") or {}
    makers = {
        foreign.JOB_CALL: config.variable(names.ENV_JOB_MAKER),
        foreign.DEPLOYMENT_CALL: config.variable(names.ENV_DEPLOYMENT_MAKER),
    }
    reasons = foreign.made_by_others(action, foreign.principal(identity), makers)
    name, arn, made_by = str(given.get(call.name, "")), str(answer.get(call.arn, "")), foreign.who(identity)
    status = ""
    if action == foreign.JOB_CALL:
        job = _job(arn or name)
        if job is not None:
            reasons += _reasons(job)
            arn, status = str(job["jobArn"]), jobs.status_of(str(job["status"]))
    if not reasons:
        return None
    when = str(detail.get("eventTime") or now())
    return Finding(what=call.what, name=name, arn=arn, action=action, who=made_by, when=when, reasons=tuple(reasons), status=status)


def _inspect(identifier: str) -> Finding | None:
    """The job, if it is not what a run of the pipeline planned."""
    job = _job(identifier) if identifier else None
    reasons = _reasons(job) if job else []
    if job is None or not reasons:
        return None
    return Finding(
        what=foreign.CALLS[foreign.JOB_CALL].what,
        name=str(job["jobName"]),
        arn=str(job["jobArn"]),
        action=foreign.JOB_CALL,
        who=foreign.UNKNOWN,
        when=job["creationTime"].astimezone(UTC).isoformat(timespec="seconds"),
        reasons=tuple(reasons),
        status=jobs.status_of(str(job["status"])),
    )


def _job(identifier: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = aws.bedrock().get_model_customization_job(jobIdentifier=identifier)
    except ClientError as error:
        if aws.code_of(error) in {"ResourceNotFoundException", "ValidationException"}:
            return None
        raise
    return found


def _reasons(job: Mapping[str, Any]) -> list[str]:
    plan, fault = _plan(str(job["jobName"]))
    return [*fault, *foreign.job_reasons(job, plan, security(), config.variable(names.ENV_REWARD_FUNCTION))]


def _plan(job_name: str) -> tuple[Plan | None, list[str]]:
    run_id = foreign.run_of(job_name, config.environment())
    found = store.find_json(*store.record(run_id, "plan.json")) if run_id else None
    if found is None:
        return None, []
    try:
        return structure(found, Plan, "plan.json"), []
    except InvalidInput:
        return None, [f"the plan of run {run_id} cannot be read"]


def _recent_jobs() -> Iterator[str]:
    """ARNs of the jobs of the last `LOOK_BACK`, and of older ones that still run."""
    pages = aws.bedrock().get_paginator("list_model_customization_jobs")
    since = datetime.now(UTC) - LOOK_BACK
    for page in pages.paginate(creationTimeAfter=since):
        yield from (job["jobArn"] for job in page.get("modelCustomizationJobSummaries", []))
    for page in pages.paginate(creationTimeBefore=since, statusEquals="InProgress"):
        yield from (job["jobArn"] for job in page.get("modelCustomizationJobSummaries", []))


def _stop(finding: Finding) -> tuple[str, bool]:
    """What was done about a job, in words, and whether this call stopped it."""
    if finding.status != "InProgress":
        return f"nothing: the job is {finding.status}", False
    if config.variable(names.ENV_STOP_FOREIGN_JOBS) != "true":
        return "nothing: perimeter.stop_foreign_jobs is false, so the job runs on and costs money until somebody stops it", False
    try:
        stopped = stop(finding.arn)
    except ClientError as error:
        if aws.is_transient(error):
            raise
        return f"the job could not be stopped: {aws.code_of(error)}", False
    return ("the job was told to stop" if stopped else "the job was stopping already"), stopped


def _is_news(finding: Finding, before: Mapping[str, Any] | None) -> bool:
    # Bedrock's own event or the schedule may be first, and neither knows who.
    return before is None or (before["who"] == foreign.UNKNOWN and finding.who != foreign.UNKNOWN)


def _known(finding: Finding, before: Mapping[str, Any] | None) -> Finding:
    """The finding, with who made it where only an earlier look knew that."""
    return attrs.evolve(finding, who=before["who"]) if before and finding.who == foreign.UNKNOWN else finding


def _tell(finding: Finding, done: str) -> None:
    detail = {
        "what": finding.what,
        "name": finding.name,
        "arn": finding.arn,
        "action": finding.action,
        "who": finding.who,
        "when": finding.when,
        "reasons": list(finding.reasons),
        "status": finding.status,
        "done": done,
    }
    notices.announce(RunEvent.FOREIGN_JOB_FOUND, detail)
    notices.tell(
        f"a {finding.what} was made outside the pipeline",
        foreign.message(finding, stopped=done, environment=config.environment()),
        steps=[
            Step(
                what="See the call",
                command=f"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue={finding.action}",
            )
        ],
        page=runbooks.FOREIGN_JOBS,
    )
    # Last, so that a failure before it tells again rather than never.
    store.write_json(*_record(finding), {"environment": config.environment(), "found_at": now(), **detail})


def _record(finding: Finding) -> tuple[str, str]:
    return config.variable(names.ENV_RUNS_BUCKET), names.foreign_key(finding.id)
