"""Dead-letter queues: where an event goes that nobody could be given."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.acknowledge import Answer, Owner, acknowledge

_LAST_STOP = Answer(
    reason="The queue is itself the dead-letter queue, of event rules, schedules and on-failure destinations, which the rule does not see. "
    "Nothing reads it but a person, whom an alarm calls when a message arrives; one that could not be read stays for 14 days.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)


def dead_letters(scope: Construct, construct_id: str, *, key: kms.IKey, removal_policy: RemovalPolicy) -> sqs.Queue:
    """Encrypted, TLS-only, kept for the 14 days that are SQS's most."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=removal_policy,
    )
    acknowledge(queue, "AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy", answer=_LAST_STOP)
    return queue
