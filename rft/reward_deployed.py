"""The deployed reward: which published version is meant, and the pipeline's own calls to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from contracts import names
from contracts.errors import InvalidInput
from pipeline import aws, prepare_run

from rft.exits import Exit, Failure

if TYPE_CHECKING:
    from rft.target import Target

CLIENTS = (aws.functions, aws.s3)


@contextmanager
def deployed(target: Target, version: str) -> Iterator[prepare_run.Reward]:
    """The published version of the reward function; within, `pipeline.grading` speaks to the target.

    Args:
        version: a version number, or ``live`` for the one the alias points at now.

    Raises:
        Failure: not found, when the environment or the version is not deployed there.
    """
    variables = {names.ENV_ENVIRONMENT: target.environment, names.ENV_REWARD_FUNCTION: _function(target)}
    _forget_clients()
    try:
        with target.as_process_environment(variables):
            yield _resolved(target, version)
    finally:
        _forget_clients()


def _resolved(target: Target, version: str) -> prepare_run.Reward:
    if version != names.REWARD_ALIAS and not (version.isascii() and version.isdigit() and not version.startswith("0")):
        raise Failure(
            f"--reward-version {version[:40]!r}: allowed is a version number, or live",
            hint="rft run show RUN names the version of a run",
            code=Exit.USAGE,
        )
    try:
        return prepare_run.reward_of(version)
    except InvalidInput as fault:
        raise Failure(
            "; ".join(fault.problems), where=target.place, hint="deploy first, or name a published version", code=Exit.NOT_FOUND
        ) from fault


def _function(target: Target) -> str:
    parameter = names.parameter(target.environment, names.PARAM_REWARD_FUNCTION)
    try:
        return str(target.ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    except ClientError as error:
        if aws.code_of(error) != "ParameterNotFound":
            raise
    raise Failure(
        f"environment {target.environment} is not deployed in {target.place}",
        where=f"SSM parameter {parameter}",
        hint="deploy it first; for a grader in this folder: rft reward rehearse --grader NAME --data FILE",
        code=Exit.NOT_FOUND,
    )


def _forget_clients() -> None:
    # They are made for one target and kept; the next may be another.
    for client in CLIENTS:
        client.cache_clear()
