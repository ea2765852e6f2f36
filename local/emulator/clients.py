"""botocore clients against this very server, one per caller, service and Region."""

from __future__ import annotations

import contextvars
import threading
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config

from local.emulator import settings

STATE_HEADER, EXECUTION_HEADER = "x-rft-state", "x-rft-execution"
"""On every call that the state machine makes: the state it is in, and the name of the execution."""

at: contextvars.ContextVar[dict[str, str]] = contextvars.ContextVar("rft_at")
"""Those headers, for the state for which the current thread makes calls."""

_LONGEST_CALL = 920
"""Seconds a client waits for an answer: a function may run 900."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str = ""


_lock = threading.Lock()
_session: list[botocore.session.Session] = []
_clients: dict[tuple[str, str, str, str], Any] = {}


def root(account: str) -> Credentials:
    """The root user of an account: allowed everything, as on AWS. For the launcher's own work only."""
    return Credentials(access_key=account, secret_key=settings.current().secret)


def client(service: str, *, region: str, credentials: Credentials) -> Any:
    """A client of `service` (botocore's name) that signs with `credentials`; made once per caller and Region."""
    key = (service, region, credentials.access_key, credentials.token)
    with _lock:
        found = _clients.get(key)
        if found is None:
            found = _clients[key] = _new(service, region, credentials)
            if len(_clients) > 512:
                _clients.pop(next(iter(_clients)))
    return found


def _new(service: str, region: str, credentials: Credentials) -> Any:
    # Session and client construction are not safe across threads; the caller holds the lock.
    if not _session:
        _session.append(botocore.session.get_session())
    made = _session[0].create_client(
        service,
        region_name=region,
        endpoint_url=settings.current().endpoint,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token or None,
        config=Config(
            inject_host_prefix=False,
            retries={"max_attempts": 0, "mode": "standard"},
            read_timeout=_LONGEST_CALL,
            connect_timeout=10,
            max_pool_connections=64,
            parameter_validation=True,
            s3={"addressing_style": "path"},
        ),
    )
    made.meta.events.register("before-call", _say_the_state)
    return made


def _say_the_state(params: dict[str, Any], **_: Any) -> None:
    params["headers"].update(at.get({}))
