"""The pieces the run's states are made of: tasks, choices, catches, events, in Amazon States Language with JSONata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.events import Outcome, RunEvent
from contracts.names import EVENT_SOURCE

State = dict[str, Any]

TASK_SECONDS = 900
"""Longest a Lambda task may take: the ceiling of a Lambda function."""

# A service that is busy or briefly away, our own name for the same, and a function that was killed or ran out of time: each can be
# done again. A function's other errors are final.
RETRY = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
            "Lambda.Unknown",
            "Sandbox.Timedout",
            "Runtime.ExitError",
            "TransientFault",
        ],
        "IntervalSeconds": 5,
        "BackoffRate": 2,
        "MaxAttempts": 6,
        "MaxDelaySeconds": 120,
        "JitterStrategy": "FULL",
    }
]
RETRY_SERVICE = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 6, "MaxDelaySeconds": 120}]


# The cause of a Lambda error is JSON text with errorMessage; that of a timeout is a sentence or absent.
REASON = (
    "{% $exists($states.errorOutput.Cause) ? "
    '($substring($states.errorOutput.Cause, 0, 1) = "{" ? '
    "$substring($string($parse($states.errorOutput.Cause).errorMessage), 0, 900) : $substring($states.errorOutput.Cause, 0, 900)) : "
    '"no cause was given" %}'
)


# A bare null would be dropped on the way into the template.
NULL = "{% null %}"


def task(function: str, *, payload: dict[str, Any], assign: dict[str, Any], following: str | None, catch: list[dict[str, Any]]) -> State:
    """Invokes a function; `assign` goes into the run's variables, `following` is the next state, None inside a Map."""
    state: State = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": RETRY,
    }
    if assign:
        state["Assign"] = assign
    if catch:
        state["Catch"] = catch
    if following:
        state["Next"] = following
    return state


def catch(state: str, code: Outcome, *, errors: list[str] | None = None) -> dict[str, Any]:
    """Ends the run with `code`: by default for every error, else for the named ones."""
    return {"ErrorEquals": errors or ["States.ALL"], "Assign": {"outcome": outcome(code, REASON, state)}, "Next": "CleanUp"}


def go_on(assign: dict[str, Any], following: str) -> dict[str, Any]:
    """Notes an error and goes on with `following`."""
    # The tail never fails a run for a second reason: it notes the fault and goes on to the next step.
    return {"ErrorEquals": ["States.ALL"], "Next": following, **({"Assign": assign} if assign else {})}


def outcome(code: Outcome, reason: str, state: str) -> dict[str, str]:
    """How the run ended, and the state that decided it; `reason` may be a JSONata expression."""
    return {"code": str(code), "reason": reason, "state": state}


def choice(*rules: tuple[str, str, dict[str, Any] | None], otherwise: str, assign: dict[str, Any] | None = None) -> State:
    """Rules of condition, target and what to assign; `otherwise` with its own `assign` when none holds."""
    choices = [
        {"Condition": f"{{% {condition} %}}", "Next": target, **({"Assign": extra} if extra else {})} for condition, target, extra in rules
    ]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise, **({"Assign": assign} if assign else {})}


def put_event(environment: str, bus_name: str, detail_type: str, detail: dict[str, Any]) -> State:
    """Puts one event of this run on the environment's bus."""
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
        "Retry": RETRY_SERVICE,
    }


def jsonata_map(mapping: Mapping[Outcome, RunEvent]) -> str:
    """A JSONata object literal, for `$lookup`."""
    return "{" + ", ".join(f"'{code}': '{event}'" for code, event in mapping.items()) + "}"
