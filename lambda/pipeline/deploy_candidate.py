"""DeployCandidate: puts the trained model behind an on-demand deployment, once, and says how far it is.

Event `{plan, model_arn}`; gives `{deployment_arn, status: Creating | Active | Failed, reason}`. Raises `BudgetUsedUp` when AWS Budgets
lets nothing start any more.

Permissions:
  bedrock:GetCustomModel on custom-model/*
  bedrock:CreateCustomModelDeployment on custom-model/* and custom-model-deployment/*
  bedrock:GetCustomModelDeployment, bedrock:TagResource on custom-model-deployment/*
  kms:Decrypt on the model key, kms:ViaService bedrock
Environment: none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from contracts.run import Plan

from pipeline import aws, jobs, store
from pipeline.budget import spending
from pipeline.task import Event, Result, task

REASON_CHARACTERS = 600
CREATING, ACTIVE, FAILED = "Creating", "Active", "Failed"


@task
def handler(event: Event) -> Result:
    plan, model_arn = store.plan_of(event), str(event["model_arn"])
    found = find(plan.job_name)
    if found is not None:
        return described(found, model_arn)
    model = aws.bedrock().get_custom_model(modelIdentifier=model_arn)
    # Only an Active model can be deployed; the field is absent from models that were never otherwise.
    state = model.get("modelStatus", ACTIVE)
    if state != ACTIVE:
        reason = f"the custom model is {state}: {str(model.get('failureMessage') or 'no message')[:REASON_CHARACTERS]}"
        return {"deployment_arn": None, "status": FAILED if state == FAILED else CREATING, "reason": reason}
    return {"deployment_arn": _create(plan, model_arn), "status": CREATING, "reason": ""}


def find(name: str) -> Mapping[str, Any] | None:
    """The deployment of this name or ARN, or None."""
    try:
        return aws.bedrock().get_custom_model_deployment(customModelDeploymentIdentifier=name)
    except ClientError as error:
        if aws.code_of(error) == "ResourceNotFoundException":
            return None
        raise


def described(deployment: Mapping[str, Any], model_arn: str) -> Result:
    """The state's result for a deployment that exists."""
    arn, status = deployment["customModelDeploymentArn"], str(deployment["status"]).capitalize()
    if deployment["modelArn"] != model_arn:
        return {
            "deployment_arn": arn,
            "status": FAILED,
            "reason": f"the deployment serves {deployment['modelArn']}; asked for was {model_arn}",
        }
    message = str(deployment.get("failureMessage") or "")[:REASON_CHARACTERS]
    return {"deployment_arn": arn, "status": status, "reason": message or ("the deployment failed" if status == FAILED else "")}


def _create(plan: Plan, model_arn: str) -> str:
    # The token makes a repeated call give the same deployment, even before the name can be looked up.
    with spending(plan.environment):
        return aws.bedrock().create_custom_model_deployment(
            modelDeploymentName=plan.job_name,
            modelArn=model_arn,
            description=f"Candidate of run {plan.run_id}, dataset {plan.dataset}/{plan.dataset_version}",
            tags=jobs.tags(plan),  # type: ignore[arg-type]
            clientRequestToken=plan.job_name,
        )["customModelDeploymentArn"]
