"""Everything the command knows of one run, gathered in one place for watch, show, report and demo."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from botocore.exceptions import ClientError
from contracts import names
from contracts.events import Outcome
from contracts.trends import TRAINING, VALIDATION

from rft import live_trend
from rft.exits import Exit, Failure
from rft.history import History, Step, steps
from rft.phases import PHASE_OF_STATE, Mark

if TYPE_CHECKING:
    from rft.target import Target

RUNNING = "RUNNING"
ABORTED = "ABORTED"
WAITS_FOR = {"ApproveSpend": "spend", "AskToContinue": "continue", "ApproveRelease": "release"}
"""States in which a person is waited for, and what for: the kind of their token."""

ENDED_UNRECORDED = "Interrupted"
"""Shown for a run that ended outside its own path: aborted, or lost with a local cloud that was stopped."""

TREND_SECONDS = 20.0
"""How often the trend is asked for on AWS, where each metric of a query is paid for."""


@attrs.frozen
class Point:
    """A data point of the reward trend.

    Attributes:
        at: its time.
        mean: mean score of the responses graded in its period, 0 to 1.
        samples: how many they were.
    """

    at: datetime
    mean: float
    samples: int


@attrs.frozen(kw_only=True)
class RunView:
    """A run at one moment.

    Attributes:
        status: the execution's, such as RUNNING.
        state: the state it is in, or was in last.
        since: when it entered that state.
        waiting_for: ``spend``, ``continue`` or ``release`` while a person is waited for.
        train, validation: the reward trend, in order of time.
        trend: the whole of `trend.json`; only its `steps`, with reward and number, while the job runs.
        graded: responses of the evaluation so far, by model.
        outcome: `code`, `reason`, `state`; None while undecided.
        lineage: the lineage record, once written.
    """

    run_id: str
    environment: str
    place: str
    local: bool
    execution_arn: str
    status: str
    started: datetime
    stopped: datetime | None
    state: str
    since: datetime
    steps: Sequence[Step]
    request: Mapping[str, Any]
    waiting_for: str | None = None
    plan: Mapping[str, Any] | None = None
    rehearsal: Mapping[str, Any] | None = None
    train: Sequence[Point] = ()
    validation: Sequence[Point] = ()
    trend: Mapping[str, Any] = attrs.field(factory=dict)
    graded: Mapping[str, int] = attrs.field(factory=dict)
    gate: Mapping[str, Any] | None = None
    lineage: Mapping[str, Any] | None = None
    lineage_uri: str | None = None
    outcome: Mapping[str, Any] | None = None

    @property
    def running(self) -> bool:
        return self.status == RUNNING

    @property
    def artifacts(self) -> Mapping[str, Any]:
        """Columns and rows of each CSV the job left, by file."""
        return self.trend.get("artifacts") or {}

    @property
    def released(self) -> bool:
        return not self.running and self.outcome is not None and self.outcome.get("code") == Outcome.RELEASED

    def as_json(self) -> dict[str, Any]:
        """The view as plain JSON; the documented output of ``rft run show --json``."""
        now = datetime.now(UTC)
        return {
            "run_id": self.run_id,
            "environment": self.environment,
            "status": self.status,
            "state": self.state,
            "since": self.since.isoformat(),
            "started": self.started.isoformat(),
            "stopped": self.stopped.isoformat() if self.stopped else None,
            "waiting_for": self.waiting_for,
            "outcome": self.outcome,
            "released": self.released,
            "steps": [{"key": step.phase.key, "mark": str(step.mark), "seconds": step.seconds(now)} for step in self.steps],
            "reward": [{"t": point.at.isoformat(), "mean": point.mean, "samples": point.samples} for point in self.train],
            "validation": [{"t": point.at.isoformat(), "mean": point.mean, "samples": point.samples} for point in self.validation],
            "plan": self.plan,
            "rehearsal": self.rehearsal,
            "gate": self.gate,
            "lineage_record": self.lineage_uri,
            "trained_by": "local stand-in policy" if self.local else "Amazon Bedrock",
        }


class RunReader:
    """Looks at one run as often as asked; what cannot change any more is read once.

    Raises:
        Failure: not found, when the environment has no such run.
    """

    def __init__(self, target: Target, run_id: str) -> None:
        self._target, self._run_id = target, checked_run_id(run_id)
        machine = target.parts.state_machine
        self._arn = machine.replace(":stateMachine:", ":execution:", 1) + f":{run_id}"
        self._history = History(target.states, self._arn)
        self._kept: dict[str, Any] = {}
        self._trend: dict[str, Any] = {}
        self._trend_read_at: datetime | None = None

    def look(self) -> RunView:
        """The run as it is now."""
        execution = self._describe()
        self._history.read_on()
        status, stopped = str(execution["status"]), execution.get("stopDate")
        entries = self._history.entries
        last_state = entries[-1].state if entries else "Begin"
        since = entries[-1].at if entries else execution["startDate"]
        lineage = self._record("lineage.json", entered="RecordLineage", ended=stopped is not None)
        outcome = self._outcome(execution, lineage)
        # An execution that was cut short may have released its model all the same.
        released = outcome is not None and outcome.get("code") == Outcome.RELEASED
        self._read_trend(execution["startDate"], training=status == RUNNING and self._in("train"), ended=stopped is not None)
        plan = self._record("plan.json", entered="AnnounceRun", ended=stopped is not None)
        return RunView(
            run_id=self._run_id,
            environment=self._target.environment,
            place=self._target.place,
            local=self._target.local,
            execution_arn=self._arn,
            status=status,
            started=execution["startDate"],
            stopped=stopped,
            state=last_state,
            since=since,
            steps=steps(entries, ended_at=stopped, failed_state=None if released else self._decider(status)),
            request=json.loads(execution.get("input") or "{}"),
            waiting_for=WAITS_FOR.get(last_state) if status == RUNNING else None,
            plan=plan,
            rehearsal=self._record("rehearsal.json", entered="RewardTrusted", ended=stopped is not None),
            train=_points(self._trend, TRAINING),
            validation=_points(self._trend, VALIDATION),
            trend=self._trend,
            graded=self._graded(),
            gate=self._record("gate.json", entered="CandidateBetter", ended=stopped is not None),
            lineage=lineage,
            lineage_uri=f"s3://{self._target.parts.runs_bucket}/{names.record_key(self._run_id, 'lineage.json')}" if lineage else None,
            outcome=outcome,
        )

    def _describe(self) -> Mapping[str, Any]:
        try:
            return self._target.states.describe_execution(executionArn=self._arn)
        except ClientError as error:
            if error.response["Error"].get("Code") == "ExecutionDoesNotExist":
                raise Failure(
                    f"there is no run {self._run_id} in {self._target.environment}",
                    where=self._target.place,
                    hint=f"rft run list --env {self._target.environment}",
                    code=Exit.NOT_FOUND,
                ) from None
            raise

    def _entered(self, state: str) -> bool:
        return any(entry.state == state for entry in self._history.entries)

    def _in(self, phase: str) -> bool:
        entries = self._history.entries
        return bool(entries) and PHASE_OF_STATE[entries[-1].state].key == phase

    def _record(self, file: str, *, entered: str, ended: bool) -> Any | None:
        # A record is read when the state after the one that writes it was entered, and then once.
        if self._kept.get(file) is None and (ended or self._entered(entered)):
            self._kept[file] = self._target.record(self._run_id, file)
        return self._kept.get(file)

    def _decider(self, status: str) -> str | None:
        """The state that decided against the run."""
        entries = self._history.entries
        before = next((entries[at - 1].state for at, entry in enumerate(entries) if at and entry.state == "CleanUp"), None)
        if before is not None:
            return None if before == "Release" and status in (RUNNING, "SUCCEEDED") else before
        return entries[-1].state if entries and status not in (RUNNING, "SUCCEEDED") else None

    def _outcome(self, execution: Mapping[str, Any], lineage: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if lineage and isinstance(lineage.get("outcome"), dict):
            recorded: Mapping[str, Any] = lineage["outcome"]
            return recorded
        status = execution["status"]
        if status == RUNNING:
            return None
        if status == "SUCCEEDED":
            return {"code": str(Outcome.RELEASED), "reason": "", "state": "Release"}
        error = str(execution.get("error") or "")
        code = error if error in set(Outcome) else ENDED_UNRECORDED
        # Under its first line a stop given with `rft run stop` carries its proof.
        reason = str(execution.get("cause") or error or f"the execution is {status}").partition("\n")[0]
        return {"code": code, "reason": reason, "state": self._decider(status) or ""}

    def _read_trend(self, started: datetime, *, training: bool, ended: bool) -> None:
        now = datetime.now(UTC)
        if training:
            wait = 0.0 if self._target.local else TREND_SECONDS
            if self._trend_read_at is None or (now - self._trend_read_at).total_seconds() >= wait:
                self._trend_read_at = now
                live = live_trend.steps(self._target.cloudwatch, self._target.environment, self._run_id, started, now)
                if live:
                    self._trend = {"steps": live}
        elif "artifacts" not in self._trend and (ended or self._entered("JobEnded")):
            # The pipeline's own record is complete once the job has ended.
            self._trend = self._target.record(self._run_id, "trend.json") or self._trend or {"artifacts": {}}

    def _graded(self) -> Mapping[str, int]:
        """Responses answered and graded so far, by model, from the names of the evaluation's records."""
        if not self._in("evaluate"):
            return self._kept.get("graded") or {}
        sizes = {
            f"{item['model']}-{item['set']}-{item['first']}.json": (item["model"], item["count"])
            for item in (self._kept.get("plan.json") or {}).get("evaluation", [])
        }
        counts: dict[str, int] = {}
        prefix = names.record_key(self._run_id, "evaluation/")
        for item in self._target.s3.list_objects_v2(Bucket=self._target.parts.runs_bucket, Prefix=prefix).get("Contents", []):
            known = sizes.get(item["Key"].removeprefix(prefix))
            if known:
                counts[known[0]] = counts.get(known[0], 0) + known[1]
        self._kept["graded"] = counts
        return counts


def checked_run_id(run_id: str) -> str:
    """The run id, when it can be one.

    Raises:
        Failure: usage, when it cannot.
    """
    if len(run_id) > names.RUN_ID_MAX or not names.RUN_ID_PATTERN.fullmatch(run_id):
        raise Failure(
            f"{run_id!r} is no run id",
            hint=f"allowed are at most {names.RUN_ID_MAX} lower-case letters, digits and single hyphens; rft run list shows them",
            code=Exit.USAGE,
        )
    return run_id


def _points(trend: Mapping[str, Any], part: str) -> list[Point]:
    graded = [(step["at"], step[part]) for step in trend.get("steps", []) if step.get(part)]
    return [Point(datetime.fromisoformat(at), float(found["reward"]), int(found["graded"])) for at, found in graded]


def current_step(view: RunView) -> Step | None:
    """The step the run is in; None when it has ended."""
    return next((step for step in view.steps if step.mark in (Mark.CURRENT, Mark.WAITING)), None)
