"""Metrics AWS's own services publish and ministack does not: Step Functions executions and the length of queues."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, sqs, stepfunctions

from local.emulator import alarms

_SAMPLE_SECONDS = 5.0
"""How often queues are counted. AWS counts each minute; alarms here should not take minutes to be tried."""

_OUTCOMES = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}


def install() -> None:
    """Publish both."""
    upstream = stepfunctions._emit_execution_status_event

    def emit_status(execution: dict[str, Any]) -> Any:
        _count(execution)
        return upstream(execution)

    stepfunctions._emit_execution_status_event = emit_status
    threading.Thread(target=_watch_queues, name="rft-queues", daemon=True).start()


def _count(execution: dict[str, Any]) -> None:
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    cloudwatch.record_metric("AWS/States", _OUTCOMES[execution["status"]], 1, "Count", dimensions)
    if execution.get("stopDate"):
        began, ended = (datetime.fromisoformat(execution[name].replace("Z", "+00:00")) for name in ("startDate", "stopDate"))
        cloudwatch.record_metric("AWS/States", "ExecutionTime", (ended - began).total_seconds() * 1000, "Milliseconds", dimensions)
    alarms.wake()


def _watch_queues() -> None:
    while True:
        time.sleep(_SAMPLE_SECONDS)
        for (account, region, _url), queue in list(sqs._queues._data.items()):
            messages = list(queue.get("messages", []))
            now = time.time()
            visible = sum(message.get("visible_at", 0) <= now for message in messages)
            oldest = max((now - message.get("sent_at", now) for message in messages), default=0.0)
            dimensions = {"QueueName": queue["name"]}
            with request_scope(account, region):
                cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", visible, "Count", dimensions)
                cloudwatch.record_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", oldest, "Seconds", dimensions)
