"""AWS as the pipeline's steps see it while a test plays them: objects in memory, lists that hold what a test puts there."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from pipeline import aws


def fault(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class Services:
    """The clients of `pipeline.aws`, all of them this one object.

    Attributes:
        objects: bodies by bucket and key.
        listed: what a paginator gives, by operation: the pages.
        told: subjects of what was published to a topic, for people.
        job: what GetModelCustomizationJob answers; None says there is none.
        history: events of every execution, the newest first.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.listed: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.told: list[str] = []
        self.job: dict[str, Any] | None = None
        self.history: list[dict[str, Any]] = []

    def forget(self) -> None:
        """Nothing is stored, listed or told, and there is no job."""
        self.objects.clear()
        self.listed.clear()
        self.told.clear()
        self.history.clear()
        self.job = None

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for client in ("s3", "bedrock", "events", "functions", "kms", "logs", "sns", "ssm", "states", "sts"):
            patch.setattr(aws, client, lambda: self)

    # S3
    def get_object(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if (Bucket, Key) not in self.objects:
            raise fault("NoSuchKey", "GetObject")
        body = self.objects[Bucket, Key]
        return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": '"1"'}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        if IfNoneMatch and (Bucket, Key) in self.objects:
            raise fault("PreconditionFailed", "PutObject")
        self.objects[Bucket, Key] = Body
        return {}

    # Lists
    def get_paginator(self, operation: str) -> Paginator:
        return Paginator(self, operation)

    # EventBridge, SNS, KMS, Parameter Store, Step Functions
    def put_events(self, **_: Any) -> dict[str, Any]:
        return {"FailedEntryCount": 0}

    def publish(self, *, Subject: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.told.append(Subject)
        return {}

    def sign(self, *, KeyId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"KeyId": KeyId, "Signature": b"signature"}

    def get_parameter(self, **_: Any) -> dict[str, Any]:
        raise fault("ParameterNotFound", "GetParameter")

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        raise fault("ExecutionDoesNotExist", "DescribeExecution")

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        return {"events": self.history}

    # Bedrock
    def get_model_customization_job(self, **_: Any) -> dict[str, Any]:
        if self.job is None:
            raise fault("ResourceNotFoundException", "GetModelCustomizationJob")
        return self.job

    def stop_model_customization_job(self, **_: Any) -> dict[str, Any]:
        return {}


class Paginator:
    """Gives the pages a test put there, and S3's listing of what is stored."""

    def __init__(self, services: Services, operation: str) -> None:
        self._services, self._operation = services, operation

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        if self._operation == "list_objects_v2":
            held = [key for bucket, key in self._services.objects if bucket == asked["Bucket"] and key.startswith(asked["Prefix"])]
            yield {"Contents": [{"Key": key} for key in held]}
        yield from self._services.listed[self._operation]
