"""A state machine: its own role, an encrypted log of every transition and none of the data, traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.log_group import log_group
from stacks.constructs.role import role
from stacks.constructs.statements import allow, arn, for_service, in_region
from stacks.constructs.task_function import Workshop


def state_machine(
    scope: Construct,
    *,
    name: str,
    description: str,
    definition: Mapping[str, Any],
    statements: Sequence[iam.PolicyStatement],
    workshop: Workshop,
    kind: sfn.StateMachineType | None = None,
) -> sfn.StateMachine:
    """The state machine `StateMachine` of `scope`, beside its `Role` and its `Logs`.

    Args:
        name: fixed, so that its role's trust can name it before it is there.
        statements: what its states call.
        kind: standard if it is None. Naming the standard one is a change of type to CloudFormation, which then replaces a deployed one.
    """
    stack = Stack.of(scope)
    runner = role(
        scope,
        "Role",
        assumed_by=for_service("states.amazonaws.com", [arn(stack, "states", f"stateMachine:{name}")]),
        description=description,
        statements=[*statements, *_log_and_trace(stack.region)],
    )
    group = log_group(
        scope, "Logs", key=workshop.keys.logs, days=workshop.settings.retention.log_days, removal_policy=workshop.removal_policy
    )
    return sfn.StateMachine(
        scope,
        "StateMachine",
        state_machine_name=name,
        state_machine_type=kind,
        definition_body=sfn.DefinitionBody.from_string(stack.to_json_string(definition)),
        role=runner,
        # Every transition, none of the data.
        logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
        tracing_enabled=True,
    )


def _log_and_trace(region: str) -> list[iam.PolicyStatement]:
    """What Step Functions needs for its log and its traces."""
    deliveries = ["Create", "Get", "Update", "Delete"]
    logging = [*(f"logs:{verb}LogDelivery" for verb in deliveries), "logs:ListLogDeliveries"]
    policies = ["logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"]
    tracing = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
    because = "Neither log deliveries nor X-Ray know a resource (Step Functions developer guide, cw-logs and xray-iam); held to the Region."
    return [
        allow([*logging, *policies], ["*"], in_region(region), because=because),
        allow(tracing, ["*"], in_region(region), because=because),
    ]
