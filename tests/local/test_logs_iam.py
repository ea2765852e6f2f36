"""What IAM is asked about for CloudWatch Logs: the ARN that CloudFormation gives for a group, and the bare one for its tags."""

from __future__ import annotations

import pytest

from local.emulator.logs_iam import whole_group

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/reward"


@pytest.mark.parametrize(
    ("arn", "operation", "asked"),
    [
        (GROUP, "FilterLogEvents", f"{GROUP}:*"),
        (f"{GROUP}:*", "GetLogEvents", f"{GROUP}:*"),
        (GROUP, "ListTagsForResource", GROUP),
        ("*", "DescribeLogGroups", "*"),
    ],
)
def test_the_resource_of_an_operation(arn: str, operation: str, asked: str) -> None:
    assert whole_group(arn, operation) == asked
