"""Faults that can be switched on, so that the pipeline's answers to them can be tested.

A fault lasts until it is cleared, or until its `count` is used up. `job` narrows one to jobs, models or deployments whose
name starts with it. Faults of calls strike any AWS call of the local cloud, at its front door; the others are the stand-in's.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import attrs
from contracts.errors import InvalidInput

WHERE = "POST /_rft/faults"


class Parameter(NamedTuple):
    """`kind` is str, int or float; `low` the least number allowed; no `default` means that it must be given."""

    meaning: str
    kind: type
    default: Any = None
    low: float = 0


class Call(NamedTuple):
    """An AWS call as a fault sees it.

    Attributes:
        operation: `service:Operation`; of S3 and Lambda the IAM action, such as s3:ListBucket or lambda:InvokeFunction.
        caller: the calling function's name; `states/<state>` for the state machine; of other roles the session's name.
        run: the run it is made for, by the execution that makes it or by the event of the function that does; empty where neither says.
        path: of the request: the object, function or model it is for, where the service puts that into the path.
        text: path and body, and the event of the function that makes the call.
        function: whether a function makes it.
    """

    operation: str
    caller: str
    run: str
    path: str
    text: str
    function: bool


_COUNT = Parameter("how many times, 0 for until cleared", int, 0)
_ONCE = Parameter("how many times, 0 for until cleared", int, 1)
_OPERATION = Parameter("an operation such as s3:PutObject, or * for any; without a service it is Bedrock's", str)
_CALLER = Parameter("part of the calling function's name, or states/<state> for the state machine; empty for anybody", str, "")
_RUN = Parameter("the run that the call is made for, or where nothing says so a run that stands in it; empty for any", str, "")
_JOB = Parameter("start of the name of the job, model or deployment; empty for any", str, "")
_STEP = Parameter("the training step before which it happens, from 0", int, 0)
_SECONDS = Parameter("how long, in seconds", float)

CALLS: dict[str, dict[str, Parameter]] = {
    "throttle": {"operation": _OPERATION, "count": _ONCE, "caller": _CALLER, "run": _RUN},
    "access_denied": {"operation": _OPERATION, "count": _COUNT, "caller": _CALLER, "run": _RUN},
    "server_error": {"operation": _OPERATION, "count": _ONCE, "caller": _CALLER, "run": _RUN},
    "lost_answer": {"operation": _OPERATION, "count": _ONCE, "caller": _CALLER, "run": _RUN},
    "killed": {"operation": _OPERATION, "count": _ONCE, "caller": _CALLER, "run": _RUN},
}
"""Faults of calls. The `count` holds for each caller, operation and path.

throttle, access_denied, server_error: the service answers with its own error of that kind. lost_answer: the call is carried out and
its answer never comes. killed: the call is carried out, and then the function that made it is killed.
"""

KNOWN: dict[str, dict[str, Parameter]] = {
    **CALLS,
    "job_failure": {"step": _STEP, "message": Parameter("the failureMessage", str, "Internal error while training."), "job": _JOB},
    "stall": {"step": _STEP, "job": _JOB},
    "fixed_answers": {"strategy": Parameter("a response strategy such as no_marker", str), "step": _STEP, "job": _JOB},
    "old_job": {"hours": Parameter("how long ago the job seems to have been made, in hours", float), "job": _JOB},
    "lost_event": {"job": _JOB, "count": _COUNT},
    "duplicate_event": {"job": _JOB, "count": _COUNT},
    "reordered_events": {"job": _JOB},
    "slow_start": {"seconds": _SECONDS, "job": _JOB},
    "slow_deployment": {"seconds": _SECONDS, "job": _JOB},
    "deployment_failure": {"message": Parameter("the failureMessage", str, "Internal error while deploying."), "job": _JOB},
    "malformed_csv": {"job": _JOB},
    "unsafe_candidate": {"job": _JOB},
    "judge_malformed": {"count": _ONCE},
    "slow_judge": {"seconds": _SECONDS, "count": _COUNT},
}
"""Every fault and its parameters.

