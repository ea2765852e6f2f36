"""The reward function that Bedrock calls: published versions behind the alias `live`."""

from __future__ import annotations

import json

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from contracts import names

from stacks.constructs.task_function import TaskFunction, Workshop


class Reward(Construct):
    """A job is given the ARN of one version, never `$LATEST`, so what graded a model can always be read again.

    Attributes:
        task: the function with its role and log group.
        function: the function, unqualified.
        version: what this deployment published.
        alias: `live`, on that version.
    """

    def __init__(self, scope: Construct, construct_id: str, *, workshop: Workshop, code: lambda_.Code) -> None:
        super().__init__(scope, construct_id)
        settings = workshop.settings.reward
        self.task = TaskFunction(
            self,
            "Grader",
            workshop=workshop,
            code=code,
            handler="reward.handler.handler",
            description=f"Grades responses for reinforcement fine-tuning with {settings.grader}",
            timeout=Duration.seconds(settings.timeout_seconds),
            memory_mb=settings.memory_mb,
            environment={names.ENV_GRADER: settings.grader, names.ENV_GRADER_OPTIONS: json.dumps(settings.options, sort_keys=True)},
            # It grades text it is handed and calls nothing, so it may reach nothing.
            security_group=workshop.network.grader,
            reserved_concurrency=settings.reserved_concurrency,
            # A version that graded a model outlives the deployment that replaces it.
            version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        self.function = self.task.function
        self.version = self.function.current_version
        self.alias = lambda_.Alias(self, "Live", alias_name=names.REWARD_ALIAS, version=self.version)
