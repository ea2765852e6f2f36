"""Release: moves the released-model pointer to the candidate and keeps the model before it, to roll back to.

Event `{plan, model_arn, deployment_arn, gate, approvals}`; gives the pointer. Refuses without a passed gate, or without the approval
the plan asks for. The deployment before the previous one is deleted, as an account may hold few; should that fail, the release stands.

Permissions:
  ssm:GetParameter, ssm:GetParameterHistory, ssm:PutParameter on /rft/<env>/released-model
  bedrock:GetCustomModelDeployment, bedrock:DeleteCustomModelDeployment on custom-model-deployment/*
Environment: RFT_ENVIRONMENT.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from contracts.errors import InvalidInput
from contracts.run import Plan

from pipeline import aws, pointer, store
from pipeline.approvals import approval_problem
from pipeline.clean_up import delete_deployment
from pipeline.deploy_candidate import ACTIVE, find
from pipeline.task import Event, Result, log, now, task


@task
def handler(event: Event) -> Result:
    plan = store.plan_of(event)
    problems = refusals(plan, event)
    deployment = find(str(event.get("deployment_arn"))) if not problems else None
    if not problems and (deployment is None or deployment["status"] != ACTIVE or deployment["modelArn"] != event["model_arn"]):
        problems.append(f"deployment_arn = {event.get('deployment_arn')!r}: allowed is an Active deployment of {event['model_arn']}")
    if problems:
        raise InvalidInput(f"release of run {plan.run_id}", problems)

    # Tried again, also after a later release of another run: moving the pointer back would undo that one.
    if own := pointer.release_of(plan.run_id):
        return own
    current, version = pointer.read_versioned()
    released = pointer.succeeding(current, entry(plan, event))
    written = pointer.write(released)
    # Parameter Store writes on no condition: a release of another run that came in between would be nobody's.
    while written != version + 1 and (others := _others(plan, version, written)):
        current, version = others[-1], written
        released = pointer.succeeding(current, entry(plan, event))
        written = pointer.write(released)
    _retire(current, released)
    return released


def refusals(plan: Plan, event: Event) -> list[str]:
    """Why the candidate may not be released, one line each."""
    gate, problems = event.get("gate"), []
    if not isinstance(gate, dict) or gate.get("passed") is not True:
        problems.append("the candidate has not passed the gate; allowed is one that has")
    if plan.needs_release_approval and (problem := approval_problem(event.get("approvals"), "release")):
        problems.append(problem)
    problems += [f"{key} is missing" for key in ("model_arn", "deployment_arn") if not event.get(key)]
    return problems


def entry(plan: Plan, event: Event) -> dict[str, Any]:
    """What the pointer says of the released model."""
    return {
        "environment": plan.environment,
        "run_id": plan.run_id,
        "model_arn": event["model_arn"],
        "deployment_arn": event["deployment_arn"],
        "released_at": now(),
        "candidate_mean": event["gate"]["candidate_mean"],
        "base_mean": event["gate"]["base_mean"],
    }


def _others(plan: Plan, first: int, last: int) -> list[dict[str, Any]]:
    """Other runs' releases between two versions of the pointer; a write whose answer was lost makes versions of this run's own."""
    return [value for value in pointer.written_between(first, last) if value["run_id"] != plan.run_id]


def _retire(before: dict[str, Any] | None, released: dict[str, Any]) -> None:
    for arn in set(pointer.deployments(before)) - set(pointer.deployments(released)):
        try:
            delete_deployment(arn)
        except (ClientError, BotoCoreError) as error:
            code = aws.code_of(error) if isinstance(error, ClientError) else type(error).__name__
            log("an old deployment was not deleted", run_id=released["run_id"], deployment=arn, error=code)
