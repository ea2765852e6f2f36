"""Reads and checks training and validation data as the service does: with the job's role, format before anything else.

A fault becomes a failed job whose message names the object, the role and the line; never a word of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from contracts.settings import MAX_PROMPTS, MIN_PROMPTS

from local.bedrock.errors import JobFailed
from local.bedrock.strategies import Reference, read_reference

ROLES = ("system", "developer", "user", "assistant", "tool")
WRITE_PROBE = ".write_access_check_file.tmp"
CHARS_PER_TOKEN = 4
"""The stand-in has no tokenizer; four characters a token is the usual estimate for English."""

_SHOWN_LINES = 3


class Record(NamedTuple):
    """One prompt: `messages` as given, everything else of the line as `metadata`."""

    messages: list[dict[str, Any]]
    metadata: dict[str, Any]
    reference: Reference
    tokens: int


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an S3 URI that the service model's pattern has accepted."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def check_output(s3: Any, uri: str, role: str) -> None:
    """Proves with the job's role that the output prefix can be listed and written, as the service does at the start.

    Raises:
        JobFailed: naming the location, the role and the permissions it needs.
    """
    bucket, prefix = split_uri(uri)
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    try:
        s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        s3.put_object(Bucket=bucket, Key=prefix + WRITE_PROBE, Body=b"")
    except (ClientError, BotoCoreError) as error:
        needed = "s3:ListBucket and s3:PutObject, and kms:GenerateDataKey and kms:Decrypt on the bucket's key"
        raise JobFailed(f"Could not write to output location {uri} with role {role} ({reason(error)}). Needed: {needed}.") from error


def read(s3: Any, uri: str, role: str, *, training: bool) -> list[Record]:
    """The records of one JSONL object.

    Args:
        s3: a client with the job's role.
        training: whether the limits on the number of prompts hold; validation data has none documented.

    Raises:
        JobFailed: the object cannot be read, has a broken line, or too few or too many prompts.
    """
    kind = "training" if training else "validation"
    records: list[Record] = []
    faults: list[str] = []
    for number, line in _lines(_fetch(s3, uri, role, kind)):
        problem, record = check_line(line)
        if record is not None:
            records.append(record)
        else:
            faults.append(f"line {number}: {problem}")
    if faults:
        more = f"; and {len(faults) - _SHOWN_LINES} more" if len(faults) > _SHOWN_LINES else ""
        raise JobFailed(f"The {kind} data at {uri} is not in the expected format. {'; '.join(faults[:_SHOWN_LINES])}{more}.")
    if training and not MIN_PROMPTS <= len(records) <= MAX_PROMPTS:
        raise JobFailed(f"The training data at {uri} holds {len(records)} prompts; allowed is {MIN_PROMPTS} to {MAX_PROMPTS}.")
    return records


def check_line(line: str) -> tuple[str, Record | None]:
    """What is wrong with a line, or the record it holds."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return "is not JSON", None
    if not isinstance(data, dict):
        return "is not a JSON object", None
    problem = _messages_problem(data.get("messages"))
    if problem:
        return problem, None
    reference = data.get("reference_answer")
    if reference is not None and not isinstance(reference, str | dict):
        return "reference_answer must be a string or an object", None
    metadata = {key: value for key, value in data.items() if key != "messages"}
    prompt = "\n".join(text_of(message["content"]) for message in data["messages"])
    return "", Record(data["messages"], metadata, read_reference(reference, prompt, metadata), -(-len(prompt) // CHARS_PER_TOKEN))


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts with `text`."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict)) if isinstance(content, list) else ""


def reason(error: Exception) -> str:
    """The service's error code, without the message: that may quote data."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _fetch(s3: Any, uri: str, role: str, kind: str) -> bytes:
    bucket, key = split_uri(uri)
    try:
        s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        needed = "s3:ListBucket and s3:GetObject, and kms:Decrypt on the bucket's key"
        raise JobFailed(f"Could not read {kind} data at {uri} with role {role} ({reason(error)}). Needed: {needed}.") from error
    try:
        body.decode()
    except UnicodeDecodeError:
        raise JobFailed(f"The {kind} data at {uri} is not UTF-8.") from None
    return body


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    # Only the newline ends a JSON line; str.splitlines would also break at U+2028, which JSON strings may hold.
    for number, line in enumerate(body.decode().split("\n"), start=1):
        if line.strip():
            yield number, line


def _messages_problem(messages: Any) -> str:
    if not isinstance(messages, list) or not messages:
        return "messages must be a list of at least one message"
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            return f"messages[{index}].role must be one of {', '.join(ROLES)}"
        if message["role"] in ("system", "developer") and index > 0:
            return f"messages[{index}] has the role system, which must come first"
        if not _is_text(message.get("content")):
            return f"messages[{index}].content must be text"
    if not any(message["role"] == "user" for message in messages):
        return "messages must hold a user turn"
    return ""


def _is_text(content: Any) -> bool:
    if isinstance(content, str):
        return bool(content.strip())
    parts = isinstance(content, list) and content and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in content)
    return bool(parts)
