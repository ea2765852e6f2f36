"""The pages of docs/runbooks that the pipeline's own messages point at, by what a message is about."""

from __future__ import annotations

from contracts.events import Outcome

DATASET_REJECTED = "dataset-rejected"
APPROVAL_WAITING = "approval-waiting"
ORPHANS_FOUND = "orphans-found"
FOREIGN_JOBS = "foreign-jobs"

RUNBOOK_OF_OUTCOME: dict[Outcome, str] = {
    Outcome.REQUEST_REFUSED: "run-refused",
    Outcome.CANDIDATE_REJECTED: "candidate-rejected",
    Outcome.TRAINING_FAILED: "run-failed",
    Outcome.TRAINING_STOPPED: "run-failed",
    Outcome.DEPLOYMENT_FAILED: "run-failed",
    Outcome.INTERNAL_ERROR: "run-failed",
}
"""Of the ends an alarm counts. A release needs none, and what a person, the rehearsal or the budget refused says why itself."""

RUNBOOK_OF_RAIL: dict[str, str] = {
    "floor": "reward-below-floor",
    "falling": "reward-falling",
    "collapse": "reward-collapsed",
    "plateau": "plateau",
    "no_signal": "no-spread",
    "exploitation": "reward-exploited",
    "outcome_shift": "outcome-shift",
    "overspend": "spend-over-estimate",
}
"""The pages of the rails' alarms."""


def link(runbooks: str, page: str) -> str:
    """Where a page is; `runbooks` is what stands in front of its name, an address or a path."""
    return f"{runbooks.rstrip('/')}/{page}.md"
