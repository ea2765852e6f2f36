"""EventBridge targets as AWS reaches them: resource policies and target roles asked, retries, dead-letter queues.

The rule's own matching and input transformation are ministack's; only the delivery is replaced.
"""

from __future__ import annotations

import contextvars
import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
from ministack.core import iam_evaluator
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, lambda_svc, scheduler, sns, sqs
from ministack.services import eventbridge as upstream

from local.emulator import identity, sdk_integration, settings
from local.emulator.clients import Credentials, client, root

log = logging.getLogger("rft.local")

_TICK_SECONDS = 1.0
_FIRST_WAIT_SECONDS = 1.0
_RETRIES = 185
_OLDEST_SECONDS = 86_400
_SCHEDULER = "aws.scheduler"
_PERMANENT = ("NO_PERMISSIONS", "NO_RESOURCE")

# Target and rule (or schedule) whose event is being delivered on this thread.
_delivering: contextvars.ContextVar[tuple[dict[str, Any], dict[str, Any]] | None] = contextvars.ContextVar("rft_delivering", default=None)


class Undelivered(Exception):
    """One attempt at a target failed.

    Attributes:
        code: EventBridge's error code, such as NO_PERMISSIONS; permanent ones are not retried.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def install() -> None:
    """Replace the delivery to functions, queues, topics and state machines, and add log groups and `aws-sdk` targets."""
    upstream_invoke = upstream._invoke_target

    def invoke_target(target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> Any:
        token = _delivering.set((target, rule))
        try:
            arn = target.get("Arn", "")
            if event.get("Source") == _SCHEDULER:
                target = {**target, "Input": _scheduled(target.get("Input", ""), event)}
            if arn.startswith(("arn:aws:logs:", "arn:aws:scheduler:::aws-sdk:")):
                found = view or upstream._pattern_event_view(event)
                payload = target.get("Input") or json.dumps(found.event_with_detail())
                return _deliver(_log_group if ":logs:" in arn else _api_call, arn, payload)
            return upstream_invoke(target, event, rule, view)
        finally:
            _delivering.reset(token)

    upstream._SCHEDULER_TICK_INTERVAL = scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS
    upstream._invoke_target = invoke_target
    upstream._dispatch_to_lambda = lambda arn, payload: _deliver(_function, arn, payload)
    upstream._dispatch_to_sqs = lambda spec, payload, parameters=None: _deliver(_queue, str(spec), payload, parameters or {})
    upstream._dispatch_to_sns = lambda arn, payload: _deliver(_topic, arn, payload)
    upstream._dispatch_to_stepfunctions = lambda arn, payload: _deliver(_state_machine, arn, payload)


def _scheduled(text: str, event: dict[str, Any]) -> str:
    """A schedule's input with what Scheduler fills in (EventBridge Scheduler user guide, managing-schedule-context-attributes)."""
    due = datetime.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    filled = {"scheduled-time": due, "schedule-arn": event["Resources"][0], "execution-id": event["EventId"], "attempt-number": "1"}
    for name, value in filled.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _deliver(attempt: Callable[..., None], arn: str, payload: str, *more: Any) -> None:
    """Try the target in the background, as often and as long as its retry policy says, then its dead-letter queue."""
    target, rule = _delivering.get() or ({}, {})
    spawn_background(_try, attempt, target, rule, arn, payload, *more, thread_name="rft-event-delivery")


def _try(attempt: Callable[..., None], target: dict[str, Any], rule: dict[str, Any], arn: str, *sent: Any) -> None:
    clock = settings.current().clock
    policy = target.get("RetryPolicy") or {}
    retries = int(policy.get("MaximumRetryAttempts", _RETRIES))
    oldest = float(policy.get("MaximumEventAgeInSeconds", _OLDEST_SECONDS)) * clock
    started, tried = time.monotonic(), 0
    while True:
        try:
            attempt(arn, *sent)
        except Undelivered as problem:
            failure = problem
        except botocore.exceptions.ClientError as problem:
            failure = _described(problem)
        else:
            return
        wait = min(_FIRST_WAIT_SECONDS * 2**tried, 600.0) * clock
        aged = time.monotonic() - started + wait > oldest
        if failure.code in _PERMANENT or tried >= retries or aged:
            break
        tried += 1
        time.sleep(wait)
    log.warning("event for %s is not delivered after %d retries: %s: %s", arn, tried, failure.code, failure)
    name = rule.get("Name", "")
    cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": name})
    exhausted = (
        {} if failure.code in _PERMANENT else {"EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds" if aged else "MaximumRetryAttempts"}
    )
    _to_dead_letter_queue(target, rule, sent[0], {"TARGET_ARN": arn, "RETRY_ATTEMPTS": str(tried), **exhausted}, failure)


def _described(problem: botocore.exceptions.ClientError) -> Undelivered:
    code = problem.response["Error"]["Code"]
    if "AccessDenied" in code or "Authorization" in code:
        return Undelivered("NO_PERMISSIONS", str(problem))
    if "NotFound" in code or "DoesNotExist" in code or "NonExistent" in code:
        return Undelivered("NO_RESOURCE", str(problem))
    return Undelivered("THROTTLING" if "Throttl" in code or "TooMany" in code else "SDK_CLIENT_ERROR", str(problem))


