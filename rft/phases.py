"""The state machine's states, gathered into the steps a person follows."""

from __future__ import annotations

from enum import StrEnum

import attrs


class Mark(StrEnum):
    """How a step stands."""

    PENDING = "pending"
    CURRENT = "current"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@attrs.frozen
class Phase:
    """One step.

    Attributes:
        key: short name, for JSON.
        label: what a person reads.
        states: the state machine's states in it.
        asks: states in which a person is waited for.
        optional: states that are passed through when the step is not needed.
    """

    key: str
    label: str
    states: tuple[str, ...]
    asks: str | None = None
    optional: tuple[str, ...] = ()


PHASES: tuple[Phase, ...] = (
    Phase("prepare", "Prepare the run", ("Begin", "PrepareRun", "AnnounceRun")),
    Phase("rehearse", "Rehearse the reward", ("RehearseReward", "RewardTrusted")),
    Phase(
        "approve-spend",
        "Approve the spend",
        ("SpendNeedsApproval", "ApproveSpend", "VerifySpend", "SpendApproved"),
        "ApproveSpend",
        ("SpendNeedsApproval",),
    ),
    Phase(
        "train",
        "Train",
        (
            "ClaimTurn",
            "TurnGranted",
            "AwaitTurn",
            "StartTraining",
            "TrackTraining",
            "JobEnded",
            "AskToContinue",
            "VerifyContinue",
            "AwaitJobChange",
            "PollLater",
        ),
        "AskToContinue",
    ),
    Phase("deploy", "Deploy the candidate", ("DeployCandidate", "DeploymentReady", "AwaitDeployment")),
    Phase("evaluate", "Evaluate both models", ("Evaluate", "AnswerAndGrade")),
    Phase("gate", "Gate", ("Gate", "CandidateBetter")),
    Phase(
        "approve-release",
        "Approve the release",
        ("ReleaseNeedsApproval", "ApproveRelease", "VerifyRelease", "ReleaseApproved"),
        "ApproveRelease",
        ("ReleaseNeedsApproval",),
    ),
    Phase("release", "Release", ("Release",)),
    Phase("clean-up", "Clean up", ("CleanUp",)),
    Phase("record", "Record the lineage", ("RecordLineage",)),
    Phase("announce", "Announce the end", ("Notify", "AnnounceEnd", "Ended", "Released", "NotReleased")),
)

PHASE_OF_STATE: dict[str, Phase] = {state: phase for phase in PHASES for state in phase.states}
