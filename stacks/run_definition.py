"""The state machine `rft-<environment>-run` in Amazon States Language with JSONata.

A plain function of names and numbers, so that it can be read and tested without CDK. What each state takes and gives is in
docs/pipeline.md; the tail CleanUp -> RecordLineage -> Notify -> AnnounceEnd is the same for every ending.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from contracts.errors import BudgetUsedUp
from contracts.events import EVENT_OF_OUTCOME, Outcome, RunEvent

from stacks.run_approvals import approval, ask_to_continue
from stacks.run_states import NULL, REASON, RETRY_SERVICE, State, catch, choice, go_on, jsonata_map, outcome, put_event, task

FUNCTIONS = (
    "prepare_run",
    "rehearse_reward",
    "request_approval",
    "verify_approval",
    "claim_turn",
    "start_training",
    "await_job",
    "track_training",
    "deploy_candidate",
    "evaluate",
    "gate",
    "release",
    "clean_up",
    "record_lineage",
)
"""The modules of `lambda/pipeline` that the state machine invokes."""

DEPLOYMENT_WAIT_SECONDS = 30
DEPLOYMENT_CHECKS = 120
"""A custom model deployment takes minutes; after an hour it counts as failed."""

TURN_CHECKS = 300
"""How often a run that waits for its turn asks at the most; each takes nine events of the execution's history."""

LEAST_TURN_WAIT_SECONDS = 60

EVALUATE_CONCURRENCY = 2
"""Function calls answering held-out prompts at once; each has eight requests in flight against the same model quota."""

UNRECORDED = {
    "approvals": "approvals",
    "stopped_by": "stoppedBy",
    "cleaned": "cleaned",
    "job_arn": "jobArn",
    "model_arn": "modelArn",
    "deployment_arn": "deploymentArn",
}
"""What only the execution knows when RecordLineage fails, by its name in the event of that function: the rest is in records."""

CLEAN_UP_MARGIN_SECONDS = 6 * 3600
"""What deploying, evaluating and cleaning up may take on top of training and approvals."""


def run_definition(
    *,
    environment: str,
    functions: Mapping[str, str],
    bus_name: str,
    notice: Mapping[str, Any],
    poll_seconds: int,
    approval_seconds: int,
    ask_seconds: int,
    turn_seconds: int,
    training_seconds: int,
) -> dict[str, Any]:
    """The whole definition.

    Args:
        environment: dev, stage or prod.
        functions: ARN (or CDK token) of each of `FUNCTIONS`.
        bus_name: the bus that events go to.
        notice: how people are told of the end (`run_notice.arguments`).
        poll_seconds: how long to wait for Bedrock's event before asking for the job's status.
        approval_seconds: how long a person has for each approval.
        ask_seconds: how long a person has to let a job go on that reached a guard rail.
        turn_seconds: how long a run waits for a place among the jobs that may run at once.
        training_seconds: the longest a job may run.
    """
    states: dict[str, State] = {
        "Begin": _begin(),
        "PrepareRun": task(
            functions["prepare_run"],
            payload={"run_id": "{% $runId %}", "request": "{% $states.input %}"},
            assign={"plan": "{% $states.result.Payload %}"},
            following="AnnounceRun",
            # Every refusal of a request is an InvalidInput; anything else is the pipeline's own fault.
            catch=[catch("PrepareRun", Outcome.REQUEST_REFUSED, errors=["InvalidInput"]), catch("PrepareRun", Outcome.INTERNAL_ERROR)],
        ),
        "AnnounceRun": _announce_run(environment, bus_name),
        **_rehearsal(functions),
        **approval(
            functions,
            kind="spend",
            state="ApproveSpend",
            approved="ClaimTurn",
            refused=Outcome.SPEND_REJECTED,
            seconds=approval_seconds,
        ),
        **_turn(functions, turn_seconds),
        **_training(functions, poll_seconds, ask_seconds),
        **_deployment(functions),
        **_evaluation(functions),
        **approval(
            functions,
            kind="release",
            state="ApproveRelease",
            approved="Release",
            refused=Outcome.RELEASE_REJECTED,
            seconds=approval_seconds,
        ),
        "Release": task(
            functions["release"],
            payload={
                "plan": "{% $plan %}",
                "model_arn": "{% $modelArn %}",
                "deployment_arn": "{% $deploymentArn %}",
                "gate": "{% $gate %}",
                "approvals": "{% $approvals %}",
            },
            assign={
                "released": "{% $states.result.Payload %}",
                "outcome": outcome(Outcome.RELEASED, "the candidate passed the gate", "Release"),
            },
            following="CleanUp",
            catch=[catch("Release", Outcome.INTERNAL_ERROR)],
        ),
        **_tail(functions, environment, bus_name, notice),
    }
    return {
        "Comment": "One attempt to train one model; the execution name is the run id.",
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "TimeoutSeconds": training_seconds + turn_seconds + 2 * approval_seconds + CLEAN_UP_MARGIN_SECONDS,
        "States": states,
    }


