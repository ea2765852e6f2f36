"""One environment: a CDK Stage with the stateful stacks and the stateless one."""

from __future__ import annotations

from aws_cdk import Environment, Stage, Tags
from aws_cdk import aws_iam as iam
from constructs import Construct
from contracts import names

from stacks.audit import AuditStack
from stacks.constructs import endpoint_policies
from stacks.foundation import FoundationStack
from stacks.pipeline import PipelineStack
from stacks.settings import EnvironmentSettings


class RftEnvironment(Stage):
    """Everything of one environment, deployed with `cdk deploy '<name>/*'`.

    Attributes:
        foundation: keys, buckets, network.
        audit: the trail and its alarms; None where the organisation's trail does that.
        pipeline: everything else.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: EnvironmentSettings) -> None:
        super().__init__(scope, construct_id, env=Environment(account=settings.account or None, region=settings.region))
        self.foundation = FoundationStack(
            self,
            "foundation",
            settings=settings,
            stack_name=names.stack(settings.name, "foundation"),
            description="Reinforcement fine-tuning: keys, buckets, network",
        )
        self.audit = self._build_audit(settings) if settings.audit.trail else None
        self.pipeline = PipelineStack(
            self,
            "pipeline",
            settings=settings,
            foundation=self.foundation,
            tampering=self.audit.notifications.topic if self.audit else None,
            stack_name=names.stack(settings.name, "pipeline"),
            description="Reinforcement fine-tuning: functions, state machine, events, alarms",
        )
        # On every role in the tree, those that CDK's constructs would make included.
        iam.PermissionsBoundary.of(self).apply(self.foundation.boundary.policy)
        if self.pipeline.budget and self.foundation.boundary.budget:
            iam.PermissionsBoundary.of(self.pipeline.budget).apply(self.foundation.boundary.budget)
        endpoint_policies.narrow(self.foundation.network.endpoints, self)
        Tags.of(self).add("Project", "bedrock-rft")
        Tags.of(self).add("Environment", settings.name)

    def _build_audit(self, settings: EnvironmentSettings) -> AuditStack:
        return AuditStack(
            self,
            "audit",
            settings=settings,
            foundation=self.foundation,
            stack_name=names.stack(settings.name, "audit"),
            description="Reinforcement fine-tuning: audit trail, tampering alarms",
        )
