"""Reads a person's answer, as the task token brought it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def approval_problem(approvals: Mapping[str, Any] | None, kind: str) -> str | None:
    """Why the approval does not stand, or None when it does. Only the value true is a yes, and only of somebody STS has named."""
    answer = approvals.get(kind) if isinstance(approvals, Mapping) else None
    if not isinstance(answer, Mapping):
        return f"needs the {kind} approval and has none; allowed is a run a person approved with: rft run approve"
    if answer.get("approved") is not True:
        words = f": {answer['reason']}" if answer.get("reason") else ""
        return f"the {kind} approval was refused by {answer.get('by', 'an unnamed person')}{words}"
    principal = answer.get("principal")
    if not isinstance(principal, Mapping) or not principal.get("arn"):
        return f"the {kind} approval names nobody who was proven; allowed is one that VerifyApproval has seen"
    return None
