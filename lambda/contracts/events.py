"""Events on the bus `rft-<environment>` that other teams may subscribe to."""

from __future__ import annotations

from enum import StrEnum


class RunEvent(StrEnum):
    """`detail-type` of an event. Every detail carries `environment`; run events carry `run_id` as well."""

    DATASET_REGISTERED = "Dataset Registered"
    DATASET_REJECTED = "Dataset Rejected"
    RUN_STARTED = "Run Started"
    RUN_STOPPED = "Run Stopped"
    CANDIDATE_REJECTED = "Candidate Rejected"
    MODEL_RELEASED = "Model Released"
    MODEL_ROLLED_BACK = "Model Rolled Back"
    FOREIGN_JOB_FOUND = "Foreign Job Found"


class Outcome(StrEnum):
    """How a run ended. `Released` is the only success; the others are the error names of the failed execution."""

    RELEASED = "Released"
    REQUEST_REFUSED = "RequestRefused"
    REWARD_REJECTED = "RewardRejected"
    SPEND_REJECTED = "SpendRejected"
    TURN_TIMED_OUT = "TurnTimedOut"
    TRAINING_FAILED = "TrainingFailed"
    TRAINING_STOPPED = "TrainingStopped"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    CANDIDATE_REJECTED = "CandidateRejected"
    RELEASE_REJECTED = "ReleaseRejected"
    APPROVAL_TIMED_OUT = "ApprovalTimedOut"
    INTERNAL_ERROR = "InternalError"


BEDROCK_SOURCE = "aws.bedrock"
BEDROCK_JOB_STATE_CHANGE = "Model Customization Job State Change"
"""The status is in `detail.jobStatus`, not `detail.status` (Bedrock user guide, monitoring-eventbridge-how-it-works)."""

CLOUDTRAIL_CALL = "AWS API Call via CloudTrail"
"""Sent for management events of a Region in which a trail is logging (EventBridge user guide, eb-service-event-cloudtrail)."""

JOB_ENDED = ("Completed", "Failed", "Stopped")
"""Terminal values of a job's status, in the API's title case."""

EVENT_OF_OUTCOME: dict[Outcome, RunEvent] = {
    outcome: {Outcome.RELEASED: RunEvent.MODEL_RELEASED, Outcome.CANDIDATE_REJECTED: RunEvent.CANDIDATE_REJECTED}.get(
        outcome, RunEvent.RUN_STOPPED
    )
    for outcome in Outcome
}
"""The event that tells how a run ended."""
