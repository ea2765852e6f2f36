"""Alarms on what AWS's services publish, and on calls that CloudTrail records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.alarms.case import Case, service, told
from tests.alarms.scene import Scene

_RULES = ("Uploaded", "DatasetRegistered", "JobEnded", "AfterEnd", "AfterEndRecord", "ForeignCall", "JobChanged")


def _counted(namespace: str, metric: str, fired_by: str, missed_by: str) -> Case:
    """One is too many."""
    return service(namespace, metric, fires=1, misses=0, fired_by=fired_by, missed_by=missed_by)


def _rule(name: str) -> Case:
    return _counted("AWS/Events", "FailedInvocations", f"EventBridge fails to invoke what {name} calls", "each event is delivered")


def _queue(what: str) -> Case:
    return _counted("AWS/SQS", "ApproximateNumberOfMessagesVisible", f"a message lies in the queue of {what}", "the queue is empty")


def _of_the_time(share: float) -> Callable[[Scene], float]:
    """Milliseconds: a share of what a call of the reward function may take."""
    return lambda scene: share * scene.deployed.settings.reward.timeout_seconds * 1000


def _call(service_: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "eventSource": f"{service_}.amazonaws.com",
        "eventName": name,
        "eventType": "AwsApiCall",
        "userIdentity": {"type": "Role"},
        **more,
    }


def _tampering(call: dict[str, Any], harmless: dict[str, Any], *, fired_by: str, missed_by: str) -> Case:
    def record(event: dict[str, Any]) -> Any:
        def play(scene: Scene) -> None:
            scene.trail(event)
            scene.engine.advance(1)

        return play

    return told(record(call), record(harmless), fired_by=fired_by, missed_by=missed_by)


_BY_DEPLOYMENT = {"type": "AssumedRole", "invokedBy": "cloudformation.amazonaws.com"}

CASES: dict[str, Case] = {
    "RewardErrors": _counted("AWS/Lambda", "Errors", "a call of the reward function fails", "calls without an error"),
    "RewardThrottles": _counted("AWS/Lambda", "Throttles", "a call of the reward function is throttled", "calls that are let in"),
    "RewardSlow": service(
        "AWS/Lambda",
        "Duration",
        fires=_of_the_time(0.81),
        misses=_of_the_time(0.8),
        fired_by="a call that takes 81 % of its time",
        missed_by="one that takes 80 %",
    ),
    "RunTimedOut": _counted("AWS/States", "ExecutionsTimedOut", "an execution hits its time limit", "executions that end"),
    "UndeliveredEventsNotEmpty": _queue("events nobody could be given"),
    "FailedEventsNotEmpty": _queue("events a function failed on"),
    "BackupFailing": _counted("AWS/S3", "OperationsFailedReplication", "an object is not copied", "each object is copied"),
    **{f"{name}RuleFailing": _rule(name) for name in _RULES},
    "TrailChanged": _tampering(
        _call("cloudtrail", "StopLogging"),
        _call("cloudtrail", "LookupEvents"),
        fired_by="somebody stops the trail (cloudtrail:StopLogging)",
        missed_by="somebody reads it (cloudtrail:LookupEvents)",
    ),
    "BucketOpened": _tampering(
        _call("s3", "PutBucketPolicy"),
        _call("s3", "PutBucketPolicy", userIdentity=_BY_DEPLOYMENT),
        fired_by="somebody changes a bucket's policy (s3:PutBucketPolicy)",
        missed_by="a deployment does",
    ),
    "KeyEndangered": _tampering(
        _call("kms", "ScheduleKeyDeletion"),
        _call("kms", "Decrypt"),
        fired_by="a key is to be deleted (kms:ScheduleKeyDeletion)",
        missed_by="a key is used (kms:Decrypt)",
    ),
    "RootUsed": _tampering(
        _call("s3", "ListBuckets", userIdentity={"type": "Root"}),
        _call("s3", "GetObject", userIdentity={"type": "Root", "invokedBy": "AWS Internal"}),
        fired_by="the account's root user calls something",
        missed_by="a service of AWS does so in its name",
    ),
}
