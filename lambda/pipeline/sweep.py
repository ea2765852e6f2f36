"""Sweep: finds what costs money and belongs to no run: a job nobody follows, a deployment nobody points at, throughput nobody asked for.

It also says how long the longest approval has been waiting, for the alarm on it.

Event: none is read. Gives `{orphans: [{kind, arn, run_id, since, usd_per_hour, removed}]}`. Every other step cleans up after itself;
this one is for what was lost all the same, by a fault of the pipeline, of Bedrock, or by hand. It names the price per hour of each.

Permissions:
  bedrock:ListModelCustomizationJobs, bedrock:ListCustomModelDeployments, bedrock:ListProvisionedModelThroughputs on * (no resource level)
  bedrock:GetCustomModel on custom-model/*
  bedrock:StopModelCustomizationJob on model-customization-job/*, bedrock:DeleteCustomModelDeployment on custom-model-deployment/*
  states:ListExecutions on the state machine; states:DescribeExecution, states:GetExecutionHistory on its executions
  ssm:GetParameter on /rft/<env>/released-model
  sns:Publish on the topic, with kms:Decrypt and kms:GenerateDataKey on the topic's key
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_STATE_MACHINE_ARN, RFT_TOPIC_ARN.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from botocore.exceptions import ClientError
from contracts import names, runbooks
from contracts.chat import Step
from contracts.emf import emit
from contracts.metrics import Metric
from contracts.settings import Prices

from pipeline import aws, config, notices, pointer, turns, waiting
from pipeline.clean_up import delete_deployment
from pipeline.prepare_run import run_id_problems
from pipeline.task import Event, Result, log, task
from pipeline.track_training import stop

JOB, DEPLOYMENT, THROUGHPUT = "customization job", "deployment", "provisioned throughput"


@attrs.frozen(kw_only=True)
class Orphan:
    """Something that costs money and belongs to no run.

    Attributes:
        kind: what it is.
        arn: its ARN.
        run_id: the run that made it, by its name.
        since: when it was made, ISO 8601.
        usd_per_hour: by the environment's prices; None where it is paid by the token, and costs nothing while nobody asks it.
    """

    kind: str
    arn: str
    run_id: str
    since: str
    usd_per_hour: float | None


@task
def handler(_event: Event) -> Result:
    settings, before = config.settings(), datetime.now(UTC) - timedelta(minutes=config.settings().sweep.grace_minutes)
    found = [*_jobs(before, settings.training.prices), *_deployments(before), *_throughputs(settings.sweep.provisioned_usd_per_unit_hour)]
    orphans = [attrs.asdict(orphan) | {"removed": _removed(orphan) if settings.sweep.remove else False} for orphan in found]
    emit({Metric.ORPHANS: len(orphans)}, environment=config.environment(), run_id=None)
    if (hours := waiting.longest(datetime.now(UTC))) > 0:
        emit({Metric.APPROVAL_WAITING: hours}, environment=config.environment(), run_id=None)
    if orphans:
        log("orphans were found", orphans=len(orphans), removed=sum(orphan["removed"] for orphan in orphans))
        notices.tell(
            f"{len(orphans)} orphaned: costs money and belongs to no run",
            message(orphans),
            steps=[Step(what="See which runs lost them", command=f"rft run list --env {config.environment()}")],
            page=runbooks.ORPHANS_FOUND,
        )
    return {"orphans": orphans}


def hourly_usd_of_a_job(prices: Prices) -> float:
    """US dollars a job takes in an hour, by the throughput and the price the estimates use."""
    return round(prices.training_tokens_per_second * 3600 * prices.training_usd_per_million_tokens / 1e6, 2)


def message(orphans: list[dict[str, Any]]) -> str:
    """What people are told: each orphan with its price and what became of it."""
    lines = []
    for orphan in orphans:
        price = "paid by the token" if orphan["usd_per_hour"] is None else f"about ${orphan['usd_per_hour']:,.2f} an hour"
        became = {True: "removed", False: "STILL THERE"}[orphan["removed"]]
        lines.append(f"{orphan['kind']} of run {orphan['run_id']}, since {orphan['since']}, {price}: {became}\n  {orphan['arn']}")
    return "\n".join(["No run needs these any more:", *lines, "What is still there must be removed by hand."])


def _jobs(before: datetime, prices: Prices) -> Iterator[Orphan]:
    pages = aws.bedrock().get_paginator("list_model_customization_jobs")
    named = names.job_name_prefix(config.environment())
    for page in pages.paginate(statusEquals="InProgress", nameContains=named):
        for job in page.get("modelCustomizationJobSummaries", []):
            run_id = _lost(job["jobName"])
            if run_id and job["creationTime"] < before:
                yield _orphan(JOB, job["jobArn"], run_id, job["creationTime"], hourly_usd_of_a_job(prices))


def _deployments(before: datetime) -> Iterator[Orphan]:
    serving = set(pointer.deployments(pointer.read()))
    pages = aws.bedrock().get_paginator("list_custom_model_deployments")
    for page in pages.paginate(nameContains=names.job_name_prefix(config.environment())):
        for deployment in page.get("modelDeploymentSummaries", []):
            arn, run_id = deployment["customModelDeploymentArn"], _lost(deployment["customModelDeploymentName"])
            if run_id and arn not in serving and deployment["createdAt"] < before:
                yield _orphan(DEPLOYMENT, arn, run_id, deployment["createdAt"], None)


def _throughputs(usd_per_unit_hour: float) -> Iterator[Orphan]:
    pages = aws.bedrock().get_paginator("list_provisioned_model_throughputs")
    for page in pages.paginate():
        for bought in page.get("provisionedModelSummaries", []):
            run_id = _run_of_model(bought["modelArn"])
            if run_id:
                price = round(bought["modelUnits"] * usd_per_unit_hour, 2)
                yield _orphan(THROUGHPUT, bought["provisionedModelArn"], run_id, bought["creationTime"], price)


def _orphan(kind: str, arn: str, run_id: str, since: datetime, usd_per_hour: float | None) -> Orphan:
    return Orphan(kind=kind, arn=arn, run_id=run_id, since=since.isoformat(timespec="seconds"), usd_per_hour=usd_per_hour)


def _lost(name: str) -> str | None:
    """The run of this name, if it is one of this environment's and no longer under way."""
    run_id = names.run_id_of_job(config.environment(), name)
    return run_id if run_id and not run_id_problems(run_id) and not turns.is_running(run_id) else None


def _run_of_model(arn: str) -> str | None:
    if ":custom-model/" not in arn:
        return None
    try:
        name = aws.bedrock().get_custom_model(modelIdentifier=arn)["modelName"]
    except ClientError as error:
        if aws.code_of(error) == "ResourceNotFoundException":
            return None
        raise
    return names.run_id_of_job(config.environment(), name)


def _removed(orphan: Orphan) -> bool:
    if orphan.kind == JOB:
        return stop(orphan.arn)
    return delete_deployment(orphan.arn) if orphan.kind == DEPLOYMENT else False
