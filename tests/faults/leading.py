"""Ways to lead a run to where it is struck. Each starts the run, does what people do, and returns once nothing more is to be done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from contracts import names

from rft import run_answer
from rft.exits import Failure
from rft.run_view import RunReader
from rft.target import local_target
from stacks.run_definition import DEPLOYMENT_CHECKS

ENVIRONMENT = "dev"
SHORT = {"learning_rate": 1e-7, "epoch_count": 1}
"""A job that ends soon and learns nothing: its candidate is rejected."""

STALLED_AT = 13
"""The training step before which a job stalls, after the warm-up of the guard rails."""

ASKED_SECONDS = 900
HURRY_SECONDS = 120
"""Of the state machine's time: two seconds by the local clock."""

LONG_SECONDS = 36_000
"""Of the state machine's time: ten minutes by the local clock."""

FEW_CHECKS = 4
"""How often the state machine looks whether a deployment is Active."""


def learning(dev: Any, run: str) -> None:
    """A good candidate, which nobody is asked about."""
    dev.start(run)


def straight(dev: Any, run: str) -> None:
    """Nobody is asked anything."""
    dev.start(run, hyperparameters=SHORT)


def spend_asked(dev: Any, run: str) -> None:
    """A person must approve the spend, and does."""
    dev.start(run, approve_spend=True, hyperparameters=SHORT)
    approve(dev, run, "spend")


def continue_asked(dev: Any, run: str) -> None:
    """The job learns nothing, so that a person is asked whether it may go on, and says yes; it stalls all the same."""
    misbehave(dev, run)
    dev.start(run, hyperparameters={"epoch_count": 1})
    approve(dev, run, "continue")


def release_asked(dev: Any, run: str) -> None:
    """A good candidate, whose release a person must approve, and does."""
    dev.start(run, approve_release=True)
    approve(dev, run, "release")


def asked_thrice(dev: Any, run: str) -> None:
    """A person is asked about the spend, the job and the release, and says yes each time."""
    misbehave(dev, run)
    dev.start(run, approve_spend=True, approve_release=True)
    approve(dev, run, "spend")
    if approve(dev, run, "continue"):
        behave(dev, run)
    approve(dev, run, "release")


def misbehave(dev: Any, run: str) -> None:
    """From the first step on every response lacks the marker, and before a later one the job stalls."""
    job = names.job_name(ENVIRONMENT, run)
    dev.fault("fixed_answers", strategy="no_marker", job=job)
    dev.fault("stall", step=STALLED_AT, job=job)


def behave(dev: Any, run: str) -> None:
    for fault in ("fixed_answers", "stall"):
        dev.no_more(fault, job=names.job_name(ENVIRONMENT, run))


def approve(dev: Any, run: str, kind: str) -> bool:
    """Waits until a person is asked, and says yes until it is heard; False when the run ended unasked."""
    if not asked(dev, run, kind):
        return False
    target = local_target(dev.endpoint, ENVIRONMENT)

    def heard() -> bool | None:
        # A function that is killed again and again may take longer to ask once more than the command waits.
        with contextlib.suppress(Failure):
            run_answer.answer(target, run, approved=True, reason="a test says so")
        return None if RunReader(target, run).look().waiting_for == kind else True

    return bool(dev.eventually(heard, f"the answer about the {kind} of {run} to be heard", ASKED_SECONDS))


def answered_while_it_died(dev: Any, run: str) -> None:
    """The function that asks about the spend is killed once it has asked, and the person's one answer goes to it."""
    dev.start(run, approve_spend=True, hyperparameters=SHORT)
    asked(dev, run, "spend")
    run_answer.answer(local_target(dev.endpoint, ENVIRONMENT), run, approved=True, reason="a test says so")


def asked(dev: Any, run: str, kind: str) -> bool:
    """Waits until a person is asked; False when the run ended before."""

    def look() -> bool | None:
        if dev.keys(names.PARAM_RUNS_BUCKET, names.token_key(run, kind)):
            return True
        return None if dev.execution(run)["status"] == "RUNNING" else False

    return bool(dev.eventually(look, f"the question about the {kind} of {run}", ASKED_SECONDS))


def told_too_early(dev: Any, run: str) -> None:
    """An event says that the job has completed, while it runs on."""
    dev.start(run, hyperparameters=SHORT)
    dev.eventually(lambda: dev.keys(names.PARAM_RUNS_BUCKET, names.token_key(run, "job")) or None, f"{run} to wait", ASKED_SECONDS)
    (job,) = dev.jobs(run)
    detail = {"jobName": job["jobName"], "jobArn": job["jobArn"], "jobStatus": "Completed"}
    dev.invoke("OnJobEventFunction", {"source": "aws.bedrock", "detail": detail})


def answered_twice(dev: Any, run: str) -> None:
    """The spend is approved, and the same question answered once more with a no."""
    dev.start(run, approve_spend=True, hyperparameters=SHORT)
    asked(dev, run, "spend")
    token = dev.read(names.PARAM_RUNS_BUCKET, names.token_key(run, "spend"))["token"]
    approve(dev, run, "spend")
    with contextlib.suppress(dev.states.exceptions.TaskTimedOut):
        dev.states.send_task_success(taskToken=token, output=json.dumps({"approved": False, "by": "another"}))
        raise AssertionError("the second answer was taken")


