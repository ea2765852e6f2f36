"""Which namespace IAM is asked about when metrics are put, however it is written."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from local.emulator.cloudwatch_iam import namespace

PUT = {"Namespace": "RFT", "MetricData": [{"MetricName": "ReleasedDown", "Value": 0.0}]}


@pytest.mark.parametrize(
    ("body", "parameters", "found"),
    [
        (gzip.compress(json.dumps(PUT).encode()), {}, "RFT"),
        (json.dumps(PUT).encode(), {}, "RFT"),
        (b"Action=PutMetricData&Namespace=RFT", {"Action": ["PutMetricData"], "Namespace": ["RFT"]}, "RFT"),
        (b"", {}, ""),
        (b"\xff\xff", {}, ""),
    ],
    ids=["compressed", "json", "form", "empty", "broken"],
)
def test_the_namespace_of_a_request(body: bytes, parameters: dict[str, Any], found: str) -> None:
    assert namespace(body, parameters) == found
