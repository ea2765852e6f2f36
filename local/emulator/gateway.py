"""The HTTP front: ministack's application behind the admin endpoints and the transport header.

Every request is passed on as if it had come over TLS (`x-forwarded-proto: https`). Without that, every `enforceSSL`
bucket policy, the bootstrap bucket's included, would deny every call; with it, the `aws:SecureTransport` condition is
vacuous here. It is proven by the template tests instead, and listed as not emulated.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import ministack.app as upstream

from local.emulator import admin, bedrock, call_faults, checkpoints

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_HOSTS = ("127.0.0.1", "localhost")
"""Ends of the host names this server is reached by; the AWS SDKs put bucket names and the like before them."""

_GUARDED = ("/_ministack/", "/_localstack/")
"""ministack's own admin paths. They take no credentials, so whatever changes state there needs our token."""

_CUSTOM_RESOURCE_ANSWERS = "/_ministack/cfn-response/"
"""Where providers of custom resources answer; the rest of the path is a secret of that one call."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] != "http":
        await upstream.app(scope, receive, send)
        return
    path = scope["path"]
    if path.startswith(admin.PREFIX):
        await _answer(send, *await admin.handle(scope["method"], path, _headers(scope), await _body(receive)))
        return
    guarded = path.startswith(_GUARDED) and not path.startswith(_CUSTOM_RESOURCE_ANSWERS)
    if guarded and scope["method"] not in ("GET", "HEAD") and not admin.allowed(_headers(scope)):
        await _answer(send, *admin.REFUSED)
        return
    refusal = _refusal(path, _headers(scope), scope.get("query_string", b"").decode("latin-1"))
    if refusal:
        await _answer(send, 403, {"__type": "MissingAuthenticationToken", "message": refusal})
        return
    checkpoints.touch()
    headers = [pair for pair in scope["headers"] if pair[0] != b"x-forwarded-proto"]
    secured = {**scope, "headers": [*headers, (b"x-forwarded-proto", b"https")]}
    if bedrock.faults().strikes():
        await call_faults.serve(secured, _headers(scope), await _body(receive), send, upstream.app)
        return
    await upstream.app(secured, receive, send)


def _refusal(path: str, headers: dict[str, str], query: str) -> str:
    """Why a request is not for this cloud, or nothing.

    A web page can make a browser send requests here, under a name of its own that resolves to loopback even; no program that
    means this cloud sends an Origin or another Host. Unsigned requests would count as the root user's.
    """
    host = headers.get("host", "").rsplit(":", 1)[0]
    if "origin" in headers or not host.endswith(_HOSTS):
        return "the local cloud does not answer web pages"
    signed = "authorization" in headers or "X-Amz-Signature=" in query or "Signature=" in query
    return "" if signed or path.startswith("/_") else "the request is not signed"


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, payload: dict[str, Any]) -> None:
    body = json.dumps(payload).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
