"""The released-model pointer in Parameter Store: which model serves, and which one served before it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from contracts import names

from pipeline import aws, config


def read() -> dict[str, Any] | None:
    """The pointer, or None when nothing was released yet."""
    try:
        found = aws.ssm().get_parameter(Name=names.parameter(config.environment(), names.PARAM_RELEASED_MODEL))
    except ClientError as error:
        if aws.code_of(error) == "ParameterNotFound":
            return None
        raise
    value: dict[str, Any] = json.loads(found["Parameter"]["Value"])
    return value


def write(value: dict[str, Any]) -> None:
    aws.ssm().put_parameter(
        Name=names.parameter(config.environment(), names.PARAM_RELEASED_MODEL),
        Value=json.dumps(value, sort_keys=True),
        Type="String",
        Overwrite=True,
    )


def succeeding(current: dict[str, Any] | None, released: dict[str, Any]) -> dict[str, Any]:
    """The new pointer: `released` in front, the current one behind it, and nothing behind that."""
    before = None if current is None else {key: value for key, value in current.items() if key != "previous"}
    return {**released, "previous": before}


def deployments(value: dict[str, Any] | None) -> list[str]:
    """ARNs of the deployments the pointer needs: the released one and the one to roll back to."""
    entries = [value, (value or {}).get("previous")]
    return [str(entry["deployment_arn"]) for entry in entries if entry and entry.get("deployment_arn")]
