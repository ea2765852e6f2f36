"""What is made to fail, in which state, and how the run must end: the list that the tests run and the table in docs/faults.md shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import attrs
from contracts.events import Outcome


class Fault(StrEnum):
    """A class of faults. The first four pass; the last two last until the run has ended."""

    THROTTLED = "throttled"
    FAILING = "5xx"
    LOST = "answer lost"
    KILLED = "killed half-way"
    DENIED = "denied for good"
    DOWN = "5xx for good"


PASSING = (Fault.THROTTLED, Fault.FAILING, Fault.LOST, Fault.KILLED)
LASTING = (Fault.DENIED, Fault.DOWN)

STRIKES = {Fault.THROTTLED: "throttle", Fault.FAILING: "server_error", Fault.LOST: "lost_answer"}
"""Faults of any call that pass, by the stand-in's names for them."""

FUNCTION_OF_STATE: dict[str, str] = {
    "PrepareRun": "PrepareRunFunction",
    "RehearseReward": "RehearseRewardFunction",
    "ApproveSpend": "RequestApprovalFunction",
    "VerifySpend": "VerifyApprovalFunction",
    "ClaimTurn": "ClaimTurnFunction",
    "StartTraining": "StartTrainingFunction",
    "TrackTraining": "TrackTrainingFunction",
    "AskToContinue": "RequestApprovalFunction",
    "VerifyContinue": "VerifyApprovalFunction",
    "AwaitJobChange": "AwaitJobFunction",
    "DeployCandidate": "DeployCandidateFunction",
    "AnswerAndGrade": "EvaluateFunction",
    "Gate": "GateFunction",
    "ApproveRelease": "RequestApprovalFunction",
    "VerifyRelease": "VerifyApprovalFunction",
    "Release": "ReleaseFunction",
    "CleanUp": "CleanUpFunction",
    "RecordLineage": "RecordLineageFunction",
}
"""The states that invoke a function, and the part of its name by which a fault finds it."""

SERVICE_STATES = ("AnnounceRun", "Notify", "AnnounceEnd")
"""The states that call a service without a function."""

WITHOUT_CALLS = ("VerifySpend", "VerifyContinue", "VerifyRelease")
"""The request their function sends is signed by whoever answered: there is no call of its own to deny it, or to kill it at."""

KILLED_AT: dict[str, str] = {
    "PrepareRun": "s3:PutObject",
    "RehearseReward": "s3:PutObject",
    "ApproveSpend": "s3:PutObject",
    "ClaimTurn": "s3:PutObject",
    "StartTraining": "bedrock:CreateModelCustomizationJob",
    "TrackTraining": "s3:PutObject",
    "AskToContinue": "s3:PutObject",
    "AwaitJobChange": "s3:PutObject",
    "DeployCandidate": "bedrock:CreateCustomModelDeployment",
    "AnswerAndGrade": "lambda:InvokeFunction",
    "Gate": "s3:PutObject",
    "ApproveRelease": "s3:PutObject",
    "Release": "ssm:PutParameter",
    "CleanUp": "s3:PutObject",
    "RecordLineage": "kms:Sign",
}
"""The call that a state's function has just made when it is killed: the one that a second attempt must not do twice."""


@attrs.frozen(kw_only=True)
class Case:
    """One run and what is done to it.

    Attributes:
        run: its id, which names the case as well.
        state: where it strikes; empty for every state.
        what: what is done, for people.
        way: how the run is led: a function of tests/faults/leading.py.
        strikes: faults of calls, each for this run: name and parameters.
        faults: faults of the stand-in, each for this run's job: name and parameters.
        outcome: how the run must end.
        because: what the pipeline does about it, for people.
        left: what may be left that costs money or a place in a quota, for people; nothing by default.
        told: by which ways people and systems must hear of the end.
    """

    run: str
    state: str
    what: str
    outcome: Outcome
    because: str
    way: str = "straight"
    strikes: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    faults: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    left: str = ""
    told: tuple[str, ...] = ("message", "event")


