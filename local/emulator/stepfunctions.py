"""Step Functions tasks made as the state machine's role, through this server's own endpoint.

ministack calls the other services inside its own process as the account's root user, so a missing permission would pass
here and fail on AWS. Every integration below signs a real request with a session of the role instead.
"""

from __future__ import annotations

import contextvars
import json
import math
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import botocore.exceptions
from ministack.core import iam_actions
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, now_iso
from ministack.services import stepfunctions as upstream

from local.emulator import clients, identity, sdk_integration, settings
from local.emulator.clients import Credentials, client

_SERVICE = "states.amazonaws.com"

# The state machine each token was made for, also after its task ended: it is what SendTask* is allowed on.
_machines: dict[str, str] = {}
_MOST_TOKENS = 10_000

# State machine ARN and role of the execution the current thread works for.
_running: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("rft_running", default=None)


def install() -> None:
    """Replace execution, integrations and callbacks."""
    upstream_run = upstream._run_execution
    upstream_start = upstream._start_execution
    upstream_fail = upstream._fail_execution
    upstream_invoke = upstream._invoke_resource
    upstream_task = upstream._execute_task

    def run_execution(execution_arn: str) -> Any:
        execution = upstream._executions.get(execution_arn) or {}
        machine = upstream._state_machines.get(execution.get("stateMachineArn", "")) or {}
        _running.set((machine.get("stateMachineArn", ""), machine.get("roleArn", "")))
        return upstream_run(execution_arn)

    def start_execution(data: dict[str, Any]) -> Any:
        return _same_request_again(data) or upstream_start(data)

    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> Any:
        # A task that ends after StopExecution must not turn ABORTED into FAILED.
        return upstream_fail(execution, error, cause) if execution["status"] == "RUNNING" else None

    def invoke_resource(resource: str, arguments: Any) -> Any:
        if ":activity:" in resource or ":states:startExecution" in resource:
            return upstream_invoke(resource, arguments)
        return _call(resource, arguments)

    def execute_task(state: dict[str, Any], raw_input: Any, execution: Any, context: dict[str, Any]) -> Any:
        timed = {
            field: upstream._jsonata_state_field(state, field, "number", raw_input, context)
            for field in ("TimeoutSeconds", "HeartbeatSeconds")
            if isinstance(state.get(field), str)
        }
        # A name may hold letters that a header must not.
        at = {clients.STATE_HEADER: context["State"]["Name"], clients.EXECUTION_HEADER: quote(context["Execution"]["Name"])}
        token = clients.at.set(at)
        try:
            return upstream_task({**state, **timed}, raw_input, execution, context)
        finally:
            clients.at.reset(token)

    for name in ("_send_task_success", "_send_task_failure", "_send_task_heartbeat"):
        setattr(upstream, name, _refusing_gone_tokens(getattr(upstream, name)))
    upstream_resource = iam_actions.extract_resource_arn

    def extract_resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
        if service == "states" and ".SendTask" in headers.get("x-amz-target", ""):
            return _machines.get(_token_of(body), "*")
        return upstream_resource(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = extract_resource
    upstream._run_execution = run_execution
    upstream._start_execution = start_execution
    upstream._fail_execution = fail_execution
    upstream._invoke_resource = invoke_resource
    upstream._invoke_with_callback = _invoke_with_callback
    upstream._execute_task = execute_task
    upstream._apply_jsonata_arguments = _with_a_token_of_its_own(upstream._apply_jsonata_arguments)


def _with_a_token_of_its_own(upstream_arguments: Callable[..., Any]) -> Callable[..., Any]:
    """On AWS each attempt is a task of its own, and the token of one that failed is void; ministack keeps one token for all attempts."""

    def apply(state: dict[str, Any], raw_input: Any, context: dict[str, Any]) -> Any:
        if "Task" in context:
            context["Task"] = {"Token": str(uuid.uuid4())}
        return upstream_arguments(state, raw_input, context)

    return apply


def _refusing_gone_tokens(upstream_send: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Answer for a token that waits no more as AWS does: TaskTimedOut if it ever was one, InvalidToken if not."""

    def send(data: dict[str, Any]) -> Any:
        token = data.get("taskToken", "")
        waiting = upstream._task_tokens.get(token)
        if waiting is None:
            if token in _machines:
                return error_response_json("TaskTimedOut", "Task Timed Out: the task has ended or its token has expired", 400)
            return error_response_json("InvalidToken", "Invalid Token: no task of this account has it", 400)
        waiting["beat"] = time.monotonic()
        return upstream_send(data)

    return send


def _token_of(body: bytes) -> str:
    try:
        return str(json.loads(body).get("taskToken", ""))
    except (ValueError, AttributeError):
        return ""


def _same_request_again(data: dict[str, Any]) -> Any:
    """The answer to a repeated StartExecution: with the same name and input, a running execution is simply returned.

    StartExecution is idempotent for STANDARD workflows: "If StartExecution is called with the same name and input as a
    running execution, the call succeeds and returns the same response as the original request. If the execution is closed
    or if the input is different, it returns a 400 ExecutionAlreadyExists error" (API reference).
    """
    machine = upstream._state_machines.get(upstream._resolve_state_machine_arn(data.get("stateMachineArn", "")) or "")
    if not machine or not data.get("name"):
        return None
    arn = f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine['name']}:{data['name']}"
    found = upstream._executions.get(arn)
    if found and found["status"] == "RUNNING" and _same_json(found["input"], data.get("input", "{}")):
        return json_response({"executionArn": arn, "startDate": found["startDate"]})
    return None


def _same_json(left: str, right: str) -> bool:
    try:
        return bool(json.loads(left) == json.loads(right))
    except json.JSONDecodeError:
        return left == right


def _role_credentials() -> Credentials:
    machine, role = _running.get() or ("", "")
    if not role:
        raise upstream._ExecutionError("States.Runtime", "the state machine has no role to call services with")
    try:
        return identity.assume(role, service=_SERVICE, region=get_region(), source_arn=machine, session="states")
    except identity.NotTrusted as problem:
        raise upstream._ExecutionError("States.Runtime", str(problem)) from problem


def _call(resource: str, arguments: Any) -> Any:
    """Perform one integration as the state machine's role.

    `resource` is a function's ARN, an optimised integration (`arn:aws:states:::lambda:invoke`) or `aws-sdk:service:action`.
    """
    credentials = _role_credentials()
    name = resource.removesuffix(".waitForTaskToken").removesuffix(".sync")
    if name.startswith("arn:aws:lambda:"):
        return _lambda({"FunctionName": name, "Payload": arguments}, credentials)["Payload"]
    target = name.removeprefix("arn:aws:states:::")
    if target == "lambda:invoke":
        return _lambda(arguments, credentials)
    service, _, action = target.removeprefix("aws-sdk:").partition(":")
    try:
        return sdk_integration.call(
            service, action, arguments or {}, credentials=credentials, region=get_region(), optimised=not target.startswith("aws-sdk:")
        )
    except sdk_integration.Failed as problem:
        raise upstream._ExecutionError(problem.error, problem.cause) from problem


def _lambda(arguments: dict[str, Any], credentials: Credentials) -> dict[str, Any]:
    request: dict[str, Any] = {"FunctionName": arguments.get("FunctionName", "")}
    for field in ("Qualifier", "InvocationType", "ClientContext"):
        if field in arguments:
            request[field] = arguments[field]
    if "Payload" in arguments:
        request["Payload"] = json.dumps(arguments["Payload"])
    functions = client("lambda", region=get_region(), credentials=credentials)
    try:
        answer = functions.invoke(**request)
        body = answer["Payload"].read().decode()
    except botocore.exceptions.ClientError as problem:
        modelled = sdk_integration.errors_of(functions.meta.service_model.operation_model("Invoke"))
        error, cause = sdk_integration.describe(problem, "Lambda", "AWSLambdaException", modelled)
        raise upstream._ExecutionError(error, cause) from problem
    except botocore.exceptions.BotoCoreError as problem:
        raise upstream._ExecutionError("Lambda.SdkClientException", str(problem)) from problem
    try:
        payload = json.loads(body) if body else None
    except json.JSONDecodeError:
        payload = body
    if answer.get("FunctionError"):
        kind = payload.get("errorType") if isinstance(payload, dict) else None
        raise upstream._ExecutionError(kind or "Lambda.Unknown", body)
    return {"ExecutedVersion": answer.get("ExecutedVersion", "$LATEST"), "Payload": payload, "StatusCode": answer["StatusCode"]}


def _invoke_with_callback(resource: str, arguments: Any, token: str, state: dict[str, Any]) -> Any:
    """Make the call, then wait for the token. A call that fails fails the task; ministack drops a function's error here.

    Timeout and heartbeat last `clock` seconds per second, as Wait states do: they stand for how long a person or a
    training job takes, not for how long this machine computes.
    """
    clock = settings.current().clock
    done = threading.Event()
    _machines[token] = (_running.get() or ("", ""))[0]
    while len(_machines) > _MOST_TOKENS:
        _machines.pop(next(iter(_machines)))
    upstream._task_tokens[token] = waiting = {"event": done, "result": None, "error": None, "heartbeat": now_iso()}
    try:
        _call(resource, arguments)
        started = waiting["beat"] = time.monotonic()
        timeout = float(state.get("TimeoutSeconds", 99_999_999)) * clock
        heartbeat = float(state.get("HeartbeatSeconds", math.inf)) * clock
        while not done.wait(0.02 if clock < 1 else 0.2):
            now = time.monotonic()
            if now - started >= timeout:
                raise upstream._ExecutionError("States.Timeout", "the task's TimeoutSeconds passed before its token came back")
            if now - waiting["beat"] >= heartbeat:
                raise upstream._ExecutionError("States.HeartbeatTimeout", "the task's HeartbeatSeconds passed without a heartbeat")
    finally:
        upstream._task_tokens.pop(token, None)
    if waiting["error"]:
        raise upstream._ExecutionError(waiting["error"].get("Error", "TaskFailed"), waiting["error"].get("Cause", ""))
    result = waiting["result"]
    try:
        return json.loads(result) if isinstance(result, str) else result
    except json.JSONDecodeError:
        return result
