"""Mounts the Bedrock stand-in of `local.bedrock` in place of ministack's stub."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Protocol, cast

import ministack.app as upstream
from contracts.errors import InvalidInput
from ministack.core.iam_evaluator import caller_arn

from local import bedrock as stand_in
from local.bedrock.faults import Faults
from local.emulator import bedrock_iam, model_metrics, settings, trail_events
from local.emulator.ports import EmulatedCloud

Answer = tuple[int, dict[str, str], bytes]


class StandIn(Protocol):
    """What `local.bedrock.mount` returns.

    Attributes:
        faults: the faults that are on, those of other services' calls included.
    """

    faults: Faults

    async def control(self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Answer:
        """Answer a request to the control plane, `bedrock`."""
        ...

    async def runtime(self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Answer:
        """Answer a request to the data plane, `bedrock-runtime`."""
        ...

    def admin(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Answer an admin request; `path` begins with `/_rft/`.

        Raises:
            InvalidInput: it knows no such request; the text lists what is allowed.
        """
        ...

    def status(self) -> dict[str, Any]:
        """What it is doing, for people."""
        ...

    def shutdown(self) -> None:
        """Stop its threads and write what must survive."""
        ...


_mounted: list[StandIn] = []


def install() -> None:
    """Mount the stand-in."""
    mount()

    async def control(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Answer:
        lacking = bedrock_iam.missing_permission(method, path, body)
        answer = _denied(*lacking) if lacking else await _current().control(method, path, headers, body, query)
        trail_events.record(method, path, headers, body, answer)
        return answer

    async def runtime(*request: Any) -> Answer:
        began = time.monotonic()
        answer = await _current().runtime(*request)
        model_metrics.record(request[1], answer, time.monotonic() - began)
        return answer

    upstream.SERVICE_HANDLERS["bedrock"] = control
    upstream.SERVICE_HANDLERS["bedrock-runtime"] = runtime


def _denied(action: str, resource: str) -> Answer:
    message = (
        f"User: {caller_arn()} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
    return 403, headers, json.dumps({"message": message}).encode()


def mount() -> None:
    """Start a fresh stand-in on the state directory's stores."""
    _mounted[:] = [cast(StandIn, stand_in.mount(EmulatedCloud(settings.current().bedrock_dir)))]


def _current() -> StandIn:
    return _mounted[0]


def shutdown() -> None:
    """Stop the stand-in, if one is mounted."""
    if _mounted:
        _mounted.pop().shutdown()


def faults() -> Faults:
    """The faults that are on; none while no stand-in is mounted."""
    return _current().faults if _mounted else Faults()


def status() -> dict[str, Any]:
    """The stand-in's own status."""
    return _current().status() if _mounted else {}


async def admin(method: str, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Pass an admin request on to the stand-in."""
    try:
        return 200, await asyncio.to_thread(_current().admin, method, f"/_rft/{name}", body)
    except InvalidInput as problem:
        return 400, {"message": str(problem)}
