"""ApproveSpend and ApproveRelease: leaves the task token for the answer and tells people what is asked, with figures and the command.

Event `{plan, kind: "spend" | "release", token, gate?}`. The state waits until someone answers the token or its time is up.

Permissions:
  s3:PutObject on <runs bucket>/tokens/*; kms:GenerateDataKey, kms:Decrypt on the data key
  sns:Publish on the topic, with kms:Decrypt and kms:GenerateDataKey on the topic's key
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_RUNS_BUCKET, RFT_TOPIC_ARN.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import names
from contracts.emf import emit
from contracts.errors import InvalidInput
from contracts.metrics import Metric
from contracts.run import Plan
from contracts.validation import plain

from pipeline import config, notices, store, tokens
from pipeline.task import Event, Result, task


@task
def handler(event: Event) -> Result:
    plan, kind = store.plan_of(event), str(event.get("kind"))
    if kind not in {tokens.SPEND, tokens.RELEASE}:
        raise InvalidInput("approval request", [f"kind = {kind!r}: allowed are {tokens.SPEND} and {tokens.RELEASE}"])
    gate = event.get("gate")
    if kind == tokens.RELEASE and not isinstance(gate, Mapping):
        raise InvalidInput("approval request", ["gate is missing; allowed is the gate's result, without which nobody can judge a release"])
    asked, hours = datetime.now(UTC), config.settings().approval.timeout_hours
    request = {
        "run_id": plan.run_id,
        "environment": plan.environment,
        "kind": kind,
        "what": question(plan, kind),
        "figures": figures(plan, gate if isinstance(gate, Mapping) else None, kind),
        "asked_at": asked.isoformat(timespec="seconds"),
        "expires_at": (asked + timedelta(hours=hours)).isoformat(timespec="seconds"),
        "token": str(event["token"]),
    }
    store.write_json(config.variable(names.ENV_RUNS_BUCKET), names.token_key(plan.run_id, kind), request)
    notices.tell(f"run {plan.run_id}: approve {kind}?", message(request))
    emit({Metric.APPROVAL_REQUESTED: 1}, environment=plan.environment, run_id=plan.run_id)
    return {"asked": kind, "expires_at": request["expires_at"]}


def question(plan: Plan, kind: str) -> str:
    """What the approver says yes or no to."""
    if kind == tokens.SPEND:
        prompts, usd = plan.prompts[names.SPLIT_TRAIN], plan.estimate.usd
        return f"Train {plan.base_model} on {plan.dataset} ({prompts} prompts), estimated at ${usd:,.2f}?"
    return f"Release the model of run {plan.run_id} in {plan.environment}?"


def figures(plan: Plan, gate: Mapping[str, Any] | None, kind: str) -> dict[str, Any]:
    """What the decision rests on: the estimate, or the gate's result."""
    if kind == tokens.SPEND:
        return {**plain(plan.estimate), "requested_by": plan.requested_by}
    wanted = ("base_mean", "candidate_mean", "difference", "low", "high", "margin", "prompts", "safety")
    return {key: (gate or {}).get(key) for key in wanted}


def message(request: Mapping[str, Any]) -> str:
    """The message people get. The token is not in it: it is answered through the command, which leaves a name and a reason."""
    run, environment = request["run_id"], request["environment"]
    lines = [
        str(request["what"]),
        *(f"  {key}: {value}" for key, value in request["figures"].items()),
        "",
        f"Yes: rft run approve {run} --env {environment}",
        f'No:  rft run reject {run} --env {environment} --reason "..."',
        f"Without an answer by {request['expires_at']} the run ends unapproved.",
    ]
    return "\n".join(lines)
