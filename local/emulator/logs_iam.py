"""The resource IAM is asked about for CloudWatch Logs, where ministack leaves out the end that AWS asks for.

Tags belong to `log-group:<name>`; everything else is done to `log-group:<name>:*`, which is also what CloudFormation gives as a group's
ARN (CloudWatch Logs user guide, "Overview of managing access permissions", log group ARNs).
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions


def install() -> None:
    """Answer for CloudWatch Logs, and leave every other service to ministack."""
    upstream = iam_actions.extract_resource_arn

    def extract_resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
        found = upstream(service, method, path, headers, body, *rest)
        return whole_group(found, headers.get("x-amz-target", "").rpartition(".")[2]) if service == "logs" else found

    iam_actions.extract_resource_arn = extract_resource


def whole_group(arn: str, operation: str) -> str:
    """The ARN an operation on a log group is authorised for."""
    tags = operation in ("TagResource", "UntagResource", "ListTagsForResource")
    return arn if tags or ":log-group:" not in arn or arn.endswith(":*") else f"{arn}:*"