def _to_dead_letter_queue(target: dict[str, Any], rule: dict[str, Any], payload: str, facts: dict[str, str], failure: Undelivered) -> None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    attributes = {
        "RULE_ARN": rule.get("Arn", ""),
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": str(failure)[:1000],
        **facts,
    }
    try:
        _queue(queue, payload, {}, attributes)
    except (Undelivered, botocore.exceptions.ClientError) as problem:
        log.warning("the dead-letter queue %s does not take the event: %s", queue, problem)
        cloudwatch.record_metric("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", {"RuleName": rule.get("Name", "")})


def _source() -> tuple[str, str]:
    """The service principal that delivers and the ARN of the rule or schedule."""
    _target, rule = _delivering.get() or ({}, {})
    arn = rule.get("Arn", "")
    return ("scheduler.amazonaws.com" if arn.startswith("arn:aws:scheduler:") else "events.amazonaws.com"), arn


def _admitted(policy: Any, action: str, resource: str) -> None:
    """Ask a resource policy whether it lets EventBridge in.

    Raises:
        Undelivered: it does not.
    """
    service, source = _source()
    request = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context={"aws:sourcearn": source, "aws:sourceaccount": get_account_id(), "aws:principalisawsservice": "true"},
    )
    if iam_evaluator.evaluate_resource_policy(policy or {}, request, service=service).decision != "Allow":
        raise Undelivered("NO_PERMISSIONS", f"the resource policy of {resource} does not let {service} do {action} for {source}")


def _role() -> Credentials:
    """Credentials of the target's role; a target without one cannot be reached this way.

    Raises:
        Undelivered: no role, or its trust policy refuses.
    """
    target, _rule = _delivering.get() or ({}, {})
    principal, source = _source()
    if not target.get("RoleArn"):
        raise Undelivered("NO_PERMISSIONS", f"the target {target.get('Arn')} has no role")
    try:
        return identity.assume(target["RoleArn"], service=principal, region=get_region(), source_arn=source)
    except identity.NotTrusted as problem:
        raise Undelivered("NO_PERMISSIONS", str(problem)) from problem


def _function(arn: str, payload: str) -> None:
    target, _rule = _delivering.get() or ({}, {})
    if target.get("RoleArn"):
        client("lambda", region=get_region(), credentials=_role()).invoke(FunctionName=arn, InvocationType="Event", Payload=payload)
        return
    function, config, _name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        raise Undelivered("NO_RESOURCE", f"function {arn} does not exist")
    base, _config, _name = lambda_svc._get_base_func_record_for_ref(arn)
    _admitted((base or {}).get("policy"), "lambda:InvokeFunction", arn)
    client("lambda", region=get_region(), credentials=root(get_account_id())).invoke(
        FunctionName=arn, InvocationType="Event", Payload=payload
    )


def _queue(arn: str, payload: str, parameters: dict[str, Any], attributes: dict[str, str] | None = None) -> None:
    queue = sqs._queue_by_arn(arn)
    if not queue:
        raise Undelivered("NO_RESOURCE", f"queue {arn} does not exist")
    found = sqs.queue_policy_for_arn(arn)
    _admitted(found[0] if found else None, "sqs:SendMessage", arn)
    url = f"{settings.current().endpoint}/{arn.split(':')[4]}/{arn.rsplit(':', 1)[-1]}"
    more = {"MessageGroupId": parameters["MessageGroupId"]} if parameters.get("MessageGroupId") else {}
    if attributes:
        more["MessageAttributes"] = {key: {"DataType": "String", "StringValue": value or "-"} for key, value in attributes.items()}
    client("sqs", region=get_region(), credentials=root(arn.split(":")[4])).send_message(QueueUrl=url, MessageBody=payload, **more)


def _topic(arn: str, payload: str) -> None:
    found = sns.topic_policy_for_arn(arn)
    if found is None and arn not in sns._topics:
        raise Undelivered("NO_RESOURCE", f"topic {arn} does not exist")
    _admitted(found[0] if found else None, "sns:Publish", arn)
    client("sns", region=get_region(), credentials=root(arn.split(":")[4])).publish(TopicArn=arn, Message=payload)


def _state_machine(arn: str, payload: str) -> None:
    client("stepfunctions", region=get_region(), credentials=_role()).start_execution(stateMachineArn=arn, input=payload)


def _log_group(arn: str, payload: str) -> None:
    logs = client("logs", region=get_region(), credentials=root(get_account_id()))
    group = arn.split(":")[6]
    stream = f"events-{int(time.time() * 1000)}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": int(time.time() * 1000), "message": payload}])


def _api_call(arn: str, payload: str) -> None:
    """A universal target of EventBridge Scheduler, `arn:aws:scheduler:::aws-sdk:service:action`, made as the schedule's role."""
    service, action = arn.removeprefix("arn:aws:scheduler:::aws-sdk:").split(":")
    try:
        sdk_integration.call(service, action, json.loads(payload), credentials=_role(), region=get_region(), optimised=False)
    except sdk_integration.Failed as problem:
        raise Undelivered("NO_PERMISSIONS" if "AccessDenied" in problem.cause else "SDK_CLIENT_ERROR", str(problem)) from problem
