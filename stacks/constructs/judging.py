"""What a function that asks a judge model may invoke: that model, and what a profile routes to only through the profile."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam

from stacks.constructs.statements import allow, arn
from stacks.judge_settings import Permission

ROUTED_BY_THE_PROFILE = (
    "The inference profile chooses among Regions that AWS may add to; the condition lets the model be reached through that profile only."
)


def invoke_judges(stack: Stack, judges: Sequence[Permission]) -> list[iam.PolicyStatement]:
    """The statements for these judges. Converse is no action of its own: bedrock:InvokeModel authorises it."""
    return [statement for judge in judges for statement in _invoke(stack, judge)]


def _invoke(stack: Stack, judge: Permission) -> list[iam.PolicyStatement]:
    if not judge.profile:
        return [allow(["bedrock:InvokeModel"], [_arn_of(stack, judge.model, "foundation-model", account=False)])]
    profile = _arn_of(stack, judge.profile, "inference-profile", account=True)
    return [
        allow(["bedrock:InvokeModel"], [profile]),
        # The profile routes to Regions of its own choice; reached through the profile only, hence the condition.
        allow(
            ["bedrock:InvokeModel"],
            [f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/{model}" for model in judge.foundation_models],
            {"StringEquals": {"bedrock:InferenceProfileArn": profile}},
            because=ROUTED_BY_THE_PROFILE,
        ),
    ]


def _arn_of(stack: Stack, model: str, kind: str, *, account: bool) -> str:
    return model if model.startswith("arn:") else arn(stack, "bedrock", f"{kind}/{model}", account=account)
