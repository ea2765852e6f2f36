"""Alarms on what carries events and copies."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from contracts.names import replication_rule

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import AlarmRule
from stacks.constructs.metric import FIVE_MINUTES, aws_metric, waiting


def rules(watched: Watched) -> list[AlarmRule]:
    return [*_dead_letters(watched), *_failing(watched), *_copies(watched)]


def _dead_letters(watched: Watched) -> list[AlarmRule]:
    return [
        AlarmRule(
            construct_id=f"{name}NotEmpty",
            page="dead-letters",
            metric=waiting(queue),
            threshold=0,
            what=f"An event could not be handled and waits in the dead-letter queue {name} for at most 14 days.",
            first="read the message, mend the cause, start by hand what it asked for, then delete it.",
            quiet_because="SQS sends nothing for a queue that has been empty and unused for hours.",
        )
        for name, queue in watched.queues.items()
    ]


def _failing(watched: Watched) -> list[AlarmRule]:
    return [
        AlarmRule(
            construct_id=f"{name}RuleFailing",
            page="rule-failing",
            metric=aws_metric("AWS/Events", "FailedInvocations", rule.dimensions),
            threshold=0,
            what=f"EventBridge could not invoke the target of the rule {name} in the last 5 minutes and will not try again.",
            first="check that the function exists and lets events.amazonaws.com call it; the event is in the dead-letter queue.",
            quiet_because="EventBridge sends this metric only when an invocation failed.",
        )
        for name, rule in watched.rules.items()
    ]


def _copies(watched: Watched) -> list[AlarmRule]:
    if watched.backup is None:
        return []
    failed = {
        f"m{number}": aws_metric(
            "AWS/S3",
            "OperationsFailedReplication",
            {"SourceBucket": source.bucket_name, "DestinationBucket": watched.backup.bucket_name, "RuleId": replication_rule(prefix)},
        )
        for number, (source, prefix) in enumerate((source, prefix) for source, prefixes in watched.copies.items() for prefix in prefixes)
    }
    return [
        AlarmRule(
            construct_id="BackupFailing",
            metric=cloudwatch.MathExpression(
                expression=f"SUM([{', '.join(failed)}])", using_metrics=failed, period=FIVE_MINUTES, label="objects not copied"
            ),
            threshold=0,
            what="Objects that cannot be made again were not copied into the backup in the last 5 minutes, and S3 will not try again.",
            first="see which rule in the bucket's replication metrics; mend role or key, then copy with S3 Batch Replication.",
            quiet_because="S3 sends replication metrics only while something is to be copied.",
        )
    ]
