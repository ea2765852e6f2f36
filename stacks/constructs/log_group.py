"""Log groups: always encrypted, always with a retention."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(scope: Construct, construct_id: str, *, key: kms.IKey, days: int, removal_policy: RemovalPolicy) -> logs.LogGroup:
    """`days` is one of `stacks.settings.LOG_DAYS`; the name is CDK's, so that a kept group never blocks a new deployment."""
    group = logs.LogGroup(scope, construct_id, encryption_key=key, removal_policy=removal_policy)
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101 - narrows the type; the L2 has no other child
    # The L2 takes an enum of the same numbers; settings hold the number itself.
    resource.retention_in_days = days
    return group
