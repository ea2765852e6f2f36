"""RehearseReward: grades replies of known worth with the pinned reward version before any money is spent.

Event `{plan}`; gives `{trusted, reasons, probes, signal, learnt, gold, calibration}`, stored as records/<run>/rehearsal.json. Where
settings ask for a calibrated reward and this version is none, it is refused without a call.

Permissions:
  s3:GetObject on <runs bucket>/staged/*; s3:PutObject on <runs bucket>/records/*; kms:Decrypt, kms:GenerateDataKey on the data key
  s3:GetObject on <datasets bucket>/feedback/*; s3:ListBucket on the datasets bucket, s3:prefix feedback/*
  lambda:InvokeFunction on the reward function's versions (:*)
Environment: RFT_SETTINGS, RFT_DATASETS_BUCKET, RFT_RUNS_BUCKET.
"""

from __future__ import annotations

from typing import Any

from contracts import names
from contracts.run import Plan

from pipeline import calibration_check, config, grading, rehearsal, rehearsal_calls, store
from pipeline.probes import cases_of
from pipeline.task import Event, Result, log, now, task


@task
def handler(event: Event) -> Result:
    plan = store.plan_of(event)
    calibrated = calibration_check.look(plan, config.settings().calibration)
    result = rehearsal.broken(*calibrated.problems) if calibrated.problems else _rehearsed(plan)
    result["calibration"] = calibrated.found
    report = {"run_id": plan.run_id, "reward_arn": plan.reward_arn, "reward_sha256": plan.reward_sha256, "rehearsed_at": now(), **result}
    store.write_json(*store.record(plan.run_id, "rehearsal.json"), report)
    log("rehearsal", run_id=plan.run_id, trusted=result["trusted"], samples=sum(probe["samples"] for probe in result["probes"]))
    return result


def _rehearsed(plan: Plan) -> dict[str, Any]:
    body = store.read_bytes(config.variable(names.ENV_RUNS_BUCKET), names.staged_key(plan.run_id, names.SPLIT_TRAIN))
    records = list(store.lines_of(body))
    try:
        graded = rehearsal_calls.grade(cases_of(records), records, reward_arn=plan.reward_arn, run_id=plan.run_id)
    except grading.GraderFault as fault:
        return rehearsal.broken(str(fault))
    return rehearsal.verdict(graded.cases, graded.scores, graded.gold)
