"""StartTraining: creates the customization job, once however often it is called.

Event `{plan, approvals}`; gives `{job_arn}`. This is the step that spends money: without the approval the plan asks for it refuses.
It raises `BudgetUsedUp` when AWS Budgets lets nothing start any more.

Permissions:
  bedrock:CreateModelCustomizationJob on the base foundation model, custom-model/* and model-customization-job/*
  bedrock:TagResource on custom-model/* and model-customization-job/*; bedrock:GetModelCustomizationJob on model-customization-job/*
  iam:PassRole on the job's service role, iam:PassedToService bedrock.amazonaws.com
  kms:DescribeKey, kms:CreateGrant, kms:Decrypt, kms:GenerateDataKey on the model key, kms:ViaService bedrock
  ec2:DescribeSubnets, ec2:DescribeSecurityGroups, ec2:DescribeVpcs on * (no resource level) if the service checks the network as the caller
Environment: RFT_SETTINGS, RFT_JOB_ROLE_ARN, RFT_MODEL_KEY_ARN, RFT_JOB_SUBNETS, RFT_JOB_SECURITY_GROUPS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from contracts import names
from contracts.errors import InvalidInput
from contracts.run import Plan

from pipeline import aws, config, jobs, store
from pipeline.approvals import approval_problem
from pipeline.budget import spending
from pipeline.task import Event, Result, task


@task
def handler(event: Event) -> Result:
    plan = store.plan_of(event)
    _may_spend(plan, event.get("approvals"))
    try:
        with spending(plan.environment):
            created = aws.bedrock().create_model_customization_job(**jobs.request(plan, security()))
    except ClientError as error:
        if aws.code_of(error) != "ConflictException":
            raise
        return {"job_arn": _existing(plan, error)}
    return {"job_arn": created["jobArn"]}


def security() -> jobs.Security:
    """The role, key and network this environment's jobs must have."""
    return jobs.Security(
        role_arn=config.variable(names.ENV_JOB_ROLE),
        key_arn=config.variable(names.ENV_MODEL_KEY),
        subnets=tuple(config.listed(names.ENV_SUBNETS)),
        security_groups=tuple(config.listed(names.ENV_SECURITY_GROUPS)),
    )


def _may_spend(plan: Plan, approvals: Mapping[str, Any] | None) -> None:
    problems = []
    if plan.needs_spend_approval and (problem := approval_problem(approvals, "spend")):
        problems.append(problem)
    cap = config.settings().training.caps.usd
    if plan.estimate.usd > cap:
        problems.append(f"the estimate is ${plan.estimate.usd:,.2f}; allowed is at most ${cap:,.2f} in this environment")
    if problems:
        raise InvalidInput(f"run {plan.run_id}", problems)


def _existing(plan: Plan, conflict: ClientError) -> str:
    # The name is taken: by an earlier attempt of this very step, or by something else, which must not be adopted.
    job = aws.bedrock().get_model_customization_job(jobIdentifier=plan.job_name)
    problems = jobs.differences(job, plan, security())
    if problems:
        raise InvalidInput(f"customization job {plan.job_name}", ["exists already and is not this run's", *problems]) from conflict
    return job["jobArn"]
