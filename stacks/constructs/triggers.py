"""Event rules and schedules: each with retries, a dead-letter queue and a permission for exactly one target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.role import role
from stacks.constructs.statements import allow, arn, for_service, write_key


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A rule, and the dimensions its metrics in `AWS/Events` carry: those of a custom bus name the bus as well."""

    rule: events.Rule
    dimensions: Mapping[str, str]


MAX_AGE = Duration.hours(6)
RETRIES = 30


def rule(
    scope: Construct,
    construct_id: str,
    *,
    description: str,
    pattern: events.EventPattern,
    function: lambda_.IFunction,
    dead_letters: sqs.IQueue,
    bus: events.IEventBus | None = None,
    message: events.RuleTargetInput | None = None,
) -> Trigger:
    """A rule on the default bus, or on `bus`, that gives each event, or what `message` makes of it, to `function`."""
    made = events.Rule(scope, construct_id, description=description, event_pattern=pattern, event_bus=bus)
    target = targets.LambdaFunction(function, event=message, dead_letter_queue=dead_letters, max_event_age=MAX_AGE, retry_attempts=RETRIES)
    made.add_target(target)
    dimensions = {"RuleName": made.rule_name}
    return Trigger(rule=made, dimensions={**dimensions, "EventBusName": bus.event_bus_name} if bus else dimensions)


def schedule(
    scope: Construct,
    construct_id: str,
    *,
    description: str,
    expression: str,
    payload: Mapping[str, Any],
    target: lambda_.Function | sfn.StateMachine,
    dead_letters: sqs.IQueue,
    key: kms.IKey,
) -> scheduler.CfnSchedule:
    """A schedule in UTC that gives `payload` to a function, or starts a state machine with it."""
    stack = Stack.of(scope)
    if isinstance(target, sfn.StateMachine):
        action, target_arn = "states:StartExecution", target.state_machine_arn
    else:
        action, target_arn = "lambda:InvokeFunction", target.function_arn
    sender = role(
        scope,
        f"{construct_id}Role",
        description=description,
        assumed_by=for_service("scheduler.amazonaws.com", [arn(stack, "scheduler", "schedule-group/default")]),
        statements=[
            allow([action], [target_arn]),
            allow(["sqs:SendMessage"], [dead_letters.queue_arn]),
            write_key(key, stack.region, "sqs"),
        ],
    )
    return scheduler.CfnSchedule(
        scope,
        construct_id,
        description=description,
        schedule_expression=expression,
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        target=scheduler.CfnSchedule.TargetProperty(
            arn=target_arn,
            role_arn=sender.role_arn,
            input=json.dumps(dict(payload)),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=MAX_AGE.to_seconds(), maximum_retry_attempts=RETRIES
            ),
        ),
    )
