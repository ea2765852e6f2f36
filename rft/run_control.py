"""Starting and stopping runs. What a person decides here goes down the pipeline's own path wherever there is one."""

from __future__ import annotations

import contextlib
import io
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from botocore.exceptions import ClientError
from contracts import names
from contracts.run import RunRequest
from contracts.validation import plain, structure
from pipeline import aws, clean_up, prepare_run, stopping

from rft import run_answer
from rft.dataset import latest_version
from rft.exits import Exit, Failure
from rft.phases import PHASE_OF_STATE
from rft.run_view import ABORTED, ENDED_UNRECORDED, RunReader, checked_run_id

if TYPE_CHECKING:
    from rft.run_view import RunView
    from rft.target import Target

REQUEST = "run request"
JOB_STATES = ("TrackTraining", "JobEnded", "AskToContinue", "VerifyContinue", "AwaitJobChange", "PollLater")
"""States in which the run's job is known to exist."""

CREATING_STATES = ("StartTraining", "DeployCandidate")
SETTLE_SECONDS = 5.0
TOKEN_SECONDS = 60.0
"""How long to wait for a token of a run that trains: a look at the job, its functions' cold starts included, is between two of them."""

DECIDED = ("release", "clean-up", "record", "announce")
"""Phases in which a run is no more to be stopped: the pointer is being moved, or the run ends as it is."""

RECORD_SECONDS = 30.0
"""How long to wait for the pipeline's record of a run that was stopped from outside."""


@attrs.frozen(kw_only=True)
class Stopped:
    """How a run was stopped.

    Attributes:
        how: ``job stopped``, ``approval refused``, ``execution stopped``, ``was ending`` when it was too late, or ``had ended``.
        follows: whether the state machine goes on to clean up and record by itself.
        cleaned: what the clean-up answered, when this command had to run it.
    """

    how: str
    follows: bool
    cleaned: Mapping[str, Any] | None = None


def request_from(
    *,
    dataset: str,
    version: str | None = None,
    reward_version: str | None = None,
    changes: Sequence[str] = (),
    approve_spend: bool = False,
    approve_release: bool = False,
    requested_by: str = "",
) -> RunRequest:
    """A checked run request from what was typed.

    Args:
        changes: ``KEY=VALUE`` each, hyperparameters of this run.

    Raises:
        InvalidInput: with every fault found.
        Failure: usage, for a change that is not ``KEY=VALUE``.
    """
    data: dict[str, Any] = {"dataset": dataset, "approve_spend": approve_spend, "approve_release": approve_release}
    if version:
        data["dataset_version"] = version
    if reward_version:
        data["reward_version"] = reward_version
    if changes:
        data["hyperparameters"] = dict(_change(text) for text in changes)
    if requested_by:
        # The type allows fewer characters than an ARN's session name may hold.
        data["requested_by"] = re.sub(r"[^\w.@:/+=, -]", "-", requested_by)[:256]
    return structure(data, RunRequest, REQUEST)


def start(target: Target, request: RunRequest, *, run_id: str | None = None) -> str:
    """Starts the run and returns its id.

    Raises:
        Failure: not found for a dataset that is not registered; failed for a run id that was used before.
    """
    if request.dataset_version == "latest":
        latest_version(target, request.dataset)
    stamp = datetime.now(UTC).strftime("%m%d-%H%M%S")
    chosen = checked_run_id(run_id) if run_id else names.run_id_for(request.dataset, f"{stamp}-{secrets.token_hex(2)}")
    data = {key: value for key, value in plain(request).items() if value is not None}
    data["proof"] = target.proof(prepare_run.request_claim(target.environment, chosen, request))
    data["hyperparameters"] = {key: value for key, value in data["hyperparameters"].items() if value is not None}
    try:
        target.states.start_execution(stateMachineArn=target.parts.state_machine, name=chosen, input=json.dumps(data))
    except ClientError as error:
        if error.response["Error"].get("Code") == "ExecutionAlreadyExists":
            raise Failure(f"there has been a run {chosen} before", hint="choose another --name, or leave it out") from None
        raise
    return chosen


