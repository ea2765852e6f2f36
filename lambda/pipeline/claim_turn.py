"""ClaimTurn: takes one of the environment's places for a job, so that no more than `training.max_running` train at once.

Event `{plan}`; gives `{granted}`. Without a place the state machine waits and asks again.

Permissions:
  s3:GetObject, s3:PutObject on <runs bucket>/turns/*; s3:ListBucket on the runs bucket, s3:prefix turns/*
  kms:Decrypt, kms:GenerateDataKey on the data key
  states:DescribeExecution on the state machine's executions
Environment: RFT_SETTINGS, RFT_RUNS_BUCKET, RFT_STATE_MACHINE_ARN.
"""

from __future__ import annotations

from pipeline import config, store, turns
from pipeline.task import Event, Result, task


@task
def handler(event: Event) -> Result:
    plan = store.plan_of(event)
    return {"granted": turns.claim(plan.run_id, config.settings().training.max_running)}
