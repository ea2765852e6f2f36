"""The local cloud's own endpoints under `/_rft/`: `ready`, `status`, `reset`, `faults` and the stand-in's own.

Reading is free; everything that changes state needs the header `x-rft-token` with the state directory's secret, so that a
web page open in the same browser cannot drive the cloud.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import shutil
from typing import Any

import ministack.app as upstream

from local.emulator import alarms, bedrock, not_emulated, settings

PREFIX = "/_rft/"
TOKEN_HEADER = "x-rft-token"  # noqa: S105 - the header's name, not a secret
REFUSED: tuple[int, dict[str, Any]] = (403, {"message": f"needs the header {TOKEN_HEADER}; use local.cloud's Endpoint.admin"})


def allowed(headers: dict[str, str]) -> bool:
    """Whether the request carries the state directory's secret."""
    return hmac.compare_digest(headers.get(TOKEN_HEADER, ""), settings.current().secret)


async def handle(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
    """Answer one request: status and JSON body."""
    name = path.removeprefix(PREFIX).strip("/")
    if method != "GET" and not allowed(headers):
        return REFUSED
    if method == "GET" and name == "ready":
        return 200, {"ready": True}
    if method == "GET" and name == "status":
        return 200, _status()
    if method == "POST" and name == "reset":
        await _reset()
        return 200, {"reset": True}
    try:
        content = json.loads(body) if body else {}
    except json.JSONDecodeError as problem:
        return 400, {"message": f"the body is not JSON: {problem}"}
    return await bedrock.admin(method, name, content)


def _status() -> dict[str, Any]:
    current = settings.current()
    return {
        "pid": os.getpid(),
        "endpoint": current.endpoint,
        "clock": current.clock,
        "state_dir": str(current.state_dir),
        "not_emulated": [{"what": what, "why": why} for what, why in not_emulated.entries()],
        "alarms": alarms.on(),
        "bedrock": bedrock.status(),
    }


async def _reset() -> None:
    """Forget everything: services, objects, checkpoints and the stand-in's stores."""
    await asyncio.to_thread(bedrock.shutdown)
    await asyncio.to_thread(upstream._reset_all_state)
    current = settings.current()
    for directory in (current.services_dir, current.bedrock_dir):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True, exist_ok=True)
    not_emulated.forget_recorded()
    bedrock.mount()