def stop(target: Target, run_id: str, *, reason: str) -> Stopped:
    """Stops a run the gentlest way its state allows.

    Training: the run is woken, stops its job and ends as TrainingStopped. Waiting for a person: the approval is refused. Once it moves
    the released-model pointer, it is too late. Anywhere else, such as while the candidate is deployed or evaluated, the execution is
    stopped, which skips the state machine's own clean-up, so the same clean-up is run from here.
    """
    reader = RunReader(target, run_id)
    view = reader.look()
    if not view.running:
        # An execution that was aborted, or lost, never came to its own clean-up.
        lost = (view.outcome or {}).get("code") == ENDED_UNRECORDED
        return Stopped(how="had ended", follows=False, cleaned=_clean_up(target, view) if lost else None)
    given = {"by": target.caller, "reason": reason, "proof": target.proof(stopping.claim_of(target.environment, run_id, reason))}
    if _trains(view):
        if _wake_to_stop(target, reader, given):
            return Stopped(how="job stopped", follows=True)
        view = reader.look()
    if view.waiting_for is not None:
        run_answer.answer(target, run_id, approved=False, reason=reason)
        return Stopped(how="approval refused", follows=True)
    return _abort(target, reader, view, given)


def _abort(target: Target, reader: RunReader, view: RunView, given: Mapping[str, Any]) -> Stopped:
    """Stops the execution, unless the run has been decided on meanwhile."""
    if not view.running or PHASE_OF_STATE[view.state].key in DECIDED:
        return Stopped(how="was ending", follows=True)
    try:
        target.states.stop_execution(executionArn=view.execution_arn, error="StoppedByPerson", cause=stopping.cause(given))
    except ClientError as error:
        # So does the local cloud answer for an execution that has ended.
        if error.response["Error"].get("Code") != "ValidationException" or reader.look().running:
            raise
    view = reader.look()
    if view.status != ABORTED:
        return Stopped(how="was ending", follows=True)
    return Stopped(how="execution stopped", follows=False, cleaned=_clean_up(target, view))


def _trains(view: RunView) -> bool:
    """Whether its job runs, and no person is asked."""
    return view.running and view.state in JOB_STATES and view.waiting_for is None


def _wake_to_stop(target: Target, reader: RunReader, given: Mapping[str, Any]) -> bool:
    """Wakes the run that waits for its job, so that it stops the job itself and records who wanted it; False once it has no job to stop."""
    deadline, output = time.monotonic() + TOKEN_SECONDS, {"stop": given}
    while time.monotonic() < deadline and _trains(view := reader.look()):
        token = (target.read_json(target.parts.runs_bucket, names.token_key(view.run_id, "job")) or {}).get("token")
        taken = bool(token) and run_answer.sent(target, str(token), output)
        # Between two waits it looks at the job; the next wait leaves another token. So does one whose function died: its token is void.
        time.sleep(target.poll_seconds / 2)
        if taken and run_answer.was_heard(target, view.execution_arn, output):
            return True
    return False


def _change(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Failure(f"--set {text!r}: allowed is KEY=VALUE, such as epoch_count=3", code=Exit.USAGE)
    try:
        return key.strip(), json.loads(value)
    except json.JSONDecodeError:
        return key.strip(), value


def _clean_up(target: Target, view: RunView) -> Mapping[str, Any]:
    """Runs the pipeline's own CleanUp for a run whose execution was stopped; the record is the pipeline's to write and sign."""
    if view.state in CREATING_STATES:
        # The function that was called may still finish what it began.
        time.sleep(SETTLE_SECONDS)
    variables = {names.ENV_ENVIRONMENT: target.environment, names.ENV_RUNS_BUCKET: target.parts.runs_bucket}
    for client in (aws.bedrock, aws.s3, aws.ssm, aws.states):
        client.cache_clear()
    # The task prints its log for Lambda to collect; here nobody does, and stdout is the command's.
    with target.as_process_environment(variables), contextlib.redirect_stdout(io.StringIO()):
        cleaned: Mapping[str, Any] = clean_up.handler({"run_id": view.run_id, "execution_arn": view.execution_arn}, None)
    deadline = time.monotonic() + RECORD_SECONDS
    while target.record(view.run_id, names.ATTESTATION) is None and time.monotonic() < deadline:
        time.sleep(target.poll_seconds)
    return cleaned


def wait_until_ended(reader: RunReader, poll_seconds: float, *, at_most: float = 900.0) -> RunView:
    """Looks at a run until it has ended.

    Raises:
        Failure: when it has not after `at_most` seconds.
    """
    deadline = time.monotonic() + at_most
    while (view := reader.look()).running:
        if time.monotonic() > deadline:
            raise Failure(f"run {view.run_id} is still in {view.state}", hint=f"rft run watch {view.run_id}")
        time.sleep(poll_seconds)
    return view