def cases() -> tuple[Case, ...]:
    """All of them."""
    return (*_passing(), *_lasting(), *SCENARIOS)


def passing_strikes(fault: Fault) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Every call of the state machine meets the fault once, or every function is killed once in each state."""
    if fault is Fault.KILLED:
        functions = {(FUNCTION_OF_STATE[state], operation) for state, operation in KILLED_AT.items()}
        return tuple(("killed", {"operation": operation, "caller": caller, "count": 1}) for caller, operation in sorted(functions))
    return ((STRIKES[fault], {"operation": "*", "caller": "states/", "count": 1}),)


IN_TURN: dict[str, Fault] = {
    "PrepareRun": Fault.FAILING,
    "AnnounceRun": Fault.LOST,
    "RehearseReward": Fault.KILLED,
    "ApproveSpend": Fault.LOST,
    "VerifySpend": Fault.FAILING,
    "ClaimTurn": Fault.KILLED,
    "StartTraining": Fault.KILLED,
    "TrackTraining": Fault.FAILING,
    "AskToContinue": Fault.FAILING,
    "VerifyContinue": Fault.LOST,
    "AwaitJobChange": Fault.LOST,
    "DeployCandidate": Fault.LOST,
    "AnswerAndGrade": Fault.KILLED,
    "Gate": Fault.FAILING,
    "ApproveRelease": Fault.LOST,
    "VerifyRelease": Fault.LOST,
    "Release": Fault.KILLED,
    "CleanUp": Fault.LOST,
    "RecordLineage": Fault.KILLED,
    "Notify": Fault.FAILING,
    "AnnounceEnd": Fault.LOST,
}
"""Another fault in each state of one run, where it makes most trouble: what must not be done twice has been done already."""


def in_turn() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The strikes of IN_TURN; and before its function is killed, Bedrock throttles the job's start."""
    yield "throttle", {"operation": KILLED_AT["StartTraining"], "caller": FUNCTION_OF_STATE["StartTraining"], "count": 2}
    for state, fault in IN_TURN.items():
        if fault is Fault.KILLED:
            yield "killed", {"operation": KILLED_AT[state], "caller": FUNCTION_OF_STATE[state], "count": 1}
        else:
            yield STRIKES[fault], {"operation": "*", "caller": f"states/{state}", "count": 1}


def _passing() -> Iterator[Case]:
    for fault, because in {
        Fault.THROTTLED: "the state machine tries each again",
        Fault.FAILING: "the state machine tries each again",
        Fault.LOST: "each is done again, and finds what the first attempt did",
        Fault.KILLED: "each is done again, and finds what the first attempt did",
    }.items():
        yield Case(
            run=f"passing-{fault.name.lower()}",
            state="",
            what=f"every state once: {fault}",
            way="asked_thrice",
            strikes=passing_strikes(fault),
            outcome=Outcome.RELEASED,
            because=because,
        )
    for fault, name in STRIKES.items():
        yield Case(
            run=f"inside-{fault.name.lower()}",
            state="",
            what=f"every call of every function once: {fault}",
            way="asked_thrice",
            strikes=((name, {"operation": "*", "caller": "Function", "count": 1}),),
            outcome=Outcome.RELEASED,
            because="the SDK, or the state machine, tries each again",
        )
    yield Case(
        run="passing-in-turn",
        state="",
        what="every state once, another fault in each: 5xx, answer lost, killed; and Bedrock's events come twice and in the wrong order",
        way="asked_thrice",
        strikes=tuple(in_turn()),
        faults=(("duplicate_event", {}), ("reordered_events", {})),
        outcome=Outcome.RELEASED,
        because="each is done again, and finds what the first attempt did",
    )