def _begin() -> State:
    # An expression over a variable that was never assigned fails, so all of them exist from the start.
    return {
        "Type": "Pass",
        "Assign": {
            "runId": "{% $states.context.Execution.Name %}",
            # Who asked is proven once, by PrepareRun; the proof goes no further.
            "request": "{% $sift($states.input, function($value, $key) { $key != 'proof' }) %}",
            "plan": NULL,
            "rehearsal": NULL,
            "approvals": {"spend": NULL, "continue": NULL, "release": NULL},
            "jobArn": NULL,
            "turnChecks": 0,
            "guard": NULL,
            "modelArn": NULL,
            "deploymentArn": NULL,
            "deploymentChecks": 0,
            "gate": NULL,
            "released": NULL,
            "cleaned": NULL,
            "unrecorded": NULL,
            "stop": NULL,
            "stoppedBy": NULL,
            "outcome": NULL,
        },
        "Next": "PrepareRun",
    }


def _announce_run(environment: str, bus_name: str) -> State:
    return {
        **put_event(
            environment,
            bus_name,
            RunEvent.RUN_STARTED,
            {
                "dataset": "{% $plan.dataset %}",
                "dataset_version": "{% $plan.dataset_version %}",
                "reward_version": "{% $plan.reward_version %}",
                "estimated_usd": "{% $plan.estimate.usd %}",
            },
        ),
        # A run is not lost because nobody heard that it began.
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "RehearseReward"}],
        "Next": "RehearseReward",
    }


def _rehearsal(functions: Mapping[str, str]) -> dict[str, State]:
    return {
        "RehearseReward": task(
            functions["rehearse_reward"],
            payload={"plan": "{% $plan %}"},
            assign={"rehearsal": "{% $states.result.Payload %}"},
            following="RewardTrusted",
            # A reward that cannot be trusted is a result; an error says nothing about it.
            catch=[catch("RehearseReward", Outcome.INTERNAL_ERROR)],
        ),
        "RewardTrusted": choice(
            ("$rehearsal.trusted", "SpendNeedsApproval", None),
            otherwise="CleanUp",
            assign={"outcome": outcome(Outcome.REWARD_REJECTED, "{% $join($rehearsal.reasons, '; ') %}", "RehearseReward")},
        ),
        "SpendNeedsApproval": choice(("$plan.needs_spend_approval", "ApproveSpend", None), otherwise="ClaimTurn"),
    }


def _turn(functions: Mapping[str, str], seconds: int) -> dict[str, State]:
    wait = max(LEAST_TURN_WAIT_SECONDS, math.ceil(seconds / TURN_CHECKS))
    too_long = f"no place for a job came free in {seconds / 3600:g} hours (training.max_running, training.turn_hours)"
    return {
        "ClaimTurn": task(
            functions["claim_turn"],
            payload={"plan": "{% $plan %}"},
            assign={"turn": "{% $states.result.Payload %}", "turnChecks": "{% $turnChecks + 1 %}"},
            following="TurnGranted",
            catch=[catch("ClaimTurn", Outcome.INTERNAL_ERROR)],
        ),
        "TurnGranted": choice(
            ("$turn.granted", "StartTraining", None),
            (f"$turnChecks * {wait} >= {seconds}", "CleanUp", {"outcome": outcome(Outcome.TURN_TIMED_OUT, too_long, "ClaimTurn")}),
            otherwise="AwaitTurn",
        ),
        "AwaitTurn": {"Type": "Wait", "Seconds": wait, "Next": "ClaimTurn"},
    }


