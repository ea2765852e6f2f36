"""AwaitJobChange: leaves its task token where Bedrock's event finds it, then looks at the job once.

Event `{plan, job_arn, token}`. The look closes the gap between the last poll and the storing of the token: a job that ended in it
sends an event that found no token. When nothing comes, the state's timeout is the poll interval.

Permissions:
  s3:PutObject, s3:DeleteObject on <runs bucket>/tokens/*; kms:GenerateDataKey, kms:Decrypt on the data key
  bedrock:GetModelCustomizationJob on model-customization-job/*
  states:SendTaskSuccess on the state machine
Environment: RFT_RUNS_BUCKET.
"""

from __future__ import annotations

from contracts import names

from pipeline import aws, config, jobs, store, tokens
from pipeline.task import Event, Result, now, task


@task
def handler(event: Event) -> Result:
    plan, job_arn, token = store.plan_of(event), str(event["job_arn"]), str(event["token"])
    bucket, key = config.variable(names.ENV_RUNS_BUCKET), names.token_key(plan.run_id, tokens.JOB)
    store.write_json(bucket, key, {"token": token, "job_arn": job_arn, "stored_at": now()})
    status = jobs.status_of(aws.bedrock().get_model_customization_job(jobIdentifier=job_arn)["status"])
    if jobs.has_ended(status):
        tokens.succeed(token, {"status": status, "by": "poll"})
        store.delete(bucket, key)
    return {"status": status}
