"""JSON and JSON Lines in S3. Encryption is the bucket's default; no header is sent that a bucket policy could stumble over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from contracts import names
from contracts.run import Plan
from contracts.validation import structure

from pipeline import aws, config

LOST_RACE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
"""What a conditional write answers when somebody else was quicker."""


BODIES = 3
"""How often an object is asked for whose body breaks off: the SDK tries no answer again once its body has begun."""


class Missing(LookupError):
    """An object that should be there is not."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"s3://{bucket}/{key} does not exist, or the function may not list its prefix")
        self.bucket, self.key = bucket, key


def uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def read_bytes(bucket: str, key: str) -> bytes:
    """The object's content.

    Raises:
        Missing: if there is no such object. Without s3:ListBucket on the prefix S3 answers 403 instead of 404.
    """
    return _object(bucket, key)[0]


def _object(bucket: str, key: str) -> tuple[bytes, str]:
    """Content and ETag. Raises `Missing`."""
    for left in reversed(range(BODIES)):
        try:
            found = aws.s3().get_object(Bucket=bucket, Key=key)
            return found["Body"].read(), found["ETag"]
        except ClientError as error:
            if aws.code_of(error) in {"NoSuchKey", "404"}:
                raise Missing(bucket, key) from None
            raise
        except (HTTPClientError, IncompleteReadError):
            if not left:
                raise
    raise AssertionError("the last attempt gives or raises")


def find_bytes(bucket: str, key: str) -> bytes | None:
    """The object's content, or None when there is no object."""
    try:
        return read_bytes(bucket, key)
    except Missing:
        return None


def read_json(bucket: str, key: str) -> Any:
    """The object's JSON value. Raises `Missing`."""
    return json.loads(read_bytes(bucket, key))


def find_json(bucket: str, key: str) -> Any | None:
    """The object's JSON value, or None when there is no object."""
    try:
        return read_json(bucket, key)
    except Missing:
        return None


def write_bytes(bucket: str, key: str, body: bytes, kind: str = "application/json") -> None:
    aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, **_lock(key))


def write_json(bucket: str, key: str, value: object) -> None:
    write_bytes(bucket, key, encoded(value))


def write_once(bucket: str, key: str, value: object) -> bool:
    """Writes the object unless the key exists; says whether it wrote. Of two writers at once exactly one wins."""
    try:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=encoded(value), ContentType="application/json", IfNoneMatch="*", **_lock(key))
    except ClientError as error:
        if aws.code_of(error) in LOST_RACE:
            return False
        raise
    return True


def find_tagged(bucket: str, key: str) -> tuple[Any, str] | None:
    """The object's JSON value and its ETag, or None when there is no object."""
    try:
        body, tag = _object(bucket, key)
    except Missing:
        return None
    return json.loads(body), tag


def replace(bucket: str, key: str, value: object, tag: str | None) -> bool:
    """Writes the object if it still has the ETag, or still does not exist where `tag` is None; says whether it wrote."""
    if tag is None:
        return write_once(bucket, key, value)
    try:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=encoded(value), ContentType="application/json", IfMatch=tag)
    except ClientError as error:
        if aws.code_of(error) in LOST_RACE:
            return False
        raise
    return True


def _lock(key: str) -> dict[str, Any]:
    """Object Lock of a final record, where the environment's settings ask for it."""
    lock = os.environ.get(names.ENV_RECORD_LOCK, "")
    if not lock or not names.is_final_record(key):
        return {}
    mode, _, days = lock.partition(":")
    return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=int(days))}


def encoded(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()


def lines_of(body: bytes) -> Iterator[dict[str, Any]]:
    """The records of a JSON Lines file this project wrote."""
    for line in body.split(b"\n"):
        if line:
            yield json.loads(line)


def write_lines(bucket: str, key: str, records: Iterable[dict[str, Any]]) -> None:
    body = b"".join(line_of(record) for record in records)
    write_bytes(bucket, key, body, "application/jsonl")


def line_of(record: dict[str, Any]) -> bytes:
    """A record as one line: sorted keys and no spare spaces, so that equal records are equal bytes."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode() + b"\n"


def keys(bucket: str, prefix: str) -> Iterator[str]:
    for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"]


def delete(bucket: str, key: str) -> None:
    """Deletes the object; one that is already gone is no error."""
    aws.s3().delete_object(Bucket=bucket, Key=key)


def record(run_id: str, file: str) -> tuple[str, str]:
    """Bucket and key of a run's record, to be given to the functions above."""
    return config.variable(names.ENV_RUNS_BUCKET), names.record_key(run_id, file)


def plan_of(event: Mapping[str, Any]) -> Plan:
    """The plan a state handed on.

    Raises:
        InvalidInput: if it is not a plan.
    """
    return structure(_whole(event.get("plan")), Plan, "the state's plan")


def _whole(value: Any) -> Any:
    # A state machine's expressions may give 12000000 back as 1.2E7, which is no integer to a strict reader.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
