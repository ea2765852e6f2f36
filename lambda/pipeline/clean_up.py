"""CleanUp: stops the job, deletes the deployment nobody needs, removes the run's staged data and tokens, and gives its place back.

Event `{run_id, job_arn?, deployment_arn?, keep_deployment?, release_failed?, execution_arn?, after_end?}`; gives `{stopped_job,
deleted_deployment, released, problems}`. What is not there is no problem. Job and deployment are looked for by name when no ARN is given: a
create call may have worked although its answer was lost. With `release_failed` it gives under `released` what the pointer held of the run:
Release may have moved it and not been heard. With `execution_arn`, of an execution that has ended, no deployment is deleted while a Release
that was under way at the end may still point at it.

A busy service raises `TransientFault` for another attempt; any other fault ends up in `problems`, which people are told. After the end of
the execution nobody reads them: then they are raised, so that Lambda tries again and the event ends up among the undelivered.

Permissions:
  bedrock:GetModelCustomizationJob, bedrock:StopModelCustomizationJob on model-customization-job/*
  bedrock:GetCustomModelDeployment, bedrock:DeleteCustomModelDeployment on custom-model-deployment/*
  ssm:GetParameter, ssm:GetParameterHistory on /rft/<env>/released-model; states:GetExecutionHistory on the state machine's executions
  s3:DeleteObject on <runs bucket>/staged/* and <runs bucket>/tokens/*
  s3:ListBucket on the runs bucket, s3:prefix staged/*, tokens/*, turns/*
  s3:GetObject, s3:PutObject on <runs bucket>/turns/*; kms:Decrypt, kms:GenerateDataKey on the data key
Environment: RFT_ENVIRONMENT, RFT_RUNS_BUCKET.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from contracts import names
from contracts.errors import TransientFault

from pipeline import aws, config, cut_short, jobs, pointer, store, turns
from pipeline.deploy_candidate import find
from pipeline.prepare_run import run_id_problems
from pipeline.task import Event, Result, task
from pipeline.track_training import stop

T = TypeVar("T")


class NotCleanedUp(RuntimeError):
    """What a run left is still there, after its end."""


@task
def handler(event: Event) -> Result:
    run_id = str(event["run_id"])
    if run_id_problems(run_id):
        # PrepareRun refused it before anything was made, and Bedrock would not even look such a name up.
        return {"stopped_job": None, "deleted_deployment": None, "released": None, "problems": []}
    name = names.job_name(config.environment(), run_id)
    faults: list[tuple[str, Exception]] = []

    def attempt(what: str, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except (ClientError, BotoCoreError) as error:
            faults.append((what, error))
            return None

    stopped = attempt("the job was not stopped", lambda: _stop_job(str(event.get("job_arn") or name)))
    # Whatever the event says, a deployment the pointer names is in use, and one nobody points at costs a place in the quota.
    deleted = None
    if event.get("keep_deployment") is not True:
        identifier, ended = str(event.get("deployment_arn") or name), event.get("execution_arn")
        deleted = attempt("the deployment was not deleted", lambda: _delete_unreleased(identifier, ended))
    released = None
    if event.get("release_failed") is True:
        released = attempt("whether the model was released is not known", lambda: pointer.release_of(run_id))
    attempt("staged data was not deleted", lambda: _delete_objects(run_id))
    attempt("the run's place for a job was not given back", lambda: turns.give_back(run_id))
    if any(aws.is_transient(error) for _, error in faults):
        raise TransientFault("; ".join(f"{what}: {error}" for what, error in faults))
    problems = [f"{what}: {error}" for what, error in faults]
    if problems and event.get("after_end") is True:
        raise NotCleanedUp("; ".join(problems))
    return {"stopped_job": stopped, "deleted_deployment": deleted, "released": released, "problems": problems}


def delete_deployment(arn: str) -> bool:
    """Deletes a deployment; says whether it was there."""
    try:
        aws.bedrock().delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    except ClientError as error:
        if aws.code_of(error) == "ResourceNotFoundException":
            return False
        raise
    return True


def _stop_job(identifier: str) -> str | None:
    try:
        job = aws.bedrock().get_model_customization_job(jobIdentifier=identifier)
    except ClientError as error:
        if aws.code_of(error) == "ResourceNotFoundException":
            return None
        raise
    if jobs.status_of(job["status"]) == "InProgress" and stop(job["jobArn"]):
        return job["jobArn"]
    return None


def _delete_unreleased(identifier: str, execution_arn: str | None) -> str | None:
    deployment = find(identifier)
    if deployment is None:
        return None
    arn = str(deployment["customModelDeploymentArn"])

    def is_pointed_at() -> bool:
        return arn in pointer.deployments(pointer.read())

    if is_pointed_at():
        return None
    if execution_arn:
        cut_short.await_release(execution_arn, is_pointed_at)
        if is_pointed_at():
            return None
    return arn if delete_deployment(arn) else None


def _delete_objects(run_id: str) -> None:
    bucket = config.variable(names.ENV_RUNS_BUCKET)
    for prefix in (f"{names.STAGED}{run_id}/", f"{names.TOKENS}{run_id}/"):
        for key in store.keys(bucket, prefix):
            store.delete(bucket, key)
