"""Who makes a call, and for what: the functions' invocations that are under way, by their trace."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from ministack.core import iam_actions
from ministack.services import sts

from local.bedrock.faults import Call
from local.emulator import bedrock_iam, clients

TRACE_HEADER = "x-amzn-trace-id"
"""On every call that a function makes: its SDK passes on the trace of the invocation it serves, as on AWS."""

_NAMESPACES = {"monitoring": "cloudwatch", "email": "ses"}
"""Where the service a request is signed for is not the one that IAM and SDKs name."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One invocation of a function.

    Attributes:
        function: its name.
        event: its event, as JSON.
        kill: ends its process at once.
    """

    function: str
    event: str
    kill: Callable[[], None]


class Request(NamedTuple):
    """An HTTP request; header names are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


_lock = threading.Lock()
_under_way: dict[str, Invocation] = {}


@contextmanager
def under_way(invocation: Invocation, given: str | None) -> Iterator[str]:
    """Registers an invocation while the block runs, and gives its trace: the given one, or a new one that is not sampled."""
    root = uuid.uuid4().hex
    trace = given or f"Root=1-{root[:8]}-{root[8:]};Parent={uuid.uuid4().hex[:16]};Sampled=0"
    with _lock:
        _under_way[_root(trace)] = invocation
    try:
        yield trace
    finally:
        with _lock:
            _under_way.pop(_root(trace), None)


def invocation_of(headers: Mapping[str, str]) -> Invocation | None:
    """The invocation a request comes from, None for a request of anything but a function."""
    with _lock:
        return _under_way.get(_root(headers.get(TRACE_HEADER, "")))


def call_of(request: Request) -> tuple[Call, str, str] | None:
    """The call a signed request is, the service it is for as ministack names it, and its caller's ARN; None for other requests."""
    scope = _credential(request.headers.get("authorization", ""))
    if scope is None:
        return None
    key, service = scope
    invocation = invocation_of(request.headers)
    arn = str((sts._sessions.get(key) or {}).get("Arn", key))
    text = f"{request.path}?{request.query}\n{request.body.decode('utf-8', 'replace')}\n{invocation.event if invocation else ''}"
    operation = f"{_NAMESPACES.get(service, service)}:{_operation(service, request)}"
    state = request.headers.get(clients.STATE_HEADER)
    caller = invocation.function if invocation else f"states/{state}" if state else arn.rpartition("/")[2]
    run = _run_of(invocation.event) if invocation else request.headers.get(clients.EXECUTION_HEADER, "")
    return Call(operation, caller, run, request.path, text, invocation is not None), service, arn


def _operation(service: str, request: Request) -> str:
    method, path, query, headers, body = request
    if service == "bedrock":
        found = bedrock_iam.operation("bedrock", method, path) or bedrock_iam.operation("bedrock-runtime", method, path)
        return found[0] if found else ""
    if "/operation/" in path:
        # Smithy's RPC protocols put the operation into the path.
        return path.rpartition("/operation/")[2]
    parameters = {name: value for name, _, value in (part.partition("=") for part in query.split("&"))}
    action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
    return str(action or "").partition(":")[2]


def _run_of(event: str) -> str:
    """The run a function is invoked for: the event's `run_id`, or that of its plan; empty when there is none."""
    found = json.loads(event)
    for part in (found, found.get("plan")) if isinstance(found, dict) else ():
        if isinstance(part, dict) and isinstance(part.get("run_id"), str):
            return str(part["run_id"])
    return ""


def _root(trace: str) -> str:
    return trace.partition(";")[0]


def _credential(authorization: str) -> tuple[str, str] | None:
    """Access key and service of a signature's `Credential=<key>/<date>/<region>/<service>/aws4_request`."""
    parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (parts[0], parts[3]) if len(parts) == 5 else None


def event_text(event: Any) -> str:
    """An event as the text that a fault's `run` is looked for in."""
    return json.dumps(event, default=str)
