"""Notifications: who is told."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.constructs.acknowledge import Answer, Owner, acknowledge
from stacks.constructs.statements import arn

_EMAIL_HAS_NO_QUEUE = Answer(
    reason="A queue for undelivered e-mail would be announced by an alarm that goes out by the same e-mail. SNS retries for hours, every "
    "address gets its own copy, and what is told stays where it is: approvals under tokens/, outcomes in the run's record.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)


class Notifications(Construct):
    """The topic that tells people: encrypted, TLS-only, written to by this account's alarms and roles.

    Attributes:
        topic: subscribed to by the environment's addresses.
    """

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, emails: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": arn(self.topic.stack, "cloudwatch", "alarm:*")},
                },
            )
        )
        for email in emails:
            subscription = self.topic.add_subscription(subscriptions.EmailSubscription(email))
            acknowledge(subscription, "Serverless-SNSRedrivePolicy", answer=_EMAIL_HAS_NO_QUEUE)