def _training(functions: Mapping[str, str], poll_seconds: int, ask_seconds: int) -> dict[str, State]:
    return {
        "StartTraining": task(
            functions["start_training"],
            payload={"plan": "{% $plan %}", "approvals": "{% $approvals %}"},
            assign={"jobArn": "{% $states.result.Payload.job_arn %}"},
            following="TrackTraining",
            catch=[
                catch("StartTraining", Outcome.SPEND_REJECTED, errors=[BudgetUsedUp.__name__]),
                catch("StartTraining", Outcome.TRAINING_FAILED),
            ],
        ),
        "TrackTraining": task(
            functions["track_training"],
            payload={
                "plan": "{% $plan %}",
                "job_arn": "{% $jobArn %}",
                "guard": "{% $guard %}",
                "approvals": "{% $approvals %}",
                "stop": "{% $stop %}",
            },
            assign={
                "job": "{% $states.result.Payload %}",
                "guard": "{% $states.result.Payload.guard %}",
                "stop": NULL,
                "stoppedBy": "{% $states.result.Payload.stopped_by ? $states.result.Payload.stopped_by : $stoppedBy %}",
            },
            following="JobEnded",
            catch=[catch("TrackTraining", Outcome.TRAINING_FAILED)],
        ),
        "JobEnded": choice(
            ("$job.ended and $job.status = 'Completed' and $stoppedBy = null", "DeployCandidate", {"modelArn": "{% $job.model_arn %}"}),
            # A job may complete before the stop somebody asked for reaches it, or before a no to the guard rails' question is given; the
            # run is stopped all the same.
            (
                "$job.ended and $job.status in ['Completed', 'Stopped']",
                "CleanUp",
                {
                    "modelArn": "{% $job.model_arn %}",
                    "outcome": outcome(
                        Outcome.TRAINING_STOPPED,
                        # A guard rail's own reason says what was asked and answered as well.
                        "{% $job.guard.stopped ? $job.guard.stopped : "
                        "$stoppedBy ? 'stopped by ' & $stoppedBy.by & ': ' & $stoppedBy.reason : $string($job.reason) %}",
                        "TrackTraining",
                    ),
                },
            ),
            ("$job.ended", "CleanUp", {"outcome": outcome(Outcome.TRAINING_FAILED, "{% $string($job.reason) %}", "TrackTraining")}),
            ("$job.ask", "AskToContinue", None),
            otherwise="AwaitJobChange",
        ),
        **ask_to_continue(functions, ask_seconds),
        # Bedrock's event ends the wait early; without it the timeout does. Either alone moves the run on.
        "AwaitJobChange": {
            **task(
                functions["await_job"],
                payload={"plan": "{% $plan %}", "job_arn": "{% $jobArn %}", "token": "{% $states.context.Task.Token %}"},
                # Bedrock's event ends the wait, or a person who wants the run stopped.
                assign={"stop": "{% $exists($states.result.stop) ? $states.result.stop : null %}"},
                following="TrackTraining",
                catch=[
                    {"ErrorEquals": ["States.Timeout"], "Next": "TrackTraining"},
                    # Without a stored token there is no event to wait for, and no reason to poll faster than agreed.
                    {"ErrorEquals": ["States.ALL"], "Next": "PollLater"},
                ],
            ),
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "TimeoutSeconds": poll_seconds,
        },
        "PollLater": {"Type": "Wait", "Seconds": poll_seconds, "Next": "TrackTraining"},
    }


def _deployment(functions: Mapping[str, str]) -> dict[str, State]:
    return {
        "DeployCandidate": task(
            functions["deploy_candidate"],
            payload={"plan": "{% $plan %}", "model_arn": "{% $modelArn %}"},
            assign={
                "deployment": "{% $states.result.Payload %}",
                "deploymentArn": "{% $states.result.Payload.deployment_arn %}",
                "deploymentChecks": "{% $deploymentChecks + 1 %}",
            },
            following="DeploymentReady",
            catch=[
                catch("DeployCandidate", Outcome.SPEND_REJECTED, errors=[BudgetUsedUp.__name__]),
                catch("DeployCandidate", Outcome.DEPLOYMENT_FAILED),
            ],
        ),
        "DeploymentReady": choice(
            ("$deployment.status = 'Active'", "Evaluate", None),
            (
                "$deployment.status = 'Failed'",
                "CleanUp",
                {"outcome": outcome(Outcome.DEPLOYMENT_FAILED, "{% $string($deployment.reason) %}", "DeployCandidate")},
            ),
            (
                f"$deploymentChecks >= {DEPLOYMENT_CHECKS}",
                "CleanUp",
                {
                    "outcome": outcome(
                        Outcome.DEPLOYMENT_FAILED,
                        f"the deployment was not Active after {DEPLOYMENT_CHECKS * DEPLOYMENT_WAIT_SECONDS // 60} minutes",
                        "DeployCandidate",
                    )
                },
            ),
            otherwise="AwaitDeployment",
        ),
        "AwaitDeployment": {"Type": "Wait", "Seconds": DEPLOYMENT_WAIT_SECONDS, "Next": "DeployCandidate"},
    }


