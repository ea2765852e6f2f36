"""Dead-letter queues: where an event goes that nobody could be given."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def dead_letters(scope: Construct, construct_id: str, *, key: kms.IKey) -> sqs.Queue:
    """Encrypted, TLS-only, kept for the 14 days that are SQS's most."""
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
