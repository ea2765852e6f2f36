"""What the local cloud only records: the list a user is shown, so that nothing is passed off as working."""

from __future__ import annotations

import threading

_ALWAYS: tuple[tuple[str, str], ...] = (
    ("Lambda runtime version", "functions run on this machine's Python, whatever Runtime says"),
    ("Lambda architecture", "functions run on this machine's processor; a layer with compiled code must be built for it"),
    ("Lambda VPC configuration", "functions reach only the local cloud by endpoint, but no packet is filtered"),
    ("VPC, security groups, endpoints, flow logs", "kept as records: nothing is routed, filtered or logged"),
    ("aws:SecureTransport", "every request counts as TLS, so the condition is vacuous here"),
    ("KMS for SSE-KMS objects, queues, topics and log groups", "the key is recorded; its policy is not asked when they are used"),
    ("iam:PassRole", "checked where the Bedrock stand-in is given a role, nowhere else"),
    ("X-Ray", "tracing settings are recorded, no segment is kept"),
    ("CloudTrail", "trails are recorded; no log file is delivered, and only calls of Bedrock reach EventBridge"),
)

_lock = threading.Lock()
_recorded: dict[str, str] = {}


def record(what: str, why: str) -> None:
    """Add what a deployment used and this cloud only records. Repeating it changes nothing."""
    with _lock:
        _recorded.setdefault(what, why)


def forget_recorded() -> None:
    """Drop what deployments added; what never works stays."""
    with _lock:
        _recorded.clear()


def recorded() -> dict[str, str]:
    """What deployments added, for the checkpoint."""
    with _lock:
        return dict(_recorded)


def entries() -> list[tuple[str, str]]:
    """Everything recorded and not emulated: what, and why."""
    return [*_ALWAYS, *sorted(recorded().items())]
