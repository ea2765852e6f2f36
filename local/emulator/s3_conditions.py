"""Condition keys of S3 writes that ministack does not put into the request's context: which key, and whose."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

_HEADERS = ("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm")


def install() -> None:
    """Add them, so that a bucket policy that refuses other keys refuses them here too."""
    upstream = iam_actions._s3_object_context

    def object_context(action: str, query: dict[str, Any], path: str, headers: dict[str, str]) -> dict[str, Any]:
        found = dict(upstream(action, query, path, headers))
        if action == "s3:PutObject":
            found.update({f"s3:{name}": headers[name] for name in _HEADERS if headers.get(name)})
        return found

    iam_actions._s3_object_context = object_context
