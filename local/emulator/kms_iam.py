"""Condition keys of KMS requests that ministack does not fill in: how something is signed."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions

_SIGNING = {"SigningAlgorithm": "kms:SigningAlgorithm", "MessageType": "kms:MessageType"}
"""Parameter of Sign and Verify, and its condition key (Service Authorization Reference, AWS KMS)."""


def install() -> None:
    """Answer for Sign and Verify, and leave the others to ministack."""
    upstream = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: Any) -> Any:
        found = upstream(service, action, body, parameters)
        if action not in ("kms:Sign", "kms:Verify"):
            return found
        # KMS takes a message as it is unless told that it is a digest.
        given = {"MessageType": "RAW", **json.loads(body or b"{}")}
        return {**found, **{key: given[name] for name, key in _SIGNING.items() if name in given}}

    iam_actions.request_tag_context = context
