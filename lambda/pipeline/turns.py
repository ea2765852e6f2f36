"""Places for jobs: at most `training.max_running` runs of an environment train at once, and each holds one of the places.

A place is an object that is written on condition only, so of two runs at once exactly one gets it. A holder whose execution is no longer
running lost it, however it ended.

Who finds no place stands in line, in one object that is written on condition as well, and a free place goes to the first in it. The line
only decides the order: a run in it whose execution is no longer running is passed over, so that nobody waits for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence

from botocore.exceptions import ClientError
from contracts import names

from pipeline import aws, config, store
from pipeline.task import now

TRIES = 8
"""How often the line is written anew when another run was faster. A run that never gets through joins it when it asks next."""

Line = Sequence[str]
"""Run ids in the order in which they first found no place."""


def claim(run_id: str, places: int) -> bool:
    """Takes a free place for the run if it is its turn, or keeps the one it has; says whether it has one."""
    bucket = config.variable(names.ENV_RUNS_BUCKET)
    keys = [names.turn_key(number) for number in range(1, places + 1)]
    found = {key: store.find_tagged(bucket, key) for key in keys}
    holders = {key: str(held[0]["run_id"]) for key, held in found.items() if held and held[0].get("run_id")}
    if run_id in holders.values():
        return True
    free = [key for key in keys if key not in holders or not is_running(holders[key])]
    # One that holds a place has not left the line yet.
    before = [other for other in _before(run_id) if other not in holders.values()]
    waiting = _waiting(before, len(free))
    if len(waiting) < len(free):
        for key in free:
            held = found[key]
            if store.replace(bucket, key, {"run_id": run_id, "since": now()}, held[1] if held else None):
                # All before it were asked about: who does not wait has ended, and nobody need ask again.
                _leave(run_id, *(set(before) - set(waiting)))
                return True
    _rewrite(lambda line: line if run_id in line else [*line, run_id])
    return False


def give_back(run_id: str) -> None:
    """Frees the run's place and takes it out of the line; a place that another run has taken meanwhile is left alone."""
    bucket = config.variable(names.ENV_RUNS_BUCKET)
    for key in list(store.keys(bucket, names.TURNS)):
        held = store.find_tagged(bucket, key)
        if held and held[0].get("run_id") == run_id:
            store.replace(bucket, key, {"run_id": None, "since": now()}, held[1])
    _leave(run_id)


def is_running(run_id: str) -> bool:
    """Whether the run's execution is under way."""
    arn = config.variable(names.ENV_STATE_MACHINE).replace(":stateMachine:", ":execution:", 1)
    try:
        return aws.states().describe_execution(executionArn=f"{arn}:{run_id}")["status"] == "RUNNING"
    except ClientError as error:
        if aws.code_of(error) == "ExecutionDoesNotExist":
            return False
        raise


def _before(run_id: str) -> Line:
    """Who stands before the run in the line: all of it, for one that is not in it."""
    line, _ = _read()
    return line[: line.index(run_id)] if run_id in line else line


def _waiting(line: Line, most: int) -> Line:
    """The first `most` of them that still run. Those further back are not asked about: a long line costs no calls."""
    found: list[str] = []
    for run_id in line:
        if len(found) == most:
            break
        found += [run_id] if is_running(run_id) else []
    return found


def _leave(*run_ids: str) -> None:
    _rewrite(lambda line: [other for other in line if other not in run_ids])


def _rewrite(change: Callable[[Line], Line]) -> None:
    for _ in _tries():
        line, tag = _read()
        changed = change(line)
        if changed == line or store.replace(config.variable(names.ENV_RUNS_BUCKET), names.TURN_LINE, {"waiting": changed}, tag):
            return


def _tries() -> Iterator[int]:
    for number in range(TRIES):
        time.sleep(random.uniform(0, 0.1 * number))
        yield number


def _read() -> tuple[Line, str | None]:
    found = store.find_tagged(config.variable(names.ENV_RUNS_BUCKET), names.TURN_LINE)
    return (list(found[0].get("waiting", [])), found[1]) if found else ([], None)
