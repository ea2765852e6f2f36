"""What the pipeline knows of a customization job: its request, its status, and whether what runs is what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
from contracts.events import JOB_ENDED
from contracts.run import Plan


@attrs.frozen(kw_only=True)
class Security:
    """What every job must carry: the service role, the key that encrypts the model, and the private network."""

    role_arn: str
    key_arn: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


def status_of(text: str) -> str:
    """A status in the API's title case; events have been seen in others. An unknown word is kept."""
    words = {word.lower(): word for word in (*JOB_ENDED, "Stopping")} | {"inprogress": "InProgress", "in_progress": "InProgress"}
    return words.get(text.strip().lower(), text)


def has_ended(status: str) -> bool:
    return status_of(status) in JOB_ENDED


def tags(plan: Plan) -> list[dict[str, str]]:
    """Tags of job, model and deployment. Names and versions only; all characters are ones the API allows."""
    return [
        {"key": "rft:run", "value": plan.run_id},
        {"key": "rft:environment", "value": plan.environment},
        {"key": "rft:dataset", "value": f"{plan.dataset}/{plan.dataset_version}"},
        {"key": "rft:reward", "value": plan.reward_version},
    ]


def request(plan: Plan, security: Security) -> dict[str, Any]:
    """Arguments of CreateModelCustomizationJob, with nothing left to an undocumented default.

    Source: API reference, CreateModelCustomizationJob and RFTHyperParameters. The hyperparameters are native numbers here, not
    the strings of the top-level `hyperParameters`, which serve supervised fine-tuning only.
    """
    h = plan.hyperparameters
    return {
        "jobName": plan.job_name,
        "customModelName": plan.job_name,
        "clientRequestToken": plan.job_name,
        "roleArn": security.role_arn,
        "baseModelIdentifier": plan.base_model,
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "customModelKmsKeyId": security.key_arn,
        "jobTags": tags(plan),
        "customModelTags": tags(plan),
        "trainingDataConfig": {"s3Uri": plan.train_uri},
        "validationDataConfig": {"validators": [{"s3Uri": plan.validation_uri}]},
        "outputDataConfig": {"s3Uri": plan.output_uri},
        "vpcConfig": {"subnetIds": list(security.subnets), "securityGroupIds": list(security.security_groups)},
        "customizationConfig": {
            "rftConfig": {
                "graderConfig": {"lambdaGrader": {"lambdaArn": plan.reward_arn}},
                "hyperParameters": {
                    "epochCount": h.epoch_count,
                    "batchSize": h.batch_size,
                    "learningRate": h.learning_rate,
                    "maxPromptLength": h.max_prompt_length,
                    "trainingSamplePerPrompt": h.training_sample_per_prompt,
                    "inferenceMaxTokens": h.inference_max_tokens,
                    "reasoningEffort": h.reasoning_effort,
                    "evalInterval": h.eval_interval,
                },
            }
        },
    }


def differences(job: Mapping[str, Any], plan: Plan, security: Security) -> list[str]:
    """What the job echoes that is not what was asked for: role, data, key, network, grader. Empty when all is as asked.

    No IAM condition key can force a job to use the key, the network or the approved grader (service authorization reference),
    so the pipeline looks for itself. A missing echo counts as a difference, but for the key's, which some models only report
    once the model exists.
    """
    vpc = job.get("vpcConfig") or {}
    grader = echo(job, "customizationConfig", "rftConfig", "graderConfig", "lambdaGrader", "lambdaArn")
    key = job.get("outputModelKmsKeyArn")
    pairs: Sequence[tuple[str, object, object]] = [
        ("jobName", job.get("jobName"), plan.job_name),
        ("roleArn", job.get("roleArn"), security.role_arn),
        ("trainingDataConfig.s3Uri", echo(job, "trainingDataConfig", "s3Uri"), plan.train_uri),
        ("outputDataConfig.s3Uri", echo(job, "outputDataConfig", "s3Uri"), plan.output_uri),
        ("vpcConfig.subnetIds", sorted(vpc.get("subnetIds", [])), sorted(security.subnets)),
        ("vpcConfig.securityGroupIds", sorted(vpc.get("securityGroupIds", [])), sorted(security.security_groups)),
        ("lambdaGrader.lambdaArn", grader, plan.reward_arn),
    ]
    found = [f"the job's {name} is {shown!r}; asked for was {wanted!r}" for name, shown, wanted in pairs if shown != wanted]
    if not str(job.get("baseModelArn", "")).endswith(f"/{plan.base_model}"):
        found.append(f"the job's baseModelArn is {job.get('baseModelArn')!r}; asked for was {plan.base_model!r}")
    completed = status_of(str(job.get("status", ""))) == "Completed"
    if key != security.key_arn and (key is not None or completed):
        found.append(f"the job's outputModelKmsKeyArn is {key!r}; asked for was {security.key_arn!r}")
    return found


def elapsed_hours(job: Mapping[str, Any], now: datetime | None = None) -> float:
    """Hours from the job's creation to its end, or to now while it runs."""
    end = job.get("endTime") or now or datetime.now(UTC)
    seconds: float = (end - job["creationTime"]).total_seconds()
    return max(0.0, seconds / 3600)


def short_id(arn: str) -> str:
    """The last segment of an ARN. Bedrock's events have been documented with ARNs that lack the base-model segment."""
    return arn.rpartition("/")[2]


def echo(value: Any, *path: str) -> Any:
    """What the job says under a path of keys, None where it says nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
