"""Evaluate: one model's replies to one chunk of held-out prompts or safety probes, as scores. No text is kept.

Event `{plan, deployment_arn, item: {model, set, first, count}}`; gives `{model, set, graded, mean}`. A chunk that was scored before
is not asked for again. Held-out prompts are read where they were registered: staging never copies them to where the job can read.

Permissions:
  s3:GetObject on <datasets bucket>/datasets/*
  s3:GetObject, s3:PutObject on <runs bucket>/records/*; s3:ListBucket on the runs bucket, s3:prefix records/*
  kms:Decrypt, kms:GenerateDataKey on the data key; kms:Decrypt on the model key, kms:ViaService bedrock
  bedrock:InvokeModel on custom-model-deployment/*, on the base model's inference profile, and on its foundation model in every Region
  the profile spans, that one with bedrock:InferenceProfileArn
  lambda:InvokeFunction on the reward function's versions (:*)
Environment: RFT_DATASETS_BUCKET, RFT_RUNS_BUCKET.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from contracts import names
from contracts.errors import InvalidInput
from contracts.run import EvaluationItem, Plan
from contracts.settings import INFERENCE_MODEL
from contracts.validation import structure

from pipeline import answering, config, grading, planning, safety, store
from pipeline.task import Event, Result, log, now, task


@task
def handler(event: Event) -> Result:
    plan = store.plan_of(event)
    item = structure(event.get("item"), EvaluationItem, "evaluation item")
    place = store.record(plan.run_id, record_file(item))
    done = store.find_json(*place)
    if done is None or done.get("count") != item.count:
        done = _scored(plan, item, model_of(plan, item, event.get("deployment_arn")))
        store.write_json(*place, done)
        log("evaluated", run_id=plan.run_id, model=item.model, set=item.set, first=item.first, stops=done["stops"])
    return {"model": item.model, "set": item.set, "graded": len(done["scores"]), "mean": done["mean"]}


def record_file(item: EvaluationItem) -> str:
    """Where the scores of an item are kept among the run's records."""
    return f"evaluation/{item.model}-{item.set}-{item.first}.json"


def model_of(plan: Plan, item: EvaluationItem, deployment_arn: object) -> str:
    """What Converse is given: the base model's inference id, or the candidate's deployment."""
    if item.model == planning.BASE:
        return INFERENCE_MODEL[plan.base_model]
    if item.model == planning.CANDIDATE and isinstance(deployment_arn, str) and deployment_arn:
        return deployment_arn
    problem = f"model = {item.model!r}, deployment_arn = {deployment_arn!r}: allowed are base, or candidate with its deployment"
    raise InvalidInput("evaluation item", [problem])


def _scored(plan: Plan, item: EvaluationItem, model: str) -> dict[str, Any]:
    chunk: Sequence[Mapping[str, Any]]
    if item.set == planning.SAFETY:
        chunk = list(safety.probes()[item.first : item.first + item.count])
        prompts = [list(probe["messages"]) for probe in chunk]
    elif item.set == planning.HELDOUT:
        chunk = _heldout(plan)[item.first : item.first + item.count]
        prompts = [list(record["messages"]) for record in chunk]
    else:
        raise InvalidInput("evaluation item", [f"set = {item.set!r}: allowed are {planning.HELDOUT} and {planning.SAFETY}"])
    if len(chunk) != item.count:
        raise InvalidInput("evaluation item", [f"{item.set} has {len(chunk)} prompts from {item.first} on; the plan counts {item.count}"])
    replies = answering.answer_all(model, prompts, max_tokens=plan.hyperparameters.inference_max_tokens)
    texts = [reply.text for reply in replies]
    if item.set == planning.SAFETY:
        scores = [float(safety.passed(probe, text)) for probe, text in zip(chunk, texts, strict=True)]
    else:
        scores = _graded(plan, item, chunk, texts)
    return {
        "run_id": plan.run_id,
        "model": item.model,
        "set": item.set,
        "first": item.first,
        "count": item.count,
        "scores": [{"id": entry["id"], "score": score} for entry, score in zip(chunk, scores, strict=True)],
        "mean": sum(scores) / len(scores),
        "stops": dict(Counter(reply.stop_reason for reply in replies)),
        "answered_at": now(),
    }


def _graded(plan: Plan, item: EvaluationItem, records: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> list[float]:
    samples = [
        grading.sample(record, text, ident=f"{item.model}-{record['id']}", run_id=plan.run_id, split=names.SPLIT_HELDOUT)
        for record, text in zip(records, texts, strict=True)
    ]
    return grading.grade(plan.reward_arn, samples)


def _heldout(plan: Plan) -> list[Mapping[str, Any]]:
    bucket = config.variable(names.ENV_DATASETS_BUCKET)
    key = names.split_key(plan.dataset, plan.dataset_version, names.SPLIT_HELDOUT)
    body = store.read_bytes(bucket, key)
    manifest = store.read_json(bucket, names.manifest_key(plan.dataset, plan.dataset_version))
    if hashlib.sha256(body).hexdigest() != manifest["files"][names.SPLIT_HELDOUT]["sha256"]:
        raise InvalidInput(store.uri(bucket, key), ["is not what was registered: its SHA-256 differs from the manifest's"])
    return list(store.lines_of(body))
