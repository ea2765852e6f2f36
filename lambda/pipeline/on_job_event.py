"""Bedrock's state-change event: wakes the run that waits for the job. TrackTraining then asks Bedrock itself; nothing here is believed.

Event: EventBridge `Model Customization Job State Change` of a job named `rft-<environment>-*`.

Permissions:
  s3:GetObject, s3:DeleteObject on <runs bucket>/tokens/*; s3:ListBucket on the runs bucket, s3:prefix tokens/*
  kms:Decrypt on the data key
  states:SendTaskSuccess on the state machine
Environment: RFT_ENVIRONMENT, RFT_RUNS_BUCKET.
"""

from __future__ import annotations

from contracts import names

from pipeline import config, jobs, store, tokens
from pipeline.task import Event, Result, log, task


@task
def handler(event: Event) -> Result:
    detail = event.get("detail", {})
    run_id = names.run_id_of_job(config.environment(), str(detail.get("jobName", "")))
    status = jobs.status_of(str(detail.get("jobStatus", "")))
    if run_id is None or not jobs.has_ended(status):
        return {"woken": False, "why": "not the end of a job of this environment"}
    bucket, key = config.variable(names.ENV_RUNS_BUCKET), names.token_key(run_id, tokens.JOB)
    waiting = store.find_json(bucket, key)
    if waiting is None:
        return {"woken": False, "why": "no state waits for the job"}
    if jobs.short_id(str(detail.get("jobArn", ""))) != jobs.short_id(waiting["job_arn"]):
        return {"woken": False, "why": "the run waits for another job"}
    woken = tokens.succeed(waiting["token"], {"status": status, "by": "event"})
    store.delete(bucket, key)
    log("job event", run_id=run_id, status=status, woken=woken)
    return {"woken": woken, "why": "" if woken else "the state has moved on already"}
