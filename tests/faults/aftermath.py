"""What came of a run: how it ended, what it left, what was recorded, who was told, and how often each thing was done."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from typing import Any

import attrs
from contracts import names
from contracts.events import EVENT_OF_OUTCOME, Outcome

ENVIRONMENT = "dev"
SETTLE_SECONDS = 300
"""How long to wait for what is done after the end; nobody waits once it is done."""

RUNNING = ("InProgress", "Stopping")
OUTCOMES = frozenset(outcome.value for outcome in Outcome)


@attrs.frozen(kw_only=True)
class Aftermath:
    """The facts of one run, as a row of the table shows them.

    Attributes:
        run: its id.
        outcome: how it ended.
        reason: why, in the run's own words.
        jobs: how many customization jobs were made.
        releases: how many times a pointer to it was written.
        left: what it left that costs money, or holds a place, data or tokens; empty when nothing.
        gaps: what the record lacks: lineage and signature, the same outcome, a signature over every record; empty when nothing.
        told: `message` and `event`, as far as they came.
        errors: of each state, the errors its attempts met, in order.
    """

    run: str
    outcome: str
    reason: str
    jobs: int
    releases: int
    left: list[str]
    gaps: list[str]
    told: list[str]
    errors: dict[str, list[str]]


def of(dev: Any, run: str, told: Collection[str], seconds: float) -> Aftermath:
    """Waits for the end of a run, and then for what is done after it, being told by these ways included."""
    ended = dev.ended_as(run, seconds)
    # What the end leaves is put right after it, so that the last look counts.
    left = dev.settled(lambda: leftovers(dev, run), SETTLE_SECONDS)
    recorded = dev.settled(lambda: gaps(dev, run, ended.code), SETTLE_SECONDS)
    # An execution that was aborted or broke has no outcome of its own: it is in its record.
    code = ended.code if ended.code in OUTCOMES or recorded else str(dev.record(run, names.LINEAGE)["outcome"]["code"])
    return Aftermath(
        run=run,
        outcome=code,
        reason=ended.reason,
        jobs=len(dev.jobs(run)),
        releases=dev.releases(run),
        left=left,
        gaps=recorded,
        told=dev.told_of(run, code, told),
        errors=errors(dev.history(run)),
    )


def leftovers(dev: Any, run: str) -> list[str]:
    """What is left of a run that costs money, or that only a running run may hold."""
    pointed = dev.pointed_at()
    jobs = [f"job {job['status']}" for job in dev.jobs(run) if job["status"] in RUNNING]
    deployments = ["deployment" for found in dev.deployments(run) if found["customModelDeploymentArn"] not in pointed]
    staged = ["staged data" for _ in dev.keys(names.PARAM_RUNS_BUCKET, f"{names.STAGED}{run}/")]
    tokens = ["token" for _ in dev.keys(names.PARAM_RUNS_BUCKET, f"{names.TOKENS}{run}/")]
    places = ["place"] if run in dev.holders() else []
    return sorted({*jobs, *deployments, *staged, *tokens, *places})


def gaps(dev: Any, run: str, code: str) -> list[str]:
    """What the record of a run lacks."""
    prefix = names.record_key(run, "")
    kept = {key.removeprefix(prefix) for key in dev.keys(names.PARAM_RUNS_BUCKET, prefix)}
    missing = [file for file in (names.LINEAGE, names.ATTESTATION) if file not in kept]
    if missing:
        return missing
    lineage = dev.record(run, names.LINEAGE)
    envelope = dev.record(run, names.ATTESTATION)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    signed = {subject["name"].rpartition(prefix)[2] for subject in statement["subject"]}
    unsigned = kept - signed - {names.ATTESTATION}
    if statement["predicate"]["cut_short"]:
        # A look at the job that was in flight may still have written it.
        unsigned -= {"trend.json"}
    found = [f"{file} is not signed" for file in sorted(unsigned)]
    found += [f"altered: {file}" for file in lineage["altered"]]
    if code in OUTCOMES and lineage["outcome"]["code"] != code:
        found.append(f"outcome {lineage['outcome']['code']}")
    return found


def errors(history: list[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The errors each state's attempts met. A Map's own state stands for those of its iterations."""
    found: dict[str, list[str]] = {}
    state = ""
    for event in history:
        if event["type"].endswith("StateEntered"):
            state = event["stateEnteredEventDetails"]["name"]
        # A wait that is over is no fault: it is how often the job is looked at.
        if event["type"] == "TaskFailed" and event["taskFailedEventDetails"]["error"] != "States.Timeout":
            found.setdefault(state, []).append(event["taskFailedEventDetails"]["error"])
    return found


def event_of(code: str) -> str:
    """The event that tells how a run ended."""
    return str(EVENT_OF_OUTCOME[Outcome(code)])
