"""RehearseReward: grades replies of known worth with the pinned reward version before any money is spent.

Event `{plan}`; gives `{trusted, reasons, probes, signal}`, stored as records/<run>/rehearsal.json.

Permissions:
  s3:GetObject on <runs bucket>/staged/*; s3:PutObject on <runs bucket>/records/*; kms:Decrypt, kms:GenerateDataKey on the data key
  lambda:InvokeFunction on the reward function's versions (:*)
Environment: RFT_RUNS_BUCKET.
"""

from __future__ import annotations

from contracts import names
from contracts.run import Plan

from pipeline import config, grading, rehearsal, store
from pipeline.probes import Probe, probes_for, sample_of
from pipeline.task import Event, Result, log, now, task


@task
def handler(event: Event) -> Result:
    plan = store.plan_of(event)
    probes, samples = _rehearse(plan)
    try:
        result = rehearsal.verdict(probes, grading.grade(plan.reward_arn, samples))
    except grading.GraderFault as fault:
        result = rehearsal.broken(str(fault))
    report = {"run_id": plan.run_id, "reward_arn": plan.reward_arn, "reward_sha256": plan.reward_sha256, "rehearsed_at": now(), **result}
    store.write_json(*store.record(plan.run_id, "rehearsal.json"), report)
    log("rehearsal", run_id=plan.run_id, trusted=result["trusted"], samples=len(samples))
    return result


def _rehearse(plan: Plan) -> tuple[list[Probe], list[dict[str, object]]]:
    body = store.read_bytes(config.variable(names.ENV_RUNS_BUCKET), names.staged_key(plan.run_id, names.SPLIT_TRAIN))
    records = sample_of(list(store.lines_of(body)))
    probes: list[Probe] = []
    samples: list[dict[str, object]] = []
    for position, record in enumerate(records):
        for number, probe in enumerate(probes_for(record, records[position - 1])):
            probes.append(probe)
            ident = f"{record['id']}-{number}"
            samples.append(grading.sample(record, probe.reply, ident=ident, run_id=plan.run_id, split=names.SPLIT_REHEARSAL))
    return probes, samples
