"""ApproveSpend, AskToContinue, ApproveRelease: leaves the task token for the answer and tells people what is asked, with figures.

Event `{plan, kind: "spend" | "continue" | "release", token, gate?, job?}`. The state waits until someone answers the token or its time
is up. `job` is what TrackTraining gave, whose guard rail is asked about; the job runs on meanwhile.

Permissions:
  s3:PutObject on <runs bucket>/tokens/*; kms:GenerateDataKey, kms:Decrypt on the data key
  sns:Publish on the topic, with kms:Decrypt and kms:GenerateDataKey on the topic's key
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_RUNS_BUCKET, RFT_TOPIC_ARN.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import names, runbooks
from contracts.chat import Step
from contracts.emf import emit
from contracts.errors import InvalidInput
from contracts.metrics import Metric
from contracts.run import Plan
from contracts.validation import plain

from pipeline import config, notices, store, tokens
from pipeline.guard_record import GuardRecord
from pipeline.task import Event, Result, task

WITHOUT_ANSWER = {
    tokens.SPEND: "the run ends unapproved",
    tokens.CONTINUE: "the job is stopped",
    tokens.RELEASE: "the run ends unapproved",
}


@task
def handler(event: Event) -> Result:
    plan, kind = store.plan_of(event), str(event.get("kind"))
    basis = basis_of(kind, event)
    asked, settings = datetime.now(UTC), config.settings()
    time_left = (
        timedelta(minutes=settings.guard_rails.ask_minutes) if kind == tokens.CONTINUE else timedelta(hours=settings.approval.timeout_hours)
    )
    request = {
        "run_id": plan.run_id,
        "environment": plan.environment,
        "kind": kind,
        "what": question(plan, kind, basis),
        "figures": figures(plan, kind, basis),
        "asked_at": asked.isoformat(timespec="seconds"),
        "expires_at": (asked + time_left).isoformat(timespec="seconds"),
        "token": str(event["token"]),
    }
    store.write_json(config.variable(names.ENV_RUNS_BUCKET), names.token_key(plan.run_id, kind), request)
    notices.tell(
        f"run {plan.run_id}: approve {kind}?",
        facts(request),
        steps=answers(plan.run_id, plan.environment),
        page=runbooks.APPROVAL_WAITING,
        run_id=plan.run_id,
    )
    emit({Metric.APPROVAL_REQUESTED: 1}, environment=plan.environment, run_id=plan.run_id)
    return {"asked": kind, "expires_at": request["expires_at"]}


def basis_of(kind: str, event: Event) -> Mapping[str, Any]:
    """What the decision rests on besides the plan: the gate's result, or the job whose guard rail was reached.

    Raises:
        InvalidInput: for an unknown kind, or when it is missing: nobody could judge.
    """
    if kind == tokens.SPEND:
        return {}
    where = {tokens.RELEASE: "gate", tokens.CONTINUE: "job"}.get(kind)
    if where is None:
        raise InvalidInput("approval request", [f"kind = {kind!r}: allowed are {tokens.SPEND}, {tokens.CONTINUE} and {tokens.RELEASE}"])
    basis = event.get(where)
    if not isinstance(basis, Mapping):
        raise InvalidInput("approval request", [f"{where} is missing; without it nobody can judge the {kind} approval"])
    return basis


def question(plan: Plan, kind: str, basis: Mapping[str, Any]) -> str:
    """What the approver says yes or no to."""
    if kind == tokens.SPEND:
        prompts, usd = plan.prompts[names.SPLIT_TRAIN], plan.estimate.usd
        return f"Train {plan.base_model} on {plan.dataset} ({prompts} prompts), estimated at ${usd:,.2f}?"
    if kind == tokens.CONTINUE:
        asked = GuardRecord.read(basis.get("guard")).asked or {}
        return f"Let the job of run {plan.run_id} go on? It runs and costs money meanwhile. {str(asked.get('reason', '')).capitalize()}."
    return f"Release the model of run {plan.run_id} in {plan.environment}?"


def figures(plan: Plan, kind: str, basis: Mapping[str, Any]) -> dict[str, Any]:
    """What the decision rests on: the estimate, the job so far, or the gate's result."""
    if kind == tokens.SPEND:
        return {**plain(plan.estimate), "requested_by": plan.requested_by}
    if kind == tokens.CONTINUE:
        job = {key: basis.get(key) for key in ("elapsed_hours", "spent_usd")}
        return {"guard_rail": (GuardRecord.read(basis.get("guard")).asked or {}).get("rail"), **job, "estimated_usd": plan.estimate.usd}
    wanted = ("base_mean", "candidate_mean", "difference", "low", "high", "margin", "prompts", "safety")
    return {key: basis.get(key) for key in wanted}


def facts(request: Mapping[str, Any]) -> str:
    """What people are told. The token is not in it: it is answered through the command, which leaves a name and a reason."""
    lines = [
        str(request["what"]),
        *(f"  {key}: {value}" for key, value in request["figures"].items()),
        f"Without an answer by {request['expires_at']} {WITHOUT_ANSWER[request['kind']]}.",
    ]
    return "\n".join(lines)


def answers(run_id: str, environment: str) -> list[Step]:
    return [
        Step(what="Yes", command=f'rft run approve {run_id} --env {environment} --reason "..."'),
        Step(what="No", command=f'rft run reject {run_id} --env {environment} --reason "..."'),
    ]
