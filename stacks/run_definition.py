"""The state machine `rft-<environment>-run` in Amazon States Language with JSONata.

A plain function of names and numbers, so that it can be read and tested without CDK. What each state takes and gives is in
docs/pipeline.md; the tail CleanUp -> RecordLineage -> Notify -> AnnounceEnd is the same for every ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.events import EVENT_OF_OUTCOME, Outcome, RunEvent
from contracts.names import EVENT_SOURCE

State = dict[str, Any]

FUNCTIONS = (
    "prepare_run",
    "rehearse_reward",
    "request_approval",
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

EVALUATE_CONCURRENCY = 2
"""Function calls answering held-out prompts at once; each has eight requests in flight against the same model quota."""

TASK_SECONDS = 900
"""Longest a Lambda task may take: the ceiling of a Lambda function."""

CLEAN_UP_MARGIN_SECONDS = 6 * 3600
"""What deploying, evaluating and cleaning up may take on top of training and approvals."""

# A service that is busy or briefly away, and our own name for the same. A function's other errors are final.
_RETRY = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
            "Lambda.Unknown",
            "Sandbox.Timedout",
            "TransientFault",
        ],
        "IntervalSeconds": 5,
        "BackoffRate": 2,
        "MaxAttempts": 6,
        "MaxDelaySeconds": 120,
        "JitterStrategy": "FULL",
    }
]
_RETRY_SERVICE = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 6, "MaxDelaySeconds": 120}]

# The cause of a Lambda error is JSON text with errorMessage; that of a timeout is a sentence or absent.
_REASON = (
    "{% $exists($states.errorOutput.Cause) ? "
    '($substring($states.errorOutput.Cause, 0, 1) = "{" ? '
    "$substring($string($parse($states.errorOutput.Cause).errorMessage), 0, 900) : $substring($states.errorOutput.Cause, 0, 900)) : "
    '"no cause was given" %}'
)


# A bare null would be dropped on the way into the template.
_NULL = "{% null %}"


def run_definition(
    *,
    environment: str,
    functions: Mapping[str, str],
    bus_name: str,
    topic_arn: str,
    poll_seconds: int,
    approval_seconds: int,
    training_seconds: int,
) -> dict[str, Any]:
    """The whole definition.

    Args:
        environment: dev, stage or prod.
        functions: ARN (or CDK token) of each of `FUNCTIONS`.
        bus_name: the bus that events go to.
        topic_arn: the topic that people are told through.
        poll_seconds: how long to wait for Bedrock's event before asking for the job's status.
        approval_seconds: how long a person has for each approval.
        training_seconds: the longest a job may run.
    """
    states: dict[str, State] = {
        "Begin": _begin(),
        "PrepareRun": _task(
            functions["prepare_run"],
            payload={"run_id": "{% $runId %}", "request": "{% $states.input %}"},
            assign={"plan": "{% $states.result.Payload %}"},
            following="AnnounceRun",
            # Every refusal of a request is an InvalidInput; anything else is the pipeline's own fault.
            catch=[_catch("PrepareRun", Outcome.REQUEST_REFUSED, errors=["InvalidInput"]), _catch("PrepareRun", Outcome.INTERNAL_ERROR)],
        ),
        "AnnounceRun": _announce_run(environment, bus_name),
        **_rehearsal(functions),
        **_approval(
            functions,
            kind="spend",
            state="ApproveSpend",
            approved="StartTraining",
            refused=Outcome.SPEND_REJECTED,
            seconds=approval_seconds,
        ),
        **_training(functions, poll_seconds),
        **_deployment(functions),
        **_evaluation(functions),
        **_approval(
            functions,
            kind="release",
            state="ApproveRelease",
            approved="Release",
            refused=Outcome.RELEASE_REJECTED,
            seconds=approval_seconds,
        ),
        "Release": _task(
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
                "outcome": _outcome(Outcome.RELEASED, "the candidate passed the gate", "Release"),
            },
            following="CleanUp",
            catch=[_catch("Release", Outcome.INTERNAL_ERROR)],
        ),
        **_tail(functions, environment, bus_name, topic_arn),
    }
    return {
        "Comment": "One attempt to train one model; the execution name is the run id.",
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "TimeoutSeconds": training_seconds + 2 * approval_seconds + CLEAN_UP_MARGIN_SECONDS,
        "States": states,
    }


def _begin() -> State:
    # An expression over a variable that was never assigned fails, so all of them exist from the start.
    return {
        "Type": "Pass",
        "Assign": {
            "runId": "{% $states.context.Execution.Name %}",
            "request": "{% $states.input %}",
            "plan": _NULL,
            "rehearsal": _NULL,
            "approvals": {"spend": _NULL, "release": _NULL},
            "jobArn": _NULL,
            "modelArn": _NULL,
            "deploymentArn": _NULL,
            "deploymentChecks": 0,
            "gate": _NULL,
            "released": _NULL,
            "cleaned": _NULL,
            "outcome": _NULL,
        },
        "Next": "PrepareRun",
    }


def _announce_run(environment: str, bus_name: str) -> State:
    return {
        **_put_event(
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
        "RehearseReward": _task(
            functions["rehearse_reward"],
            payload={"plan": "{% $plan %}"},
            assign={"rehearsal": "{% $states.result.Payload %}"},
            following="RewardTrusted",
            catch=[_catch("RehearseReward", Outcome.REWARD_REJECTED)],
        ),
        "RewardTrusted": _choice(
            ("$rehearsal.trusted", "SpendNeedsApproval", None),
            otherwise="CleanUp",
            assign={"outcome": _outcome(Outcome.REWARD_REJECTED, "{% $join($rehearsal.reasons, '; ') %}", "RehearseReward")},
        ),
        "SpendNeedsApproval": _choice(("$plan.needs_spend_approval", "ApproveSpend", None), otherwise="StartTraining"),
    }


def _approval(functions: Mapping[str, str], *, kind: str, state: str, approved: str, refused: Outcome, seconds: int) -> dict[str, State]:
    answered = "SpendApproved" if kind == "spend" else "ReleaseApproved"
    return {
        state: {
            **_task(
                functions["request_approval"],
                payload={"plan": "{% $plan %}", "kind": kind, "gate": "{% $gate %}", "token": "{% $states.context.Task.Token %}"},
                assign={"approvals": f"{{% $merge([$approvals, {{'{kind}': $states.result}}]) %}}"},
                following=answered,
                catch=[_catch(state, Outcome.APPROVAL_TIMED_OUT, errors=["States.Timeout"]), _catch(state, Outcome.INTERNAL_ERROR)],
            ),
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "TimeoutSeconds": seconds,
        },
        answered: _choice(
            (f"$approvals.{kind}.approved = true", approved, None),
            otherwise="CleanUp",
            assign={"outcome": _outcome(refused, f"{{% 'refused by ' & $approvals.{kind}.by & ': ' & $approvals.{kind}.reason %}}", state)},
        ),
    }


def _training(functions: Mapping[str, str], poll_seconds: int) -> dict[str, State]:
    return {
        "StartTraining": _task(
            functions["start_training"],
            payload={"plan": "{% $plan %}", "approvals": "{% $approvals %}"},
            assign={"jobArn": "{% $states.result.Payload.job_arn %}"},
            following="TrackTraining",
            catch=[_catch("StartTraining", Outcome.TRAINING_FAILED)],
        ),
        "TrackTraining": _task(
            functions["track_training"],
            payload={"plan": "{% $plan %}", "job_arn": "{% $jobArn %}"},
            assign={"job": "{% $states.result.Payload %}"},
            following="JobEnded",
            catch=[_catch("TrackTraining", Outcome.TRAINING_FAILED)],
        ),
        "JobEnded": _choice(
            ("$job.ended and $job.status = 'Completed'", "DeployCandidate", {"modelArn": "{% $job.model_arn %}"}),
            (
                "$job.ended and $job.status = 'Stopped'",
                "CleanUp",
                {"outcome": _outcome(Outcome.TRAINING_STOPPED, "{% $string($job.reason) %}", "TrackTraining")},
            ),
            ("$job.ended", "CleanUp", {"outcome": _outcome(Outcome.TRAINING_FAILED, "{% $string($job.reason) %}", "TrackTraining")}),
            otherwise="AwaitJobChange",
        ),
        # Bedrock's event ends the wait early; without it the timeout does. Either alone moves the run on.
        "AwaitJobChange": {
            **_task(
                functions["await_job"],
                payload={"plan": "{% $plan %}", "job_arn": "{% $jobArn %}", "token": "{% $states.context.Task.Token %}"},
                assign={},
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
        "DeployCandidate": _task(
            functions["deploy_candidate"],
            payload={"plan": "{% $plan %}", "model_arn": "{% $modelArn %}"},
            assign={
                "deployment": "{% $states.result.Payload %}",
                "deploymentArn": "{% $states.result.Payload.deployment_arn %}",
                "deploymentChecks": "{% $deploymentChecks + 1 %}",
            },
            following="DeploymentReady",
            catch=[_catch("DeployCandidate", Outcome.DEPLOYMENT_FAILED)],
        ),
        "DeploymentReady": _choice(
            ("$deployment.status = 'Active'", "Evaluate", None),
            (
                "$deployment.status = 'Failed'",
                "CleanUp",
                {"outcome": _outcome(Outcome.DEPLOYMENT_FAILED, "{% $string($deployment.reason) %}", "DeployCandidate")},
            ),
            (
                f"$deploymentChecks >= {DEPLOYMENT_CHECKS}",
                "CleanUp",
                {
                    "outcome": _outcome(
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
    answer = _task(
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
            "Catch": [_catch("Evaluate", Outcome.INTERNAL_ERROR)],
            "Next": "Gate",
        },
        "Gate": _task(
            functions["gate"],
            payload={"plan": "{% $plan %}"},
            assign={"gate": "{% $states.result.Payload %}"},
            following="CandidateBetter",
            catch=[_catch("Gate", Outcome.INTERNAL_ERROR)],
        ),
        "CandidateBetter": _choice(
            ("$gate.passed", "ReleaseNeedsApproval", None),
            otherwise="CleanUp",
            assign={"outcome": _outcome(Outcome.CANDIDATE_REJECTED, "{% $join($gate.reasons, '; ') %}", "Gate")},
        ),
        "ReleaseNeedsApproval": _choice(("$plan.needs_release_approval", "ApproveRelease", None), otherwise="Release"),
    }


def _tail(functions: Mapping[str, str], environment: str, bus_name: str, topic_arn: str) -> dict[str, State]:
    return {
        "CleanUp": _task(
            functions["clean_up"],
            payload={
                "run_id": "{% $runId %}",
                "job_arn": "{% $jobArn %}",
                "deployment_arn": "{% $deploymentArn %}",
                "keep_deployment": f"{{% $outcome.code = '{Outcome.RELEASED}' %}}",
            },
            assign={"cleaned": "{% $states.result.Payload %}"},
            following="RecordLineage",
            catch=[_go_on({"cleaned": {"problems": [_REASON]}}, "RecordLineage")],
        ),
        "RecordLineage": _task(
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
                "released": "{% $released %}",
                "execution_arn": "{% $states.context.Execution.Id %}",
                "started_at": "{% $states.context.Execution.StartTime %}",
            },
            assign={},
            following="Notify",
            catch=[_go_on({}, "Notify")],
        ),
        "Notify": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Arguments": {
                "TopicArn": topic_arn,
                "Subject": f"{{% $substring('[{environment}] run ' & $runId & ': ' & $outcome.code, 0, 99) %}}",
                "Message": (
                    f"{{% 'Run ' & $runId & ' in {environment} ended: ' & $outcome.code & '\\n'"
                    " & 'State: ' & $outcome.state & '\\n' & 'Why: ' & $outcome.reason & '\\n'"
                    " & ($count($cleaned.problems) > 0 ? 'Not cleaned up, look now: ' & $join($cleaned.problems, '; ') & '\\n' : '')"
                    f" & 'Look: rft report ' & $runId & ' --env {environment}' %}}"
                ),
            },
            "TimeoutSeconds": 60,
            "Retry": _RETRY_SERVICE,
            "Catch": [_go_on({}, "AnnounceEnd")],
            "Next": "AnnounceEnd",
        },
        "AnnounceEnd": {
            **_put_event(
                environment,
                bus_name,
                f"{{% $lookup({_jsonata_map(EVENT_OF_OUTCOME)}, $outcome.code) %}}",
                {
                    "outcome": "{% $outcome.code %}",
                    "reason": "{% $outcome.reason %}",
                    "model_arn": "{% $modelArn %}",
                    "deployment_arn": "{% $released = null ? null : $deploymentArn %}",
                },
            ),
            "Catch": [_go_on({}, "Ended")],
            "Next": "Ended",
        },
        "Ended": _choice((f"$outcome.code = '{Outcome.RELEASED}'", "Released", None), otherwise="NotReleased"),
        "Released": {"Type": "Succeed", "Output": {"run_id": "{% $runId %}", "outcome": "{% $outcome %}", "released": "{% $released %}"}},
        "NotReleased": {"Type": "Fail", "Error": "{% $outcome.code %}", "Cause": "{% $outcome.reason %}"},
    }


def _task(function: str, *, payload: dict[str, Any], assign: dict[str, Any], following: str | None, catch: list[dict[str, Any]]) -> State:
    state: State = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": _RETRY,
    }
    if assign:
        state["Assign"] = assign
    if catch:
        state["Catch"] = catch
    if following:
        state["Next"] = following
    return state


def _catch(state: str, code: Outcome, *, errors: list[str] | None = None) -> dict[str, Any]:
    return {"ErrorEquals": errors or ["States.ALL"], "Assign": {"outcome": _outcome(code, _REASON, state)}, "Next": "CleanUp"}


def _go_on(assign: dict[str, Any], following: str) -> dict[str, Any]:
    # The tail never fails a run for a second reason: it notes the fault and goes on to the next step.
    return {"ErrorEquals": ["States.ALL"], "Next": following, **({"Assign": assign} if assign else {})}


def _outcome(code: Outcome, reason: str, state: str) -> dict[str, str]:
    return {"code": str(code), "reason": reason, "state": state}


def _choice(*rules: tuple[str, str, dict[str, Any] | None], otherwise: str, assign: dict[str, Any] | None = None) -> State:
    choices = [
        {"Condition": f"{{% {condition} %}}", "Next": target, **({"Assign": extra} if extra else {})} for condition, target, extra in rules
    ]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise, **({"Assign": assign} if assign else {})}


def _put_event(environment: str, bus_name: str, detail_type: str, detail: dict[str, Any]) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Arguments": {
            "Entries": [
                {
                    "Source": EVENT_SOURCE,
                    "DetailType": str(detail_type),
                    "EventBusName": bus_name,
                    "Detail": {"environment": environment, "run_id": "{% $runId %}", **detail},
                }
            ]
        },
        "TimeoutSeconds": 60,
        "Retry": _RETRY_SERVICE,
    }


def _jsonata_map(mapping: Mapping[Outcome, RunEvent]) -> str:
    return "{" + ", ".join(f"'{code}': '{event}'" for code, event in mapping.items()) + "}"