def spend_unanswered(dev: Any, run: str) -> None:
    """A person must approve the spend, and does not."""
    with dev.changed(in_a_hurry("ApproveSpend")):
        dev.start(run, approve_spend=True, hyperparameters=SHORT)


def continue_unanswered(dev: Any, run: str) -> None:
    """A person is asked whether the job may go on, and does not answer."""
    misbehave(dev, run)
    with dev.changed(in_a_hurry("AskToContinue")):
        dev.start(run, hyperparameters={"epoch_count": 1})


def release_unanswered(dev: Any, run: str) -> None:
    """A person must approve the release, and does not."""
    with dev.changed(in_a_hurry("ApproveRelease")):
        dev.start(run, approve_release=True)


def never_deployed(dev: Any, run: str) -> None:
    """The deployment never becomes Active, and the state machine does not look as often as it would."""

    def change(states: dict[str, Any]) -> None:
        (check,) = [choice for choice in states["DeploymentReady"]["Choices"] if str(DEPLOYMENT_CHECKS) in choice["Condition"]]
        check["Condition"] = check["Condition"].replace(str(DEPLOYMENT_CHECKS), str(FEW_CHECKS))

    with dev.changed(change):
        dev.start(run, hyperparameters=SHORT)


def until_it_ended(dev: Any, run: str) -> None:
    """What fails works again once the execution has ended."""
    dev.start(run, hyperparameters=SHORT)
    dev.ended_as(run, ASKED_SECONDS)
    dev.no_more("access_denied", run=run)


def asked_for_twice(dev: Any, run: str) -> None:
    """The event of a registered version comes twice."""
    dataset, _, version = run.rpartition("-")
    detail = json.dumps({"environment": ENVIRONMENT, "dataset": dataset, "dataset_version": version})
    entry = {"Source": names.EVENT_SOURCE, "DetailType": "Dataset Registered", "Detail": detail, "EventBusName": names.bus(ENVIRONMENT)}
    dev.endpoint.client("events").put_events(Entries=[entry, entry])
    dev.eventually(lambda: dev.exists(run) or None, f"run {run}", ASKED_SECONDS)


def two_at_once(dev: Any, run: str) -> None:
    """Both wait for the approval of their release, and get it at the same moment."""
    dev.start(run, approve_release=True)
    asked(dev, run, "release")
    dev.together.wait(ASKED_SECONDS)
    approve(dev, run, "release")


def aborted(dev: Any, run: str) -> None:
    """Somebody aborts the execution while the job runs."""
    dev.start(run, hyperparameters=SHORT)
    dev.eventually(lambda: dev.jobs(run) or None, f"the job of {run}", ASKED_SECONDS)
    dev.states.stop_execution(executionArn=dev.execution(run)["executionArn"], cause="by hand")


def stopped_releasing(dev: Any, run: str) -> None:
    """The pointer has moved, the answer of Release is lost, and while the state machine waits to try again somebody stops the execution."""

    def change(states: dict[str, Any]) -> None:
        states["Release"]["Retry"] = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": LONG_SECONDS, "MaxAttempts": 1}]

    with dev.changed(change):
        dev.start(run)
    dev.eventually(lambda: dev.releases(run) or None, f"the release of {run}", ASKED_SECONDS)
    dev.states.stop_execution(executionArn=dev.execution(run)["executionArn"], cause="by hand")


def stopped_before_release(dev: Any, run: str) -> None:
    """Release is under way, and has not moved the pointer yet, when somebody stops the execution."""
    dev.start(run)
    reader = RunReader(local_target(dev.endpoint, ENVIRONMENT), run)
    dev.eventually(lambda: reader.look().state == "Release" or None, f"{run} to be released", ASKED_SECONDS)
    dev.states.stop_execution(executionArn=dev.execution(run)["executionArn"], cause="by hand")


def broken(dev: Any, run: str) -> None:
    """An expression behind TrackTraining cannot be evaluated."""

    def change(states: dict[str, Any]) -> None:
        states["JobEnded"]["Choices"][0]["Condition"] = "{% $error('broken') %}"

    with dev.changed(change):
        dev.start(run, hyperparameters=SHORT)


def redeployed(dev: Any, run: str) -> None:
    """While the run waits for an approval, and others do whatever they do, every function gets other code and the environment other
    settings."""
    dev.start(run, approve_spend=True, hyperparameters=SHORT)
    asked(dev, run, "spend")
    dev.redeploy()
    approve(dev, run, "spend")


def in_a_hurry(state: str) -> Callable[[dict[str, Any]], None]:
    """Makes the time for an answer so short that nobody has to wait for its end."""

    def change(states: dict[str, Any]) -> None:
        states[state]["TimeoutSeconds"] = HURRY_SECONDS

    return change


WAYS: dict[str, Callable[[Any, str], None]] = {
    way.__name__: way
    for way in (
        straight,
        learning,
        spend_asked,
        continue_asked,
        release_asked,
        asked_thrice,
        told_too_early,
        answered_twice,
        answered_while_it_died,
        spend_unanswered,
        continue_unanswered,
        release_unanswered,
        never_deployed,
        until_it_ended,
        asked_for_twice,
        two_at_once,
        aborted,
        stopped_releasing,
        stopped_before_release,
        broken,
        redeployed,
    )
}
