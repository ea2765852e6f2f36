"""Registration: an upload under `incoming/` becomes a checked, split, hashed, versioned dataset."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from contracts import names

from stacks.constructs.commons import Commons, put_events
from stacks.constructs.statements import allow, read_objects, read_versions, write_key, write_objects
from stacks.constructs.triggers import rule


class Dataset(Construct):
    """The function that registers datasets, and the rule that calls it.

    The rule matches `incoming/` alone, where nothing but uploads is written, so registration never triggers itself.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        bucket = commons.buckets.datasets
        keys, region = commons.workshop.keys, Stack.of(self).region
        self.register = commons.function(
            self,
            "register_dataset",
            description="Checks, splits, hashes and registers an uploaded dataset",
            timeout_seconds=900,
            # The upload and its splits are held at once; below 1,769 MB a function gets less than one processor.
            memory_mb=max(1769, 3 * commons.workshop.settings.dataset.max_megabytes),
            asynchronous=True,
            statements=[
                *read_objects(bucket, names.INCOMING, names.DATASETS),
                # The event names a version; what was uploaded over it meanwhile is another event's.
                read_versions(bucket, names.INCOMING),
                write_objects(bucket, names.DATASETS, names.REJECTED),
                write_key(keys.data, region),
                put_events(commons.bus),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(keys.data, region, "sns"),
            ],
        )
        self.rule = rule(
            self,
            "Uploaded",
            description="A dataset was uploaded under incoming/",
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"wildcard": f"{names.INCOMING}*.jsonl"}]},
                },
            ),
            function=self.register.function,
            dead_letters=dead_letters,
        )