ENDS: dict[str, tuple[Outcome, str, str]] = {
    "PrepareRun": (Outcome.INTERNAL_ERROR, "straight", "nothing was made yet"),
    "AnnounceRun": (Outcome.CANDIDATE_REJECTED, "straight", "a run is not lost because nobody heard that it began"),
    "RehearseReward": (Outcome.INTERNAL_ERROR, "straight", "no money is spent on a reward that could not be tried"),
    "ApproveSpend": (Outcome.INTERNAL_ERROR, "spend_asked", "what nobody was asked about is not spent"),
    "VerifySpend": (Outcome.INTERNAL_ERROR, "spend_asked", "a yes that cannot be verified is none"),
    "ClaimTurn": (Outcome.INTERNAL_ERROR, "straight", "no job without a place"),
    "StartTraining": (Outcome.TRAINING_FAILED, "straight", "a job that may have been made all the same is looked for by name"),
    "TrackTraining": (Outcome.TRAINING_FAILED, "straight", "a job that cannot be watched is stopped"),
    "AskToContinue": (Outcome.TRAINING_STOPPED, "continue_asked", "without a yes the job is stopped"),
    "VerifyContinue": (Outcome.TRAINING_STOPPED, "continue_asked", "without a proven yes the job is stopped"),
    "AwaitJobChange": (Outcome.CANDIDATE_REJECTED, "straight", "polling alone moves the run on"),
    "DeployCandidate": (Outcome.DEPLOYMENT_FAILED, "straight", "a deployment that may have been made all the same is looked for by name"),
    "AnswerAndGrade": (Outcome.INTERNAL_ERROR, "straight", "nothing is judged on part of the evidence; the deployment goes"),
    "Gate": (Outcome.INTERNAL_ERROR, "straight", "nothing is released unjudged; the deployment goes"),
    "ApproveRelease": (Outcome.INTERNAL_ERROR, "release_asked", "what nobody was asked about is not released; the deployment goes"),
    "VerifyRelease": (Outcome.INTERNAL_ERROR, "release_asked", "a yes that cannot be verified is none; the deployment goes"),
    "Release": (Outcome.INTERNAL_ERROR, "release_asked", "the pointer stays where it was; the deployment goes"),
    "CleanUp": (Outcome.CANDIDATE_REJECTED, "straight", "the clean-up after the end tries again"),
    "RecordLineage": (Outcome.CANDIDATE_REJECTED, "straight", "the message says so; the record is written after the end"),
    "Notify": (Outcome.CANDIDATE_REJECTED, "straight", "the event on the bus is sent all the same"),
    "AnnounceEnd": (Outcome.CANDIDATE_REJECTED, "straight", "the message to people is sent all the same"),
}
"""Of each state: how a run ends in which the state fails for good, the way it is led there, and why it ends like that."""


def _lasting() -> Iterator[Case]:
    for state, (outcome, way, because) in ENDS.items():
        for fault in LASTING:
            yield Case(
                run=f"{fault.name.lower()}-{kebab(state)}",
                state=state,
                what=str(fault),
                way=way,
                strikes=(lasting_strike(state, fault),),
                outcome=outcome,
                because=because,
                told={"Notify": ("event",), "AnnounceEnd": ("message",)}.get(state, ("message", "event")),
            )


def lasting_strike(state: str, fault: Fault) -> tuple[str, Mapping[str, Any]]:
    """A function is denied every call of its own; where it makes none, or there is no function, the state is denied its call."""
    if fault is Fault.DOWN:
        return "server_error", {"operation": "*", "caller": f"states/{state}", "count": 0}
    if state in BACK_AFTER_THE_END:
        # Denied in the state and once more after the end; then the permission is back.
        return "access_denied", {"operation": BACK_AFTER_THE_END[state], "caller": FUNCTION_OF_STATE[state], "count": 2}
    inside = state in FUNCTION_OF_STATE and state not in WITHOUT_CALLS
    return "access_denied", {"operation": "*", "caller": FUNCTION_OF_STATE[state] if inside else f"states/{state}", "count": 0}


BACK_AFTER_THE_END = {"CleanUp": "bedrock:DeleteCustomModelDeployment", "RecordLineage": "kms:Sign"}


def kebab(state: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in state).lstrip("-")


REFUSED_VERSION = "0123456789ab"
"""A version of the dataset that does not exist, so that a run for it ends at once."""

