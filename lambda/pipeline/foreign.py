"""What was made in this account beside the pipeline: customization jobs it did not plan, and models served by others.

No condition key can force a job to use our role, key, network and reward (service authorization reference, Amazon Bedrock), so what
IAM cannot prevent is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
from contracts import names
from contracts.run import Plan

from pipeline import jobs

JOB_CALL = "CreateModelCustomizationJob"
DEPLOYMENT_CALL = "CreateCustomModelDeployment"


@attrs.frozen
class Call:
    """A call of Bedrock that makes something which trains, or costs money for as long as it stands.

    Attributes:
        what: the thing made, in words.
        name: of the request's parameter that names it.
        arn: of the answer's element that identifies it.
    """

    what: str
    name: str
    arn: str


CALLS: dict[str, Call] = {
    JOB_CALL: Call("customization job", "jobName", "jobArn"),
    DEPLOYMENT_CALL: Call("custom model deployment", "modelDeploymentName", "customModelDeploymentArn"),
    "CreateProvisionedModelThroughput": Call("provisioned throughput", "provisionedModelName", "provisionedModelArn"),
    "CreateCustomModel": Call("custom model", "modelName", "modelArn"),
    "CreateModelImportJob": Call("model import job", "jobName", "jobArn"),
    "CreateModelCopyJob": Call("model copy job", "targetModelName", "jobArn"),
}
"""By event name; the pipeline makes the first two only."""

UNKNOWN = "not known: found by looking through the jobs, which do not say; CloudTrail does"


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that was made beside the pipeline.

    Attributes:
        what, name, arn: the thing.
        action: the API operation that made it.
        who: ARN of the principal, or `UNKNOWN`.
        when: ISO 8601, UTC.
        reasons: why it is not the pipeline's, one line each.
        status: a job's own; empty for anything else.
    """

    what: str
    name: str
    arn: str
    action: str
    who: str
    when: str
    reasons: tuple[str, ...]
    status: str = ""

    @property
    def id(self) -> str:
        """The same for the same thing, however it is found: usable as an object's key."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.what} {jobs.short_id(self.arn) or self.name}".lower()).strip("-")


def principal(identity: Mapping[str, Any]) -> str:
    """ARN of the role or user behind a call, of CloudTrail's `userIdentity`. A session's own ARN is of no use to compare roles by."""
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
    return str(issuer or identity.get("arn") or identity.get("invokedBy") or identity.get("principalId") or "unknown")


def who(identity: Mapping[str, Any]) -> str:
    """The same for people: the session as well, whose name may be a person's."""
    return str(identity.get("arn") or principal(identity))


def made_by_others(action: str, made_by: str, makers: Mapping[str, str]) -> list[str]:
    """A line unless the call is one the pipeline makes, by the role that makes it."""
    maker = makers.get(action)
    if maker is None:
        return [f"the pipeline never calls {action}; {made_by} did"]
    return [] if made_by == maker else [f"{made_by} called {action}; only {maker} does in the pipeline"]


def job_reasons(job: Mapping[str, Any], plan: Plan | None, security: jobs.Security, reward: str) -> list[str]:
    """Why a job is not the pipeline's; empty for one that is just what its run planned.

    Args:
        job: as GetModelCustomizationJob answers.
        plan: of the run the job's name says it belongs to; None when there is none.
        security: what every job must carry.
        reward: name of the reward function.
    """
    if plan is not None:
        return jobs.differences(job, plan, security)
    return ["no run of this pipeline planned the job", *_lacks(job, security, reward)]


def _lacks(job: Mapping[str, Any], security: jobs.Security, reward: str) -> list[str]:
    vpc = job.get("vpcConfig") or {}
    rft = (job.get("customizationConfig") or {}).get("rftConfig") or {}
    grader = (rft.get("graderConfig") or {}).get("lambdaGrader", {}).get("lambdaArn", "")
    key = job.get("outputModelKmsKeyArn")
    checks = [
        (job.get("roleArn") == security.role_arn, f"its role is {job.get('roleArn')}, not the pipeline's"),
        (key == security.key_arn, f"its model is encrypted with {key or 'no key of ours that it reports'}"),
        (sorted(vpc.get("subnetIds", [])) == sorted(security.subnets), "it does not run in the pipeline's subnets"),
        (sorted(vpc.get("securityGroupIds", [])) == sorted(security.security_groups), "it does not run in the job's security group"),
        (
            re.fullmatch(rf"arn:[^:]+:lambda:[^:]+:\d{{12}}:function:{re.escape(reward)}:\d+", grader) is not None,
            f"its reward is {grader or 'none'}, not a published version of the pipeline's",
        ),
    ]
    return [line for right, line in checks if not right]


def run_of(job_name: str, environment: str) -> str | None:
    """The run a job's name claims, None when no run of this environment can have that name."""
    run_id = names.run_id_of_job(environment, job_name)
    valid = run_id is not None and len(run_id) <= names.RUN_ID_MAX and names.RUN_ID_PATTERN.fullmatch(run_id)
    return run_id if valid else None


def message(finding: Finding, *, stopped: str, environment: str) -> str:
    """What people are told: who, what, when, why it was noticed, what to do. `stopped` says what was done about it."""
    lines = [
        f"A {finding.what} was made in this account outside the pipeline of {environment}.",
        "",
        f"what: {finding.name} ({finding.arn or 'no ARN'}){f', {finding.status}' if finding.status else ''}",
        f"by: {finding.who}",
        f"when: {finding.when}",
        "why it was noticed:",
        *[f"- {reason}" for reason in finding.reasons],
        "",
        f"done about it: {stopped}",
        f"what to do: ask who made it. CloudTrail's event history, event name {finding.action}, holds the whole call. If nobody can say,",
        "treat the credentials as stolen: revoke the role's sessions, stop or delete what was made, and read what data it was given.",
        "To make it impossible, hold the call to the pipeline's role by organisation policy (docs/policies).",
    ]
    return "\n".join(lines)