def _evaluation(functions: Mapping[str, str]) -> dict[str, State]:
    answer = task(
        functions["evaluate"],
        payload={
            "plan": "{% $states.input.plan %}",
            "deployment_arn": "{% $states.input.deployment_arn %}",
            "item": "{% $states.input.item %}",
        },
        assign={},
        following=None,
        catch=[],
    )
    return {
        "Evaluate": {
            "Type": "Map",
            "Items": "{% $plan.evaluation %}",
            "ItemSelector": {
                "plan": "{% $plan %}",
                "deployment_arn": "{% $deploymentArn %}",
                "item": "{% $states.context.Map.Item.Value %}",
            },
            "MaxConcurrency": EVALUATE_CONCURRENCY,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "AnswerAndGrade",
                "States": {"AnswerAndGrade": {**answer, "Output": "{% $states.result.Payload %}", "End": True}},
            },
            "Catch": [catch("Evaluate", Outcome.INTERNAL_ERROR)],
            "Next": "Gate",
        },
        "Gate": task(
            functions["gate"],
            payload={"plan": "{% $plan %}"},
            assign={"gate": "{% $states.result.Payload %}"},
            following="CandidateBetter",
            catch=[catch("Gate", Outcome.INTERNAL_ERROR)],
        ),
        "CandidateBetter": choice(
            ("$gate.passed", "ReleaseNeedsApproval", None),
            otherwise="CleanUp",
            assign={"outcome": outcome(Outcome.CANDIDATE_REJECTED, "{% $join($gate.reasons, '; ') %}", "Gate")},
        ),
        "ReleaseNeedsApproval": choice(("$plan.needs_release_approval", "ApproveRelease", None), otherwise="Release"),
    }


def _tail(functions: Mapping[str, str], environment: str, bus_name: str, notice: Mapping[str, Any]) -> dict[str, State]:
    ended = {"run_id": "{% $runId %}", "unrecorded": "{% $unrecorded %}"}
    moved = "$states.result.Payload.released"
    why = "'the model was released; Release was not heard: ' & $outcome.reason"
    unheard = f"{{'code': '{Outcome.RELEASED}', 'reason': {why}, 'state': 'Release'}}"
    return {
        "CleanUp": task(
            functions["clean_up"],
            payload={
                "run_id": "{% $runId %}",
                "job_arn": "{% $jobArn %}",
                "deployment_arn": "{% $deploymentArn %}",
                "keep_deployment": f"{{% $outcome.code = '{Outcome.RELEASED}' %}}",
                "release_failed": f"{{% $outcome.code != '{Outcome.RELEASED}' and $outcome.state = 'Release' %}}",
            },
            # Release may have moved the pointer and not been heard: what became of the pointer is how the run ended.
            assign={
                "cleaned": "{% $states.result.Payload %}",
                "released": f"{{% {moved} ? $states.result.Payload.released : $released %}}",
                "outcome": f"{{% {moved} ? {unheard} : $outcome %}}",
            },
            following="RecordLineage",
            catch=[go_on({"cleaned": {"problems": [REASON]}}, "RecordLineage")],
        ),
        "RecordLineage": task(
            functions["record_lineage"],
            payload={
                "run_id": "{% $runId %}",
                "request": "{% $request %}",
                "outcome": "{% $outcome %}",
                "plan": "{% $plan %}",
                "job_arn": "{% $jobArn %}",
                "model_arn": "{% $modelArn %}",
                "deployment_arn": "{% $deploymentArn %}",
                "rehearsal": "{% $rehearsal %}",
                "gate": "{% $gate %}",
                "approvals": "{% $approvals %}",
                "cleaned": "{% $cleaned %}",
                "stopped_by": "{% $stoppedBy %}",
                "released": "{% $released %}",
                "execution_arn": "{% $states.context.Execution.Id %}",
                "started_at": "{% $states.context.Execution.StartTime %}",
            },
            assign={},
            following="Notify",
            # The record is written after the end then, from what the execution ends with.
            catch=[go_on({"unrecorded": {name: f"{{% ${variable} %}}" for name, variable in UNRECORDED.items()}}, "Notify")],
        ),
        "Notify": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Arguments": dict(notice),
            "TimeoutSeconds": 60,
            "Retry": RETRY_SERVICE,
            "Catch": [go_on({}, "AnnounceEnd")],
            "Next": "AnnounceEnd",
        },
        "AnnounceEnd": {
            **put_event(
                environment,
                bus_name,
                f"{{% $lookup({jsonata_map(EVENT_OF_OUTCOME)}, $outcome.code) %}}",
                {
                    "outcome": "{% $outcome.code %}",
                    "reason": "{% $outcome.reason %}",
                    "model_arn": "{% $modelArn %}",
                    "deployment_arn": "{% $released = null ? null : $deploymentArn %}",
                },
            ),
            "Catch": [go_on({}, "Ended")],
            "Next": "Ended",
        },
        "Ended": choice((f"$outcome.code = '{Outcome.RELEASED}'", "Released", None), otherwise="NotReleased"),
        "Released": {"Type": "Succeed", "Output": {**ended, "outcome": "{% $outcome %}", "released": "{% $released %}"}},
        "NotReleased": {
            "Type": "Fail",
            "Error": "{% $outcome.code %}",
            "Cause": "{% $outcome.reason & ($unrecorded = null ? '' : '\n' & $string({'unrecorded': $unrecorded})) %}",
        },
    }