SCENARIOS: tuple[Case, ...] = (
    Case(
        run="bedrock-fails-it",
        state="TrackTraining",
        what="the job fails",
        faults=(("job_failure", {"step": 2, "message": "The reward function returned an error."}),),
        outcome=Outcome.TRAINING_FAILED,
        because="the run ends with Bedrock's reason",
    ),
    Case(
        run="job-stalls",
        state="TrackTraining",
        what="the job stalls until its time is up",
        faults=(("stall", {"step": 3}), ("old_job", {"hours": 200})),
        outcome=Outcome.TRAINING_STOPPED,
        because="the guard rail for time stops the job",
    ),
    Case(
        run="event-lost",
        state="AwaitJobChange",
        what="Bedrock's events are lost",
        faults=(("lost_event", {}),),
        outcome=Outcome.CANDIDATE_REJECTED,
        because="polling alone moves the run on",
    ),
    Case(
        run="event-twice",
        state="AwaitJobChange",
        what="Bedrock's events come twice",
        faults=(("duplicate_event", {}),),
        outcome=Outcome.CANDIDATE_REJECTED,
        because="the first wakes the run, the second finds nobody waiting",
    ),
    Case(
        run="events-reordered",
        state="AwaitJobChange",
        what="the event of the job's start comes after that of its end",
        faults=(("reordered_events", {}),),
        outcome=Outcome.CANDIDATE_REJECTED,
        because="an event only wakes the run, which asks Bedrock itself",
    ),
    Case(
        run="event-too-early",
        state="AwaitJobChange",
        what="an event says Completed while the job still runs",
        way="told_too_early",
        outcome=Outcome.CANDIDATE_REJECTED,
        because="an event only wakes the run, which asks Bedrock itself",
    ),
    Case(
        run="malformed-csv",
        state="TrackTraining",
        what="Bedrock's metrics files cannot be read",
        faults=(("malformed_csv", {}),),
        outcome=Outcome.CANDIDATE_REJECTED,
        because="the record notes what could not be read",
    ),
    Case(
        run="deployment-fails",
        state="DeployCandidate",
        what="the deployment fails",
        faults=(("deployment_failure", {}),),
        outcome=Outcome.DEPLOYMENT_FAILED,
        because="what failed is deleted too",
    ),
    Case(
        run="deployment-never-active",
        state="DeployCandidate",
        what="the deployment never becomes Active",
        way="never_deployed",
        faults=(("slow_deployment", {"seconds": 3600}),),
        outcome=Outcome.DEPLOYMENT_FAILED,
        because="after an hour of looking it counts as failed and is deleted",
    ),
    Case(
        run="spend-unanswered",
        state="ApproveSpend",
        what="the approval never comes",
        way="spend_unanswered",
        outcome=Outcome.APPROVAL_TIMED_OUT,
        because="nothing is spent without an answer",
    ),
    Case(
        run="continue-unanswered",
        state="AskToContinue",
        what="the answer never comes",
        way="continue_unanswered",
        outcome=Outcome.TRAINING_STOPPED,
        because="without an answer the job is stopped",
    ),
    Case(
        run="release-unanswered",
        state="ApproveRelease",
        what="the approval never comes",
        way="release_unanswered",
        outcome=Outcome.APPROVAL_TIMED_OUT,
        because="nothing is released without an answer; the deployment goes",
    ),
    Case(
        run="answered-twice",
        state="ApproveSpend",
        what="the approval is answered twice, yes and then no",
        way="answered_twice",
        outcome=Outcome.CANDIDATE_REJECTED,
        because="the first answer counts, the second is refused",
    ),
    Case(
        run="answered-dying",
        state="ApproveSpend",
        what="the function that asked is killed, and the answer is given to it",
        way="answered_while_it_died",
        strikes=(("killed", {"operation": "s3:PutObject", "caller": "RequestApprovalFunction", "count": 1}),),
        outcome=Outcome.CANDIDATE_REJECTED,
        because="the command answers the question that is asked again, and says when no answer of its was heard",
    ),
    Case(
        run="sns-fails",
        state="",
        what="SNS fails for good, and a spend must be approved",
        way="spend_asked",
        strikes=(("server_error", {"operation": "sns:Publish", "count": 0}),),
        outcome=Outcome.INTERNAL_ERROR,
        because="what nobody can be asked about is not spent; the event on the bus is sent",
        told=("event",),
    ),
    Case(
        run="s3-fails",
        state="",
        what="S3 takes no object of the run, until it has ended",
        way="until_it_ended",
        strikes=(("access_denied", {"operation": "s3:PutObject", "count": 0}),),
        outcome=Outcome.INTERNAL_ERROR,
        because="nothing was made yet; the record is written after the end",
    ),
    Case(
        run=f"word-problems-{REFUSED_VERSION}",
        state="",
        what="the event that asks for a run comes twice, and the function that starts it is killed half-way",
        way="asked_for_twice",
        strikes=(("killed", {"operation": "states:StartExecution", "caller": "RequestRunFunction", "count": 1}),),
        outcome=Outcome.REQUEST_REFUSED,
        because="the execution's name is made from the event, so that there is one run (this one asks for what does not exist)",
    ),
    Case(
        run="two-at-once-first",
        state="Release",
        what="two runs on the same dataset are released at the same moment: the one",
        way="two_at_once",
        outcome=Outcome.RELEASED,
        because="one pointer is behind the other; neither deployment is lost",
    ),
    Case(
        run="two-at-once-second",
        state="Release",
        what="two runs on the same dataset are released at the same moment: the other",
        way="two_at_once",
        outcome=Outcome.RELEASED,
        because="one pointer is behind the other; neither deployment is lost",
    ),
    Case(
        run="aborted",
        state="",
        what="somebody aborts the execution while the job runs",
        way="aborted",
        faults=(("stall", {"step": 3}),),
        outcome=Outcome.TRAINING_STOPPED,
        because="clean-up, record and notice are made after the end",
    ),
    Case(
        run="stopped-releasing",
        state="Release",
        what="somebody stops the execution when the pointer has moved and the state machine has not heard of it",
        way="stopped_releasing",
        strikes=(("lost_answer", {"operation": "*", "caller": "states/Release", "count": 1}),),
        outcome=Outcome.RELEASED,
        because="what became of the pointer is how the run ended, whoever stopped it",
    ),
    Case(
        run="stopped-before-pointer",
        state="Release",
        what="somebody stops the execution while Release is under way, which moves the pointer all the same",
        way="stopped_before_release",
        strikes=(("throttle", {"operation": "ssm:GetParameter", "caller": "ReleaseFunction", "count": 4}),),
        outcome=Outcome.RELEASED,
        because="nothing is deleted or recorded before Release can move it no more",
    ),
    Case(
        run="release-unheard",
        state="Release",
        what="no answer of Release ever comes",
        way="learning",
        strikes=(("lost_answer", {"operation": "*", "caller": "states/Release", "count": 0}),),
        outcome=Outcome.RELEASED,
        because="clean-up looks at the pointer, and the run ends as it says",
    ),
    Case(
        run="broken",
        state="",
        what="the state machine itself breaks while the job runs: an expression cannot be evaluated",
        way="broken",
        faults=(("stall", {"step": 3}),),
        outcome=Outcome.INTERNAL_ERROR,
        because="clean-up, record and notice are made after the end",
    ),
    Case(
        run="redeployed",
        state="ApproveSpend",
        what="the stacks are deployed with other code and settings while the run waits, and others go on",
        way="redeployed",
        outcome=Outcome.CANDIDATE_REJECTED,
        because="an execution keeps the definition it began with, and contracts hold between the old code and the new",
    ),
)

SLICE = (
    "passing-throttled",
    "passing-in-turn",
    "down-track-training",
    "denied-clean-up",
    "down-notify",
    "job-stalls",
    "event-lost",
    "deployment-fails",
    "deployment-never-active",
    "continue-unanswered",
    "s3-fails",
    "aborted",
)
"""Those that every change is tried on: few runs, and of each class of faults at least one."""
