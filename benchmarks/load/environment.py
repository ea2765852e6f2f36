"""A deployed environment as whoever loads it sees it: where things are, what was announced, what got stuck."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import attrs
from botocore.config import Config
from contracts import names

from local.cloud import Endpoint

T = TypeVar("T")

INBOX = "load-inbox"
MOST_AT_ONCE = 256


@attrs.frozen
class Result:
    """What one kind of load gave.

    Attributes:
        title: the load, in words.
        figures: by name, in the order to print.
        problems: what was lost, done twice or left behind; empty when nothing was.
    """

    title: str
    figures: dict[str, Any]
    problems: list[str]


class Environment:
    """Clients with room for many calls at once, and a queue that hears every event of the bus and every notice to people.

    Attributes:
        events: heard on the bus so far: the event, and when it was sent in seconds since the epoch.
        notices: subjects of the messages to people so far.
    """

    def __init__(self, endpoint: Endpoint, name: str = "dev") -> None:
        self.endpoint, self.name = endpoint, name
        self.s3, self.sqs, self.lambda_ = self.client("s3"), self.client("sqs"), self.client("lambda")
        self.states, self.bus, self.ssm = self.client("stepfunctions"), self.client("events"), self.client("ssm")
        self.bedrock, self.cloudwatch = self.client("bedrock"), self.client("cloudwatch")
        self.datasets, self.runs = self.parameter(names.PARAM_DATASETS_BUCKET), self.parameter(names.PARAM_RUNS_BUCKET)
        self.state_machine = self.parameter(names.PARAM_STATE_MACHINE)
        self.events: list[tuple[dict[str, Any], float]] = []
        self.notices: list[str] = []
        self._queue, self._subscription = self._listen()

    def client(self, service: Any) -> Any:
        config = Config(max_pool_connections=MOST_AT_ONCE, read_timeout=300)
        return self.endpoint.session().client(service, endpoint_url=self.endpoint.url, config=config)

    def parameter(self, name: str) -> str:
        return str(self.ssm.get_parameter(Name=names.parameter(self.name, name))["Parameter"]["Value"])

    def read(self, bucket: str, key: str) -> Any:
        """The JSON object, or None when there is none."""
        try:
            return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except self.s3.exceptions.NoSuchKey:
            return None

    def keys(self, bucket: str, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def listen(self) -> None:
        """Takes what the queue holds into `events` and `notices`."""
        while True:
            found = self.sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"])
            messages = found.get("Messages", [])
            for message in messages:
                body, sent = json.loads(message["Body"]), int(message["Attributes"]["SentTimestamp"]) / 1000
                if "detail-type" in body:
                    self.events.append((body, sent))
                else:
                    self.notices.append(str(body.get("Subject", "")))
                self.sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                return

    def until(self, enough: Callable[[], bool], seconds: float, pause: float = 0.3) -> bool:
        """Listens until it is enough; False when it is not in time."""
        deadline = time.monotonic() + seconds
        while True:
            self.listen()
            if enough():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)

    def dead_letters(self) -> int:
        """Messages in the environment's dead-letter queues."""
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        stuck = 0
        for url in self.sqs.list_queues(QueueNamePrefix=f"rft-{self.name}").get("QueueUrls", []):
            stuck += sum(int(value) for value in self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"].values())
        return stuck

    def rule(self, word: str, *, on: bool) -> None:
        """Switches the bus's rules whose name holds the word."""
        bus = names.bus(self.name)
        for rule in self.bus.list_rules(EventBusName=bus)["Rules"]:
            if word in rule["Name"]:
                (self.bus.enable_rule if on else self.bus.disable_rule)(Name=rule["Name"], EventBusName=bus)

    def close(self) -> None:
        """Listens no more."""
        bus = names.bus(self.name)
        self.bus.remove_targets(Rule=INBOX, EventBusName=bus, Ids=["inbox"])
        self.bus.delete_rule(Name=INBOX, EventBusName=bus)
        self.client("sns").unsubscribe(SubscriptionArn=self._subscription)
        self.sqs.delete_queue(QueueUrl=self._queue)

    def _listen(self) -> tuple[str, str]:
        url = str(self.sqs.create_queue(QueueName=INBOX)["QueueUrl"])
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        senders = {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
        policy = {"Effect": "Allow", "Principal": senders, "Action": "sqs:SendMessage", "Resource": arn}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [policy]})})
        bus = names.bus(self.name)
        self.bus.put_rule(Name=INBOX, EventBusName=bus, EventPattern=json.dumps({"source": [names.EVENT_SOURCE]}))
        self.bus.put_targets(Rule=INBOX, EventBusName=bus, Targets=[{"Id": "inbox", "Arn": arn}])
        topic = self.parameter(names.PARAM_TOPIC)
        return url, str(self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"])


def together(actions: Sequence[Callable[[], T]]) -> list[T]:
    """Runs all of them at once, each on a thread of its own, none before all are there."""
    gate = threading.Barrier(len(actions))

    def run(action: Callable[[], T]) -> T:
        gate.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def spread(seconds: Sequence[float], digits: int = 1) -> dict[str, float]:
    """Median, 95th and 99th percentile."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [*seconds, *[0.0] * 99][:99]
    return {"p50": round(cuts[49], digits), "p95": round(cuts[94], digits), "p99": round(cuts[98], digits)}
