"""The condition key of PutMetricData that ministack does not fill in: the namespace (Service Authorization Reference, CloudWatch)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions

_PUT = "cloudwatch:PutMetricData"


def install() -> None:
    """Answer for PutMetricData, and leave everything else to ministack."""
    upstream = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: Any) -> Any:
        found = upstream(service, action, body, parameters)
        return {**found, "cloudwatch:namespace": namespace(body, parameters or {})} if action == _PUT else found

    iam_actions.request_tag_context = context


def namespace(body: bytes, parameters: Mapping[str, Any]) -> str:
    """The namespace a request writes to, as a form or as JSON, compressed or not; "" where it names none."""
    if "Namespace" in parameters:
        given = parameters["Namespace"]
        return str(given[0] if isinstance(given, list) else given)
    try:
        plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        return str(json.loads(plain)["Namespace"])
    except (ValueError, TypeError, KeyError, EOFError, OSError):
        return ""
