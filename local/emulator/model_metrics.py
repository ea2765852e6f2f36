"""What Bedrock publishes of each request to a model: `AWS/Bedrock` metrics by `ModelId`, which for a deployment is its ARN.

Names and units: Amazon Bedrock user guide, monitoring-runtime-metrics. A request for a model that does not exist is not counted.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from ministack.services import cloudwatch

from local.emulator import alarms

_PATH = re.compile(r"/model/(?P<model>.+)/(?:converse|invoke)")
_NAMESPACE = "AWS/Bedrock"


def record(path: str, answer: tuple[int, dict[str, str], bytes], seconds: float) -> None:
    """Count a request that was just answered."""
    found = _PATH.fullmatch(unquote(path))
    status, _, content = answer
    if found is None or status == 404:
        return
    for name, value, unit in _values(status, content, seconds):
        cloudwatch.record_metric(_NAMESPACE, name, value, unit, {"ModelId": found["model"]})
    alarms.wake()


def _values(status: int, content: bytes, seconds: float) -> list[tuple[str, float, str]]:
    # A throttled request is neither an invocation nor an error.
    if status == 429:
        return [("InvocationThrottles", 1, "Count")]
    if status >= 400:
        return [("InvocationServerErrors" if status >= 500 else "InvocationClientErrors", 1, "Count")]
    usage: dict[str, Any] = json.loads(content).get("usage", {})
    return [
        ("Invocations", 1, "Count"),
        ("InvocationLatency", seconds * 1000, "Milliseconds"),
        ("InputTokenCount", float(usage.get("inputTokens", 0)), "Count"),
        ("OutputTokenCount", float(usage.get("outputTokens", 0)), "Count"),
    ]
