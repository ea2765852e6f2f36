"""S3's events on EventBridge say which version of an object they are about; ministack tells that to queues and functions alone.

Without it, whoever reads what an event speaks of reads whatever was put over it meanwhile.
"""

from __future__ import annotations

import contextvars
import json
from typing import Any

from ministack.services import eventbridge, s3

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("rft_object_version", default=None)


def install() -> None:
    """Add `version-id` to the object of an event about a versioned one (S3 user guide, ev-events)."""
    upstream_fire, upstream_dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire(*arguments: Any, version_id: str | None = None, **named: Any) -> Any:
        token = _version.set(version_id)
        try:
            return upstream_fire(*arguments, version_id=version_id, **named)
        finally:
            _version.reset(token)

    def dispatch(event: dict[str, Any], *more: Any, **named: Any) -> Any:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return upstream_dispatch(event, *more, **named)

    s3._fire_s3_event = fire
    eventbridge._dispatch_event = dispatch
