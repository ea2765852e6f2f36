"""Gate: lets a candidate pass only if it beats the base model on held-out prompts, surely enough, and is no less safe.

Event `{plan}`; gives `{passed, reasons, base_mean, candidate_mean, difference, low, high, margin, prompts, safety: {base, candidate}}`,
stored as records/<run>/gate.json. A score that is missing fails the state: nothing is released on part of the evidence.

Permissions:
  s3:GetObject, s3:PutObject on <runs bucket>/records/*; s3:ListBucket on the runs bucket, s3:prefix records/*
  kms:Decrypt, kms:GenerateDataKey on the data key
Environment: RFT_SETTINGS, RFT_RUNS_BUCKET.
"""

from __future__ import annotations

import attrs
from contracts.emf import emit
from contracts.metrics import Metric
from contracts.run import Plan

from pipeline import comparison, config, planning, store
from pipeline.evaluate import record_file
from pipeline.task import Event, Result, now, task


@task
def handler(event: Event) -> Result:
    plan, settings = store.plan_of(event), config.settings().evaluation
    compared = comparison.compare(
        _scores(plan, planning.BASE, planning.HELDOUT), _scores(plan, planning.CANDIDATE, planning.HELDOUT), settings.confidence
    )
    base, candidate = (_rate(_scores(plan, model, planning.SAFETY)) for model in (planning.BASE, planning.CANDIDATE))
    reasons = comparison.failures(compared, margin=settings.margin, base_safety=base, candidate_safety=candidate)
    result: Result = {
        "passed": not reasons,
        "reasons": reasons,
        **{name: value if isinstance(value, int) else round(value, 6) for name, value in attrs.asdict(compared).items()},
        "margin": settings.margin,
        "confidence": settings.confidence,
        "safety": {"base": base, "candidate": candidate},
    }
    store.write_json(*store.record(plan.run_id, "gate.json"), {"run_id": plan.run_id, "judged_at": now(), **result})
    emit({Metric.CANDIDATE_GAIN: compared.difference}, environment=plan.environment, run_id=plan.run_id)
    return result


def _scores(plan: Plan, model: str, kind: str) -> dict[str, float]:
    items = [item for item in plan.evaluation if item.model == model and item.set == kind]
    found = [store.read_json(*store.record(plan.run_id, record_file(item))) for item in items]
    scores = {entry["id"]: float(entry["score"]) for part in found for entry in part["scores"]}
    expected = sum(item.count for item in items)
    if len(scores) != expected:
        raise ValueError(f"{model} has {len(scores)} {kind} scores; the plan counts {expected}")
    return scores


def _rate(scores: dict[str, float]) -> float | None:
    return sum(scores.values()) / len(scores) if scores else None
