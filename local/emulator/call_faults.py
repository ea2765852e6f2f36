"""Faults of calls, at the front door: the service's own error, an answer that never comes, a function that is killed half-way."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_actions

from local.emulator import bedrock, calls

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Serve = Callable[[Scope, Receive, Send], Awaitable[None]]

_THROTTLED = {"s3": ("SlowDown", 503), "lambda": ("TooManyRequestsException", 429), "sns": ("Throttled", 429)}
_FAILED = {
    "s3": ("InternalError", 500),
    "sns": ("InternalError", 500),
    "ssm": ("InternalServerError", 500),
    "kms": ("KMSInternalException", 500),
    "lambda": ("ServiceException", 500),
    "events": ("InternalException", 500),
    "bedrock": ("InternalServerException", 500),
}
"""Code and status by botocore's service models; the protocols' common ones elsewhere."""


async def serve(scope: Scope, headers: dict[str, str], body: bytes, send: Send, serve_call: Serve) -> None:
    """Serves a request whose body has been read: as the faults that are on say, else by `serve_call`."""
    receive = _again(body)
    found = calls.call_of(calls.Request(scope["method"], scope["path"], scope.get("query_string", b"").decode("latin-1"), headers, body))
    fault = bedrock.faults().strike(found[0]) if found else None
    if found is None or fault is None:
        await serve_call(scope, receive, send)
        return
    call, service, caller = found
    if fault in ("lost_answer", "killed"):
        invocation = calls.invocation_of(headers)
        await serve_call(scope, receive, _nobody)
        if fault == "killed" and invocation is not None:
            invocation.kill()
        await _break_off(send)
        return
    await _send(send, *_error(fault, service, call.operation, caller, headers))


def _error(fault: str, service: str, operation: str, caller: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    named: dict[str, Any] = {}
    status = None
    if fault == "throttle":
        code, status = _THROTTLED.get(service, ("ThrottlingException", 429 if service == "bedrock" else 400))
        named = {"error_code": code, "message": "Rate exceeded"}
    elif fault == "server_error":
        code, status = _FAILED.get(service, ("InternalFailure", 500))
        named = {"error_code": code, "message": "The service had an internal error."}
    denied, answered, body = iam_actions.access_denied_response(service, operation, caller, str(uuid.uuid4()), headers=headers, **named)
    if named:
        answered = {**answered, "x-amzn-errortype": named["error_code"]}
    return status or denied, answered, body


def _again(body: bytes) -> Receive:
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return left.pop() if left else {"type": "http.disconnect"}

    return receive


async def _nobody(_message: dict[str, Any]) -> None:
    """Takes an answer that nobody gets."""


async def _break_off(send: Send) -> None:
    # An answer shorter than it says it is makes the server close the connection; whoever reads it sees a connection that broke.
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    given = {**{name.lower(): value for name, value in headers.items()}, "content-length": str(len(body))}
    await send({"type": "http.response.start", "status": status, "headers": [(k.encode(), v.encode()) for k, v in given.items()]})
    await send({"type": "http.response.body", "body": body})
