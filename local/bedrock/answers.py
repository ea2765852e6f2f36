"""Finds the record behind a prompt, so that a served model can answer it.

A language model would work the answer out; the stand-in looks it up in the datasets that lie in the account's buckets, and its
policy decides what it makes of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from contracts import names

from local.bedrock.data import Record, check_line, text_of
from local.bedrock.ports import Cloud

LOG = logging.getLogger("rft.bedrock")

PREFIXES = (names.DATASETS, names.STAGED)
REFRESH_SECONDS = 1.0


def prompt_key(turns: Sequence[tuple[str, str]]) -> str:
    """Hash of a prompt's turns (role, text); a developer turn counts as system, and blanks around a text do not count."""
    clean = [["system" if role == "developer" else role, text.strip()] for role, text in turns]
    return hashlib.sha256(json.dumps(clean).encode()).hexdigest()


class Answers:
    """Records of one account and Region by prompt; reads the buckets again when a prompt is not known."""

    def __init__(self, cloud: Cloud, account: str, region: str) -> None:
        self.cloud = cloud
        self.account = account
        self.region = region
        self._lock = threading.Lock()
        self._by_prompt: dict[str, Record] = {}
        self._seen: set[tuple[str, str, str]] = set()
        self._read_at = float("-inf")

    def find(self, turns: Sequence[tuple[str, str]]) -> Record | None:
        """The record with this prompt, or failing that with this last user turn."""
        keys = [prompt_key(turns)]
        last = next((text for role, text in reversed(turns) if role == "user"), None)
        if last is not None:
            keys.append(prompt_key([("user", last)]))
        with self._lock:
            found = self._known(keys)
            if found is None and time.monotonic() - self._read_at >= REFRESH_SECONDS:
                self._refresh()
                self._read_at = time.monotonic()
                found = self._known(keys)
        return found

    def _known(self, keys: Sequence[str]) -> Record | None:
        return next((self._by_prompt[key] for key in keys if key in self._by_prompt), None)

    def _refresh(self) -> None:
        s3 = self.cloud.client("s3", account=self.account, region=self.region)
        try:
            buckets = [bucket["Name"] for bucket in s3.list_buckets().get("Buckets", [])]
        except (ClientError, BotoCoreError) as error:
            LOG.warning("the buckets of %s cannot be listed (%s)", self.account, type(error).__name__)
            return
        for bucket in buckets:
            for prefix in PREFIXES:
                self._read_prefix(s3, bucket, prefix)

    def _read_prefix(self, s3: Any, bucket: str, prefix: str) -> None:
        token: dict[str, str] = {}
        while True:
            try:
                page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, **token)
                for item in page.get("Contents", []):
                    mark = (bucket, item["Key"], item["ETag"])
                    if item["Key"].endswith(".jsonl") and mark not in self._seen:
                        self._add(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                        self._seen.add(mark)
            except (ClientError, BotoCoreError) as error:
                LOG.warning("s3://%s/%s cannot be read (%s)", bucket, prefix, type(error).__name__)
                return
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _add(self, body: bytes) -> None:
        for line in body.decode(errors="replace").split("\n"):
            record = check_line(line)[1] if line.strip() else None
            if record is None:
                continue
            turns = [(str(message["role"]), text_of(message["content"])) for message in record.messages]
            self._by_prompt[prompt_key(turns)] = record
            last = next(text for role, text in reversed(turns) if role == "user")
            self._by_prompt.setdefault(prompt_key([("user", last)]), record)
