"""What the pipeline's functions share, and the one way to make one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct
from contracts import names
from contracts.settings import PipelineSettings
from contracts.validation import plain

from stacks.constructs.alarm import RUNBOOKS
from stacks.constructs.buckets import Buckets
from stacks.constructs.statements import allow, arn, lock_objects, write_objects
from stacks.constructs.task_function import TaskFunction, Workshop


@dataclass(frozen=True, kw_only=True)
class Commons:
    """Where things are, for the functions' environment. Knowing a name allows nothing: each role says what it may touch.

    Attributes:
        code: the asset of `lambda/pipeline`.
        reward: the reward function, unqualified.
        reward_logs: what it logs to.
        job_role: the role Bedrock runs customization jobs under.
    """

    workshop: Workshop
    code: lambda_.Code
    buckets: Buckets
    bus: events.IEventBus
    topic: sns.ITopic
    reward: lambda_.IFunction
    reward_logs: logs.ILogGroup
    job_role: iam.IRole

    @property
    def environment(self) -> Mapping[str, str]:
        workshop = self.workshop
        retention = workshop.settings.retention
        stack = Stack.of(workshop.layer)
        return {
            **({names.ENV_RECORD_LOCK: names.record_lock(retention.lock_mode, retention.lock_days)} if retention.locks else {}),
            **({names.ENV_CHAT_RUNBOOKS: self.chat_runbooks} if self.chat_runbooks else {}),
            names.ENV_SETTINGS: json.dumps(_changed(plain(workshop.settings.pipeline), plain(PipelineSettings())), separators=(",", ":")),
            names.ENV_DATASETS_BUCKET: self.buckets.datasets.bucket_name,
            names.ENV_RUNS_BUCKET: self.buckets.runs.bucket_name,
            names.ENV_BUS: self.bus.event_bus_name,
            names.ENV_TOPIC: self.topic.topic_arn,
            names.ENV_STATE_MACHINE: state_machine_arn(stack, workshop.settings.name),
            names.ENV_REWARD_FUNCTION: self.reward.function_name,
            names.ENV_JOB_ROLE: self.job_role.role_arn,
            names.ENV_MODEL_KEY: workshop.keys.model.key_arn,
            names.ENV_SIGNING_KEY: workshop.keys.signing.key_arn,
            names.ENV_SUBNETS: ",".join(subnet.subnet_id for subnet in workshop.network.subnets),
            names.ENV_SECURITY_GROUPS: workshop.network.job.security_group_id,
        }

    @property
    def chat_runbooks(self) -> str:
        """What stands in front of a runbook's name in chat; empty where no channel shows what the pipeline says."""
        settings = self.workshop.settings
        return (settings.notifications.runbooks_url or RUNBOOKS) if settings.chat.shows_messages else ""

    def write_records(self) -> list[iam.PolicyStatement]:
        """For a function that writes a run's final records, and locks them where settings ask for it."""
        runs = self.buckets.runs
        lock = [lock_objects(runs, names.RECORDS)] if self.workshop.settings.retention.locks else []
        return [write_objects(runs, names.RECORDS), *lock]

    def function(
        self,
        scope: Construct,
        module: str,
        *,
        description: str,
        statements: Iterable[iam.PolicyStatement],
        timeout_seconds: int = 60,
        memory_mb: int = 512,
        asynchronous: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> TaskFunction:
        """The function whose code is `lambda/pipeline/<module>.py`; `variables` are its own, beside what all are told."""
        return TaskFunction(
            scope,
            "".join(word.title() for word in module.split("_")),
            workshop=self.workshop,
            code=self.code,
            handler=f"pipeline.{module}.handler",
            description=description,
            timeout=Duration.seconds(timeout_seconds),
            memory_mb=memory_mb,
            environment={**self.environment, **(variables or {})},
            statements=statements,
            asynchronous=asynchronous,
        )


def _changed(given: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that differ from their defaults, which the functions fill in: Lambda gives all variables together 4 KB."""
    changed = {}
    for key, value in given.items():
        if isinstance(value, Mapping):
            if inner := _changed(value, default[key]):
                changed[key] = inner
        elif value != default[key]:
            changed[key] = value
    return changed


def state_machine_arn(stack: Stack, environment: str) -> str:
    """Of the run's state machine, whose name is fixed, so that its own functions can be told it."""
    return arn(stack, "states", f"stateMachine:{names.state_machine(environment)}")


def executions_arn(stack: Stack, environment: str) -> str:
    """Of every execution of the run's state machine."""
    return f"{state_machine_arn(stack, environment).replace(':stateMachine:', ':execution:', 1)}:*"


def put_events(bus: events.IEventBus) -> iam.PolicyStatement:
    # A call carries many events, so the key is a set: every one of them must be ours. Each event must have a source.
    return allow(["events:PutEvents"], [bus.event_bus_arn], {"ForAllValues:StringEquals": {"events:source": names.EVENT_SOURCE}})


def customization_jobs(stack: Stack) -> str:
    return arn(stack, "bedrock", "model-customization-job/*")


def custom_models(stack: Stack) -> str:
    return arn(stack, "bedrock", "custom-model/*")


def deployments(stack: Stack) -> str:
    return arn(stack, "bedrock", "custom-model-deployment/*")


NAMED_BY_BEDROCK = (
    "Bedrock makes up the id of a job, model or deployment when it creates it, and takes no condition on its name; the account and Region "
    "belong to one environment."
)
VERSIONS_OF_THE_REWARD = (
    "Every deployment publishes another version of the reward, and a run calls the one it pinned; the pattern is the versions of this one "
    "function."
)
NAMED_BY_THE_RUN = "An execution is named when a run starts; the pattern is the executions of this environment's one state machine."
