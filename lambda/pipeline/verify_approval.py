"""VerifyApproval: an answer counts only when STS names who gave it, and settings let that principal answer.

Event `{plan, kind: "spend" | "continue" | "release", answer}`, the answer as the task token brought it back: `{approved, by, reason, at,
proof}`. Gives `{approved, by, reason, at, principal: {arn, account, user_id} | null}`, without the proof. A yes that proves nobody is a no,
with the reason why; a no counts from anybody, and `principal` is null when it proves nobody.

Permissions: none. GetCallerIdentity needs none, and the request is signed by whoever answered.
Environment: RFT_SETTINGS, RFT_STATE_MACHINE_ARN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from contracts.run import Plan
from contracts.settings import ApprovalSettings

from pipeline import config, proof, store
from pipeline.proof import NotProven, Principal
from pipeline.task import Event, Result, log, now, task

REASON_CHARACTERS = 900


@task
def handler(event: Event) -> Result:
    plan, kind = store.plan_of(event), str(event["kind"])
    answer = event.get("answer")
    given: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    approved, reason = given.get("approved") is True, str(given.get("reason") or "")
    try:
        principal = proof.prove(given.get("proof"), claim_of(plan, kind, approved=approved, reason=reason))
        if approved:
            may_approve(principal, plan, config.settings().approval)
    except NotProven as fault:
        log("an answer does not count" if approved else "a no that proves nobody", run_id=plan.run_id, kind=kind, why=str(fault))
        if approved:
            return _record(False, by="the pipeline", reason=f"the yes does not count: {fault}")
        return _record(False, by=f"{given.get('by') or 'somebody'} (not proven)", reason=reason)
    return {**_record(approved, by=principal.arn, reason=reason), "principal": attrs.asdict(principal)}


def claim_of(plan: Plan, kind: str, *, approved: bool, reason: str) -> str:
    decision = "approve" if approved else "reject"
    return proof.claim(environment=plan.environment, run_id=plan.run_id, kind=kind, decision=decision, reason=reason)


def may_approve(principal: Principal, plan: Plan, settings: ApprovalSettings) -> None:
    """Raises `NotProven` for a principal that settings do not let approve this run."""
    if not principal.fits(settings.approvers):
        raise NotProven(f"{principal.arn} may not approve; approval.approvers allows {', '.join(settings.approvers)}")
    if not settings.four_eyes:
        return
    if not plan.requester:
        raise NotProven("nobody knows who asked for the run, and approval.four_eyes wants another person; start it with: rft run start")
    if proof.same_person(principal, plan.requester):
        raise NotProven(f"{principal.arn} asked for the run, and approval.four_eyes wants another person")


def _record(approved: bool, *, by: str, reason: str) -> Result:
    return {"approved": approved, "by": by, "reason": reason[:REASON_CHARACTERS], "at": now(), "principal": None}
