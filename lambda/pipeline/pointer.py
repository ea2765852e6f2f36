"""The released-model pointer in Parameter Store: which model serves, and which one served before it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from contracts import names

from pipeline import aws, config


def read() -> dict[str, Any] | None:
    """The pointer, or None when nothing was released yet."""
    return read_versioned()[0]


def read_versioned() -> tuple[dict[str, Any] | None, int]:
    """The pointer and the number of its version; None and 0 when nothing was released yet."""
    try:
        found = aws.ssm().get_parameter(Name=_name())["Parameter"]
    except ClientError as error:
        if aws.code_of(error) == "ParameterNotFound":
            return None, 0
        raise
    return json.loads(found["Value"]), int(found["Version"])


def release_of(run_id: str) -> dict[str, Any] | None:
    """The pointer as a run's release wrote it, whether or not another release came after it; None when the run released nothing."""
    current, version = read_versioned()
    if current is None or current["run_id"] == run_id:
        return current
    own = [value for value in written_between(0, version) if value["run_id"] == run_id]
    return own[-1] if own else None


def write(value: dict[str, Any]) -> int:
    """Moves the pointer; gives the number of the version this made."""
    return int(aws.ssm().put_parameter(Name=_name(), Value=json.dumps(value, sort_keys=True), Type="String", Overwrite=True)["Version"])


def written_between(first: int, last: int) -> list[dict[str, Any]]:
    """The pointers of the versions between two, oldest first."""
    pages = aws.ssm().get_paginator("get_parameter_history").paginate(Name=_name())
    return [json.loads(found["Value"]) for page in pages for found in page["Parameters"] if first < found["Version"] < last]


def _name() -> str:
    return names.parameter(config.environment(), names.PARAM_RELEASED_MODEL)


def succeeding(current: dict[str, Any] | None, released: dict[str, Any]) -> dict[str, Any]:
    """The new pointer: `released` in front, the current one behind it, and nothing behind that."""
    before = None if current is None else {key: value for key, value in current.items() if key != "previous"}
    return {**released, "previous": before}


def deployments(value: dict[str, Any] | None) -> list[str]:
    """ARNs of the deployments the pointer needs: the released one and the one to roll back to."""
    entries = [value, (value or {}).get("previous")]
    return [str(entry["deployment_arn"]) for entry in entries if entry and entry.get("deployment_arn")]
