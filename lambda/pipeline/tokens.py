"""Answers task tokens. A token that is gone was answered by someone else or timed out: both are what the run expects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from pipeline import aws

JOB, SPEND, CONTINUE, RELEASE = "job", "spend", "continue", "release"
"""What a waiting state waits for; the name of its token's file."""

GONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""What Step Functions says of a token that nobody waits for."""


def succeed(token: str, output: Mapping[str, Any]) -> bool:
    """Ends the waiting state; says whether this call did it."""
    try:
        aws.states().send_task_success(taskToken=token, output=json.dumps(output))
    except ClientError as error:
        if aws.code_of(error) in GONE:
            return False
        raise
    return True
