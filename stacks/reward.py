"""The reward function that Bedrock calls: published versions behind the alias `live`."""

from __future__ import annotations

import json

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from contracts import names
from reward import graders

from stacks import packaging
from stacks.constructs.judging import invoke_judges
from stacks.constructs.task_function import ARCHITECTURE, RUNTIME, TaskFunction, Workshop
from stacks.judge_settings import permissions
from stacks.settings import RewardSettings


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
        judges = permissions(settings.grader, settings.options, workshop.settings.judge)
        self.task = TaskFunction(
            self,
            "Grader",
            workshop=workshop,
            code=code,
            handler="reward.handler.handler",
            description=f"Grades responses for reinforcement fine-tuning with {settings.grader}",
            timeout=Duration.seconds(settings.timeout_seconds),
            memory_mb=settings.memory_mb,
            environment=_variables(settings),
            statements=invoke_judges(Stack.of(self), judges),
            # It grades text it is handed, so it may reach nothing, or the one endpoint its judge answers at.
            security_group=workshop.network.grader,
            reserved_concurrency=settings.reserved_concurrency,
            # A version that graded a model outlives the deployment that replaces it.
            version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        self.function = self.task.function
        if packaging.needs_symbolic_layer(settings.grader, settings.options):
            self.function.add_layers(self._symbolic_layer())
        self.version = self.function.current_version
        self.alias = lambda_.Alias(self, "Live", alias_name=names.REWARD_ALIAS, version=self.version)

    def _symbolic_layer(self) -> lambda_.LayerVersion:
        tree = packaging.symbolic_layer_tree()
        return lambda_.LayerVersion(
            self,
            "Symbolic",
            description="Reads LaTeX and compares expressions, for the grader symbolic",
            code=lambda_.Code.from_asset(str(tree), asset_hash=packaging.tree_hash(tree)),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )


def _variables(settings: RewardSettings) -> dict[str, str]:
    """The grader, its options and, where a model judges, the hash of what its verdicts depend on: together they are the version's."""
    variables = {names.ENV_GRADER: settings.grader, names.ENV_GRADER_OPTIONS: json.dumps(settings.options, sort_keys=True)}
    identity = getattr(graders.build(settings.grader, settings.options), "identity", "")
    return {**variables, names.ENV_REWARD_IDENTITY: identity} if identity else variables
