"""What every handler shares: a busy service becomes `TransientFault`, and each call leaves one short line in the log."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from contracts.errors import TransientFault

from pipeline import aws

Event = Mapping[str, Any]
Result = dict[str, Any]

_LOG = logging.getLogger("pipeline")
_LOG.setLevel(logging.INFO)


def log(message: str, **fields: object) -> None:
    """One JSON line. Fields are names, counts and states; never anything of a prompt, answer or reference."""
    _LOG.info(json.dumps({"message": message, **fields}, default=str))


def now() -> str:
    """The present in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def task(handler: Callable[[Event], Result]) -> Callable[[Event, object], Result]:
    """Makes a Lambda handler of a function that takes the event and gives a JSON-ready result.

    Raises:
        TransientFault: in place of an AWS error that a retry may cure; the state machine retries on that name.
    """

    @functools.wraps(handler)
    def handle(event: Event, context: object = None) -> Result:
        name = handler.__module__.rpartition(".")[2]
        try:
            result = handler(event)
        except (ClientError, BotoCoreError) as error:
            if not aws.is_transient(error):
                raise
            log("will be retried", task=name, run_id=_run_of(event), error=type(error).__name__)
            raise TransientFault(f"{name}: {error}") from None
        log("done", task=name, run_id=_run_of(event))
        return result

    return handle


def _run_of(event: Event) -> str | None:
    if not isinstance(event, Mapping):
        return None
    plan = event.get("plan")
    found = plan.get("run_id") if isinstance(plan, Mapping) else event.get("run_id")
    return found if isinstance(found, str) else None
