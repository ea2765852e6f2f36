"""The function Bedrock calls to grade responses."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from time import perf_counter
from typing import Any

from contracts import names
from contracts.errors import InvalidInput

from reward import batches, contract, graders, grading, telemetry

DEFAULT_GRADER = "math"
UNKNOWN_ENVIRONMENT = "unknown"


def handler(event: object, _context: object = None) -> list[dict[str, Any]]:
    """Grades a batch of responses with the grader named in the environment variables.

    Args:
        event: what Bedrock sends; every variation that `reward.contract` reads.

    Returns:
        One element per sample, in the order received: ``{"id", "aggregate_reward_score", "metrics_list"}``.

    Raises:
        InvalidInput: if the event is unusable as a whole, or the settings name no grader. Bedrock retries, then fails the job.
    """
    started = perf_counter()
    environment = os.environ.get(names.ENV_ENVIRONMENT) or UNKNOWN_ENVIRONMENT
    grade = configured(os.environ.get(names.ENV_GRADER) or DEFAULT_GRADER, os.environ.get(names.ENV_GRADER_OPTIONS) or "{}")
    try:
        items = contract.items(event)
    except InvalidInput:
        telemetry.report_unusable(environment=environment)
        raise
    try:
        graded = grading.grade_all(items, grade)
    except batches.BatchFailed:
        telemetry.report_unusable(environment=environment)
        raise
    finally:
        batches.report_usage(grade, items, environment=environment)
    telemetry.report(graded, environment=environment, milliseconds=(perf_counter() - started) * 1000)
    return graded.results


@lru_cache(maxsize=8)
def configured(name: str, options: str) -> graders.Grade:
    """The grader that the two environment variables describe.

    Args:
        name: one of `graders.known()`.
        options: a JSON object of the grader's options.

    Raises:
        InvalidInput: naming what is allowed.
    """
    try:
        parsed = json.loads(options)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise InvalidInput(names.ENV_GRADER_OPTIONS, ["is no JSON object; allowed is one of the grader's options and their values"])
    return graders.build(name, parsed)
