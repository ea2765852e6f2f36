"""Faults that can be switched on, so that the pipeline's answers to them can be tested.

A fault lasts until it is cleared, or until its `count` is used up. `job` narrows one to jobs, models or deployments whose
name starts with it.
"""

from __future__ import annotations

import math
import threading
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


_COUNT = Parameter("how many times, 0 for until cleared", int, 0)
_ONCE = Parameter("how many times, 0 for until cleared", int, 1)
_OPERATION = Parameter("a Bedrock operation such as CreateModelCustomizationJob, or * for any", str)
_JOB = Parameter("start of the name of the job, model or deployment; empty for any", str, "")
_STEP = Parameter("the training step before which it happens, from 0", int, 0)
_SECONDS = Parameter("how long, in seconds", float)

KNOWN: dict[str, dict[str, Parameter]] = {
    "throttle": {"operation": _OPERATION, "count": _ONCE},
    "access_denied": {"operation": _OPERATION, "count": _COUNT},
    "server_error": {"operation": _OPERATION, "count": _ONCE},
    "job_failure": {"step": _STEP, "message": Parameter("the failureMessage", str, "Internal error while training."), "job": _JOB},
    "stall": {"step": _STEP, "job": _JOB},
    "fixed_answers": {"strategy": Parameter("a response strategy such as no_marker", str), "step": _STEP, "job": _JOB},
    "lost_event": {"job": _JOB, "count": _COUNT},
    "duplicate_event": {"job": _JOB, "count": _COUNT},
    "slow_start": {"seconds": _SECONDS, "job": _JOB},
    "slow_deployment": {"seconds": _SECONDS, "job": _JOB},
    "deployment_failure": {"message": Parameter("the failureMessage", str, "Internal error while deploying."), "job": _JOB},
    "malformed_csv": {"job": _JOB},
    "unsafe_candidate": {"job": _JOB},
    "judge_malformed": {"count": _ONCE},
    "slow_judge": {"seconds": _SECONDS, "count": _COUNT},
}
"""Every fault and its parameters.

throttle, access_denied, server_error: the operation answers ThrottlingException, AccessDeniedException or
InternalServerException. job_failure: the job fails at a step. stall: the job stays InProgress for ever at a step.
fixed_answers: from a step on every training response is of one strategy, whatever the policy would choose.
lost_event, duplicate_event: the EventBridge event of a job is not sent, or sent twice. slow_start: the job stays in validation.
slow_deployment: a deployment stays Creating. deployment_failure: it ends Failed. malformed_csv: the metrics files are broken.
unsafe_candidate: deployed models comply with any prompt they know no reference answer for. judge_malformed: the judge answers
something that is no verdict. slow_judge: each verdict takes this long.
"""


@attrs.define
class Fault:
    name: str
    params: dict[str, Any]
    left: int | None

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, **self.params, "left": self.left}


class Faults:
    """The faults that are on. Not kept over a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Fault] = []

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

    def clear(self, name: str | None = None) -> int:
        """Switches off all faults, or those of a name; returns how many."""
        if name is not None and name not in KNOWN:
            raise InvalidInput("DELETE /_rft/faults", [f"name = {name[:60]!r}: allowed is one of {', '.join(KNOWN)}"])
        with self._lock:
            kept = [fault for fault in self._on if name is not None and fault.name != name]
            cleared = len(self._on) - len(kept)
            self._on = kept
        return cleared

    def list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_dict() for fault in self._on]

    def take(self, name: str, *, operation: str | None = None, target: str = "", step: int = 0) -> Fault | None:
        """The first fault of a name that is on for an operation, or for a target at a step; counts one use of it."""
        with self._lock:
            for fault in self._on:
                if fault.name == name and _fits(fault, operation, target, step):
                    if fault.left is not None:
                        fault.left -= 1
                        if fault.left == 0:
                            self._on.remove(fault)
                    return fault
        return None


def _fits(fault: Fault, operation: str | None, target: str, step: int) -> bool:
    if "operation" in fault.params:
        return fault.params["operation"] in ("*", operation)
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
