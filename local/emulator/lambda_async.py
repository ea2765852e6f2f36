"""Asynchronous invocations as Lambda makes them: two retries, the event's age, destinations and dead-letter queues.

Messages are sent with the function's own execution role, so a role that may not write to its queue loses the event here
too, and counts in AWS/Lambda `DeadLetterErrors` or `DestinationDeliveryFailures`.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any

import botocore.exceptions
from ministack.core import lambda_runtime
from ministack.core.concurrency import spawn_background
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc

from local.emulator import settings
from local.emulator.clients import Credentials, client

log = logging.getLogger("rft.local")

_RETRIES = 2
_FIRST_WAIT_SECONDS = 60.0
"""Lambda waits one minute before the first retry and two before the second; both last `clock` seconds per second here."""

_OLDEST_SECONDS = 21_600
_MESSAGE_LIMIT = 1024


def install() -> None:
    """Replace ministack's retries, whose dead-letter messages have another shape."""
    lambda_svc.invoke_async_with_retry = invoke


def invoke(function: dict[str, Any], event: Any) -> None:
    """Accept an event and run it in the background."""
    spawn_background(_run, function, event, thread_name="rft-async-invoke")


def _run(function: dict[str, Any], event: Any) -> None:
    config = function.get("config") or function
    arn = config["FunctionArn"].split(":")
    with request_scope(arn[4], arn[3]):
        _attempt(function, config, event)


def _attempt(function: dict[str, Any], config: dict[str, Any], event: Any) -> None:
    clock = settings.current().clock
    given = _event_invoke_config(config)
    retries = int(given.get("MaximumRetryAttempts", _RETRIES))
    oldest = float(given.get("MaximumEventAgeInSeconds", _OLDEST_SECONDS)) * clock
    started, attempts, throttles = time.monotonic(), 0, 0
    while True:
        began = time.monotonic()
        result = lambda_svc._execute_function(function, event)
        _count(config, result, time.monotonic() - began)
        if result.get("throttle"):
            # A throttled event goes back to the queue without using up a retry, until it is too old.
            throttles += 1
            wait, condition = min(2.0**throttles, 300.0) * clock, "EventAgeExceeded"
        elif result.get("error"):
            attempts += 1
            wait, condition = _FIRST_WAIT_SECONDS * attempts * clock, "RetriesExhausted"
            if attempts > retries:
                break
        else:
            _destination(given, "OnSuccess", config, event, result, condition="Success", attempts=attempts + 1)
            return
        if time.monotonic() - started + wait > oldest:
            condition = "EventAgeExceeded"
            break
        time.sleep(wait)
    log.warning("function %s failed for good after %d attempts", config["FunctionName"], attempts)
    _destination(given, "OnFailure", config, event, result, condition=condition, attempts=attempts)
    _dead_letter(config, event, result)


def _event_invoke_config(config: dict[str, Any]) -> dict[str, Any]:
    """The settings for the version or alias the event was sent to."""
    record, _config, _name = lambda_svc._get_base_func_record_for_ref(config["FunctionArn"])
    parts = config["FunctionArn"].split(":")
    qualifier = parts[7] if len(parts) > 7 else None
    return lambda_svc._event_invoke_config(record or {}, qualifier) or lambda_svc._event_invoke_config(record or {}, None) or {}


def _count(config: dict[str, Any], result: dict[str, Any], seconds: float) -> None:
    lambda_svc._emit_lambda_metrics(
        config["FunctionName"], duration_ms=seconds * 1000, error=bool(result.get("error")), throttle=bool(result.get("throttle"))
    )


def _role(config: dict[str, Any]) -> Credentials:
    taken = lambda_runtime.execution_credentials(config)
    return Credentials(access_key=taken["AWS_ACCESS_KEY_ID"], secret_key=taken["AWS_SECRET_ACCESS_KEY"], token=taken["AWS_SESSION_TOKEN"])


def _destination(
    given: dict[str, Any], name: str, config: dict[str, Any], event: Any, result: dict[str, Any], *, condition: str, attempts: int
) -> None:
    target = ((given.get("DestinationConfig") or {}).get(name) or {}).get("Destination")
    if not target:
        return
    failed = name == "OnFailure"
    record = {
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": config["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")},
        "responsePayload": result.get("body"),
    }
    if failed:
        record["responseContext"]["functionError"] = result.get("function_error") or "Unhandled"
    _send(target, json.dumps(record), {}, config, "DestinationDeliveryFailures")


def _dead_letter(config: dict[str, Any], event: Any, result: dict[str, Any]) -> None:
    """The original event, with what went wrong as message attributes."""
    target = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if not target:
        return
    body = result.get("body")
    message = body.get("errorMessage", "") if isinstance(body, dict) else str(body)
    attributes = {"RequestID": str(uuid.uuid4()), "ErrorCode": "200", "ErrorMessage": message[:_MESSAGE_LIMIT] or "Unhandled"}
    _send(target, json.dumps(event), attributes, config, "DeadLetterErrors")


def _send(target: str, body: str, attributes: dict[str, str], config: dict[str, Any], metric: str) -> None:
    service, region, name = target.split(":")[2], target.split(":")[3], target.rsplit(":", 1)[-1]
    credentials = _role(config)
    typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
    try:
        sender = client(service, region=region, credentials=credentials)
        if service == "sqs":
            # The queue's URL is what the sending service knows already: no sqs:GetQueueUrl is asked of the role.
            url = f"{settings.current().endpoint}/{target.split(':')[4]}/{name}"
            sender.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)
        elif service == "sns":
            sender.publish(TopicArn=target, Message=body, MessageAttributes=typed)
        elif service == "lambda":
            sender.invoke(FunctionName=target, InvocationType="Event", Payload=body)
        elif service == "events":
            entry = {"Source": "lambda", "DetailType": "Lambda Function Invocation Result", "Detail": body, "EventBusName": target}
            sender.put_events(Entries=[entry])
    except botocore.exceptions.ClientError as problem:
        log.warning("function %s: its event could not be sent to %s: %s", config["FunctionName"], target, problem)
        cloudwatch.record_metric("AWS/Lambda", metric, 1, "Count", {"FunctionName": config["FunctionName"]})
