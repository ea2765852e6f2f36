"""Condition keys of KMS requests that ministack does not fill in: who calls, and how something is signed."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id

_SIGNING = {"SigningAlgorithm": "kms:SigningAlgorithm", "MessageType": "kms:MessageType"}
"""Parameter of Sign and Verify, and its condition key (Service Authorization Reference, AWS KMS)."""


def install() -> None:
    """Answer for KMS, and leave every other service to ministack."""
    upstream = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: Any) -> Any:
        found = upstream(service, action, body, parameters)
        if not action or not action.startswith("kms:"):
            return found
        # A caller of another account reaches no key of this one here, so the account is the caller's.
        found = {**found, "kms:CallerAccount": get_account_id()}
        if action not in ("kms:Sign", "kms:Verify"):
            return found
        # KMS takes a message as it is unless told that it is a digest.
        given = {"MessageType": "RAW", **json.loads(body or b"{}")}
        return {**found, **{key: given[name] for name, key in _SIGNING.items() if name in given}}

    iam_actions.request_tag_context = context
