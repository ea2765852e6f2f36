"""Chat: what the topics tell, in channels of Slack and Microsoft Teams, by Amazon Q Developer in chat applications (once AWS Chatbot).

From a channel nothing can be changed. Who sits in one is decided outside AWS: so its role reads what draws an alarm's graph, a member who
types a command needs a role of their own, and the guardrail holds that role to the same few reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.chat_settings import Channel, ChatSettings, SlackChannel
from stacks.constructs.acknowledge import acknowledge_patterns
from stacks.constructs.role import role
from stacks.constructs.statements import allow, in_region

SERVICE = "chatbot.amazonaws.com"

GRAPH = (
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:GetMetricWidgetImage",
)
"""What draws a graph beside an alarm's text. AWS's own policy for notifications has every Describe, Get and List of CloudWatch (chat
applications administrator guide, chatbot-iam-policies), dashboards and alarm histories among them. Without these an alarm comes bare."""

_NO_NAMES = "CloudWatch's reading calls know no resource (service authorization reference, Amazon CloudWatch); they are held to the Region."


class Chat(Construct):
    """A configuration for each channel, one role for all of them, and one guardrail.

    Attributes:
        role: what the service draws graphs with.
        guardrail: what no member of a channel gets past.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, settings: ChatSettings, topics: Mapping[str, Sequence[sns.ITopic]]
    ) -> None:
        """`topics` are those of each kind of `told`."""
        super().__init__(scope, construct_id)
        self._environment = environment
        self.guardrail = self._build_guardrail()
        self.role = role(
            self,
            "Role",
            assumed_by=_for_our_channels(),
            description="Draws the graphs of alarms in chat channels",
            statements=[self._graphs()],
        )
        for channel in settings.channels:
            told = dict.fromkeys(topic.topic_arn for kind in channel.told for topic in topics[kind])
            self._build_channel(channel, list(told))

    def _graphs(self) -> iam.PolicyStatement:
        return allow(GRAPH, ["*"], in_region(Stack.of(self).region), because=_NO_NAMES)

    def _build_guardrail(self) -> iam.ManagedPolicy:
        # Without one AWS puts AdministratorAccess there. Not the role's own policy: who widens that must not widen this unseen.
        statement = self._graphs()
        policy = iam.ManagedPolicy(self, "Guardrail", description="What no member of a chat channel gets past", statements=[statement])
        acknowledge_patterns(policy, [statement])
        return policy

    def _build_channel(self, channel: Channel, topic_arns: list[str]) -> None:
        construct_id = "".join(word.title() for word in channel.name.split("-"))
        name = f"rft-{self._environment}-{channel.name}"
        shared: dict[str, Any] = {
            "configuration_name": name,
            "iam_role_arn": self.role.role_arn,
            "guardrail_policies": [self.guardrail.managed_policy_arn],
            "user_role_required": True,
            # The service would log to us-east-1, in a group without our key or retention, and with INFO every message.
            "logging_level": "NONE",
            "sns_topic_arns": topic_arns,
        }
        if isinstance(channel, SlackChannel):
            chatbot.CfnSlackChannelConfiguration(
                self, f"Slack{construct_id}", slack_workspace_id=channel.workspace, slack_channel_id=channel.channel, **shared
            )
            return
        chatbot.CfnMicrosoftTeamsChannelConfiguration(
            self,
            f"Teams{construct_id}",
            teams_tenant_id=channel.tenant,
            team_id=channel.team,
            teams_channel_id=channel.channel,
            **shared,
        )


def _for_our_channels() -> iam.ServicePrincipal:
    # IfExists: no page of AWS says that this service sends the keys, and where it does not, a plain condition would lock it out. Whoever
    # names the role in a configuration needs iam:PassRole on it.
    return iam.ServicePrincipal(
        SERVICE,
        conditions={
            "StringEqualsIfExists": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLikeIfExists": {"aws:SourceArn": f"arn:{Aws.PARTITION}:chatbot::{Aws.ACCOUNT_ID}:chat-configuration/*"},
        },
    )
