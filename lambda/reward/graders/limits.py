"""A time bound for graders that run patterns a user wrote: a pattern that never ends must not stop a training job."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from time import monotonic
from typing import Any

from reward.contract import Sample
from reward.score import Component, Outcome, Score

MAX_SECONDS = 10.0

Work = Callable[[Sample], Score]


class _Late(BaseException):
    """Raised by the alarm; no `except Exception` on the way takes it for an error of its own."""


def limited(work: Work, *, name: str, options: Mapping[str, Any], seconds: float, components: tuple[Component, ...]) -> Work:
    """`work`, ended after `seconds` with the outcome TIMEOUT and these `components`.

    In the main thread, which is where Lambda runs a handler, a timer interrupts: Python's regular expressions look for signals
    while they match. Work that catches the interruption and goes on is not ended, but it is TIMEOUT all the same. In any other
    thread the grader `name` is built again from `options` in a process that can be ended.
    """
    timed_out = Score(0.0, Outcome.TIMEOUT, components)

    def grade(sample: Sample) -> Score:
        if threading.current_thread() is not threading.main_thread():
            return _elsewhere(name, options, sample, seconds) or timed_out
        return _interrupted(work, sample, seconds) or timed_out

    return grade


def _interrupted(work: Work, sample: Sample, seconds: float) -> Score | None:
    armed, fired = True, False

    def late(_signal: int, _frame: object) -> None:
        nonlocal fired
        # The alarm may be on its way when the work ends; it must not hit whatever runs next.
        if armed:
            fired = True
            raise _Late

    started = monotonic()
    before = signal.signal(signal.SIGALRM, late)
    outer = signal.getitimer(signal.ITIMER_REAL)[0]
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, min(seconds, outer) if outer else seconds)
            score = work(sample)
        finally:
            armed = False
        return None if fired else score
    except _Late:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:  # a timer that was running before gets the time it has left, or fires at once
            signal.setitimer(signal.ITIMER_REAL, max(outer - (monotonic() - started), 1e-6))


def _elsewhere(name: str, options: Mapping[str, Any], sample: Sample, seconds: float) -> Score | None:
    from reward import bounded  # noqa: PLC0415 - in Lambda no call needs it

    argument = [name, json.dumps(options), sample.response, sample.reference, sample.metadata]
    try:
        value, outcome, components = bounded.run(graded_in_worker, argument, seconds)
    except bounded.TimedOut:
        return None
    return Score(value, Outcome(outcome), tuple(components))


def graded_in_worker(argument: list[Any]) -> tuple[float, str, tuple[Component, ...]]:
    """What a worker does for `limited`: the same grader on the same sample, through JSON."""
    name, options, response, reference, metadata = argument
    score = _built(name, options)(Sample("", response, reference, [], metadata))
    return score.value, score.outcome.value, score.components


@lru_cache(maxsize=8)
def _built(name: str, options: str) -> Work:
    from reward.graders import build  # noqa: PLC0415 - the registry imports graders, which import this module

    return build(name, json.loads(options))