Those of calls are above. job_failure: the job fails at a step. stall: the job stays InProgress for ever at a step.
fixed_answers: from a step on every training response is of one strategy, whatever the policy would choose. old_job: the job's
creation lies further back. lost_event, duplicate_event: the EventBridge event of a job is not sent, or sent twice.
reordered_events: the event of the start comes after that of the end. slow_start: the job stays in validation.
slow_deployment: a deployment stays Creating. deployment_failure: it ends Failed. malformed_csv: the metrics files are broken.
unsafe_candidate: deployed models comply with any prompt they know no reference answer for. judge_malformed: the judge answers
something that is no verdict. slow_judge: each verdict takes this long.
"""


@attrs.define
class Fault:
    name: str
    params: dict[str, Any]
    left: int | None
    met: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, **self.params, "left": self.left}


class Faults:
    """The faults that are on. Not kept over a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Fault] = []
        self.met: deque[dict[str, str]] = deque(maxlen=10_000)
        """The calls that faults struck, oldest first, since all faults were last cleared."""

    def set(self, name: object, params: Mapping[str, Any]) -> Fault:
        """Switches one on.

        Raises:
            InvalidInput: unknown fault, unknown or missing parameter, or a value of the wrong kind.
        """
        if not isinstance(name, str) or name not in KNOWN:
            raise InvalidInput(WHERE, [f"name = {str(name)[:60]!r}: allowed is one of {', '.join(KNOWN)}"])
        allowed = KNOWN[name]
        problems = [
            f"{key} is not a parameter of {name}; allowed here: {', '.join(allowed) or 'none'}" for key in params if key not in allowed
        ]
        given: dict[str, Any] = {}
        for key, parameter in allowed.items():
            value = params.get(key, parameter.default)
            if problem := _problem(value, parameter):
                problems.append(f"{key}: {problem} ({parameter.meaning})")
            else:
                given[key] = parameter.kind(value)
        if problems:
            raise InvalidInput(WHERE, problems)
        fault = Fault(name, given, given.get("count") or None)
        with self._lock:
            self._on.append(fault)
        return fault

    def clear(self, name: str | None = None, params: Mapping[str, Any] | None = None) -> int:
        """Switches off all faults, those of a name, or those of a name that were given these parameters; returns how many."""
        if name is not None and name not in KNOWN:
            raise InvalidInput("DELETE /_rft/faults", [f"name = {name[:60]!r}: allowed is one of {', '.join(KNOWN)}"])
        with self._lock:
            if name is None:
                self.met.clear()
            kept = [fault for fault in self._on if name is not None and not (fault.name == name and _given(fault, params or {}))]
            cleared = len(self._on) - len(kept)
            self._on = kept
        return cleared

    def list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_dict() for fault in self._on]

    def strikes(self) -> bool:
        """Whether any fault of calls is on."""
        return any(fault.name in CALLS for fault in list(self._on))

    def strike(self, call: Call) -> str | None:
        """The name of the first fault that is on for a call, if any; counts one use of it."""
        with self._lock:
            for fault in self._on:
                if fault.name in CALLS and _strikes(fault, call):
                    fault.met[call.caller, call.operation, call.path] += 1
                    self.met.append(
                        {"name": fault.name, "operation": call.operation, "caller": call.caller, "run": str(fault.params["run"])}
                    )
                    return fault.name
        return None

    def take(self, name: str, *, target: str = "", step: int = 0) -> Fault | None:
        """The first fault of a name that is on for a target at a step; counts one use of it."""
        with self._lock:
            for fault in self._on:
                if fault.name == name and _fits(fault, target, step):
                    if fault.left is not None:
                        fault.left -= 1
                        if fault.left == 0:
                            self._on.remove(fault)
                    return fault
        return None


def _given(fault: Fault, params: Mapping[str, Any]) -> bool:
    return all(fault.params.get(key) == value for key, value in params.items())


def _strikes(fault: Fault, call: Call) -> bool:
    wanted = fault.params["operation"]
    if wanted not in ("*", call.operation) and f"bedrock:{wanted}" != call.operation:
        return False
    if fault.name == "killed" and not call.function:
        return False
    if fault.params["caller"] not in call.caller or not _is_for(fault.params["run"], call):
        return False
    return fault.left is None or fault.met[call.caller, call.operation, call.path] < fault.left


def _is_for(run: str, call: Call) -> bool:
    # A run's record names the run whose release was before its own: what stands in a call is not always what it is made for.
    if run and call.run:
        return run == call.run
    # The id of another run may begin like this one's.
    return re.search(rf"{re.escape(run)}(?![\w-])", call.text) is not None


def _fits(fault: Fault, target: str, step: int) -> bool:
    if "job" not in fault.params:
        return True
    return target.startswith(fault.params["job"]) and step >= fault.params.get("step", 0)


def _problem(value: Any, parameter: Parameter) -> str | None:
    if value is None:
        return "is missing"
    if parameter.kind is str:
        return None if isinstance(value, str) and len(value) <= 500 else "allowed is a string of at most 500 characters"
    whole = type(value) is int
    if not whole and (parameter.kind is int or type(value) is not float or not math.isfinite(value)):
        return f"allowed is a {'whole ' if parameter.kind is int else ''}number"
    return None if parameter.low <= value <= 1e6 else f"allowed is {parameter.low:g} to 1000000"
