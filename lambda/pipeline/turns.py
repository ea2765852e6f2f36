"""Places for jobs: at most `training.max_running` runs of an environment train at once, and each holds one of the places.

A place is an object that is written on condition only, so of two runs at once exactly one gets it. A holder whose execution is no longer
running lost it, however it ended.
"""

from __future__ import annotations

from botocore.exceptions import ClientError
from contracts import names

from pipeline import aws, config, store
from pipeline.task import now


def claim(run_id: str, places: int) -> bool:
    """Takes a free place for the run, or keeps the one it has; says whether it has one."""
    bucket = config.variable(names.ENV_RUNS_BUCKET)
    keys = [names.turn_key(number) for number in range(1, places + 1)]
    found = {key: store.find_tagged(bucket, key) for key in keys}
    if any(held and held[0].get("run_id") == run_id for held in found.values()):
        return True
    for key, held in found.items():
        holder = held[0].get("run_id") if held else None
        if holder and is_running(str(holder)):
            continue
        if store.replace(bucket, key, {"run_id": run_id, "since": now()}, held[1] if held else None):
            return True
    return False


def give_back(run_id: str) -> None:
    """Frees the run's place; one that another run has taken meanwhile is left alone."""
    bucket = config.variable(names.ENV_RUNS_BUCKET)
    for key in list(store.keys(bucket, names.TURNS)):
        held = store.find_tagged(bucket, key)
        if held and held[0].get("run_id") == run_id:
            store.replace(bucket, key, {"run_id": None, "since": now()}, held[1])


def is_running(run_id: str) -> bool:
    """Whether the run's execution is under way."""
    arn = config.variable(names.ENV_STATE_MACHINE).replace(":stateMachine:", ":execution:", 1)
    try:
        return aws.states().describe_execution(executionArn=f"{arn}:{run_id}")["status"] == "RUNNING"
    except ClientError as error:
        if aws.code_of(error) == "ExecutionDoesNotExist":
            return False
        raise
