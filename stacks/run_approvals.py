"""The states in which a person is asked, and in which it is found out who answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.events import Outcome

from stacks.run_states import NULL, State, catch, choice, go_on, outcome, task

UNVERIFIED = {
    "approvals": (
        "{% $merge([$approvals, {'continue': {"
        "'approved': false, "
        "'by': $answer.approved = true ? 'the pipeline' : ($exists($answer.by) ? $string($answer.by) : 'somebody') & ' (not proven)', "
        "'reason': $answer.approved = true ? 'the yes could not be verified' : "
        "$exists($answer.reason) ? $substring($string($answer.reason), 0, 900) : '', "
        "'at': $states.context.State.EnteredTime, "
        "'principal': null}}]) %}"
    )
}
"""An answer about the job that nobody could verify is none when it says yes, and stays a no when it says no."""


def approval(functions: Mapping[str, str], *, kind: str, state: str, approved: str, refused: Outcome, seconds: int) -> dict[str, State]:
    """Asks in `state`, has the answer verified, and goes to `approved` or ends with `refused`."""
    answered, verify = ("SpendApproved", "VerifySpend") if kind == "spend" else ("ReleaseApproved", "VerifyRelease")
    return {
        state: {
            **task(
                functions["request_approval"],
                payload={"plan": "{% $plan %}", "kind": kind, "gate": "{% $gate %}", "token": "{% $states.context.Task.Token %}"},
                assign={"answer": "{% $states.result %}"},
                following=verify,
                catch=[catch(state, Outcome.APPROVAL_TIMED_OUT, errors=["States.Timeout"]), catch(state, Outcome.INTERNAL_ERROR)],
            ),
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "TimeoutSeconds": seconds,
        },
        verify: _verify(functions, kind, following=answered, otherwise=catch(verify, Outcome.INTERNAL_ERROR)),
        answered: choice(
            (f"$approvals.{kind}.approved = true", approved, None),
            otherwise="CleanUp",
            assign={"outcome": outcome(refused, f"{{% 'refused by ' & $approvals.{kind}.by & ': ' & $approvals.{kind}.reason %}}", state)},
        ),
    }


def ask_to_continue(functions: Mapping[str, str], seconds: int) -> dict[str, State]:
    """Asks whether a job that reached a guard rail may go on.

    The job runs on while a person thinks. Whatever ends the wait, TrackTraining reads the answer: only a proven yes lets the job go on, and
    a no is heard even when the job has completed meanwhile.
    """
    unanswered = go_on({"approvals": "{% $merge([$approvals, {'continue': null}]) %}"}, "TrackTraining")
    return {
        "AskToContinue": {
            **task(
                functions["request_approval"],
                payload={"plan": "{% $plan %}", "kind": "continue", "job": "{% $job %}", "token": "{% $states.context.Task.Token %}"},
                assign={"answer": "{% $states.result %}"},
                following="VerifyContinue",
                catch=[unanswered],
            ),
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "TimeoutSeconds": seconds,
        },
        "VerifyContinue": _verify(functions, "continue", following="TrackTraining", otherwise=go_on(UNVERIFIED, "TrackTraining")),
    }


def _verify(functions: Mapping[str, str], kind: str, *, following: str, otherwise: dict[str, Any]) -> State:
    # The token can be answered by anyone who may; what counts is who STS says it was. The proof goes no further than this state.
    return task(
        functions["verify_approval"],
        payload={"plan": "{% $plan %}", "kind": kind, "answer": "{% $answer %}"},
        assign={"approvals": f"{{% $merge([$approvals, {{'{kind}': $states.result.Payload}}]) %}}", "answer": NULL},
        following=following,
        catch=[otherwise],
    )
