"""Evaluation: deploy the candidate, answer the held-out prompts with it and with the base model, decide."""

from __future__ import annotations

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from contracts import names
from contracts.settings import INFERENCE_MODEL

from stacks.constructs.commons import NAMED_BY_BEDROCK, VERSIONS_OF_THE_REWARD, Commons, custom_models, deployments
from stacks.constructs.judging import ROUTED_BY_THE_PROFILE
from stacks.constructs.statements import allow, arn, read_objects, use_key, write_key, write_objects
from stacks.constructs.task_function import TaskFunction


class Evaluation(Construct):
    """The functions from trained model to verdict.

    Attributes:
        functions: by module name, for the state machine.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        self._stack = Stack.of(self)
        self.functions: dict[str, TaskFunction] = {
            "deploy_candidate": self._deploy_candidate(),
            "evaluate": self._evaluate(),
            "gate": self._gate(),
        }

    def _deploy_candidate(self) -> TaskFunction:
        stack = self._stack
        return self._commons.function(
            self,
            "deploy_candidate",
            description="Deploys the candidate on demand, or looks up its deployment",
            statements=[
                allow(["bedrock:GetCustomModel"], [custom_models(stack)], because=NAMED_BY_BEDROCK),
                allow(["bedrock:CreateCustomModelDeployment"], [custom_models(stack), deployments(stack)], because=NAMED_BY_BEDROCK),
                allow(["bedrock:GetCustomModelDeployment", "bedrock:TagResource"], [deployments(stack)], because=NAMED_BY_BEDROCK),
                use_key(self._commons.workshop.keys.model, stack.region, "bedrock", "kms:Decrypt"),
            ],
        )

    def _evaluate(self) -> TaskFunction:
        commons, stack = self._commons, self._stack
        return commons.function(
            self,
            "evaluate",
            description="Answers held-out prompts with base or candidate and has the pinned reward grade them",
            timeout_seconds=900,
            statements=[
                *read_objects(commons.buckets.datasets, names.DATASETS),
                *read_objects(commons.buckets.runs, names.RECORDS),
                write_objects(commons.buckets.runs, names.RECORDS),
                write_key(commons.workshop.keys.data, stack.region),
                *self._ask_models(),
                use_key(commons.workshop.keys.model, stack.region, "bedrock", "kms:Decrypt"),
                allow(["lambda:InvokeFunction"], [f"{commons.reward.function_arn}:*"], because=VERSIONS_OF_THE_REWARD),
            ],
        )

    def _ask_models(self) -> list[iam.PolicyStatement]:
        stack = self._stack
        profile_id = INFERENCE_MODEL[self._commons.workshop.settings.training.base_model]
        profile = arn(stack, "bedrock", f"inference-profile/{profile_id}")
        model_id = profile_id.split(".", 1)[1]
        return [
            allow(["bedrock:InvokeModel"], [profile, deployments(stack)], because=NAMED_BY_BEDROCK),
            # The profile routes to other Regions; reached through the profile only, hence the condition.
            allow(
                ["bedrock:InvokeModel"],
                [f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/{model_id}"],
                {"StringEquals": {"bedrock:InferenceProfileArn": profile}},
                because=ROUTED_BY_THE_PROFILE,
            ),
        ]

    def _gate(self) -> TaskFunction:
        commons = self._commons
        return commons.function(
            self,
            "gate",
            description="Decides whether the candidate beats the base model by the margin",
            statements=[
                *read_objects(commons.buckets.runs, names.RECORDS),
                *commons.write_records(),
                write_key(commons.workshop.keys.data, self._stack.region),
            ],
        )
