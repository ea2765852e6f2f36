"""Who stopped a run. A stop counts from anybody who may give it; the name counts when STS says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from pipeline import config, proof

REASON_CHARACTERS = 900
MAX_CAUSE = 32_000
"""Characters of an execution's cause, of which StopExecution takes 32,768."""


def claim_of(environment: str, run_id: str, reason: str) -> str:
    """What the signature under a stop is bound to."""
    return proof.claim(environment=environment, run_id=run_id, kind=proof.STOP, decision="stop", reason=reason)


def who(run_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """`{by, reason, principal: {arn, account, user_id} | null}` of a stop `{by, reason, proof}`."""
    reason = str(given.get("reason") or "")
    try:
        principal = proof.prove(given.get("proof"), claim_of(config.environment(), run_id, reason))
    except proof.NotProven:
        return {"by": f"{given.get('by') or 'somebody'} (not proven)", "reason": reason[:REASON_CHARACTERS], "principal": None}
    return {"by": principal.arn, "reason": reason[:REASON_CHARACTERS], "principal": attrs.asdict(principal)}


def cause(given: Mapping[str, Any]) -> str:
    """What an execution is stopped with: a line for people, and under it what the record is made from."""
    line = f"stopped by {given['by']}: {given['reason']}"[:REASON_CHARACTERS].replace("\n", " ")
    return f"{line}\n{json.dumps(given)}"[:MAX_CAUSE]


def from_cause(text: str) -> Mapping[str, Any] | None:
    """The stop a cause carries, None when it was written by other means."""
    try:
        found = json.loads(text.partition("\n")[2])
    except ValueError:
        return None
    return found if isinstance(found, dict) and "proof" in found else None
