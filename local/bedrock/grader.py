"""Has responses scored by the deployed reward function, with the documented event, as the job's role."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from local.bedrock.data import Record, reason
from local.bedrock.errors import JobFailed, ShuttingDown

BATCH = 64
"""Samples per call. Bedrock's figure is not documented; SageMaker's `lambda_batch_size` defaults to 64."""
BATCH_BYTES = 5_000_000
"""A synchronous Lambda call takes 6 MB; this leaves room."""
CONCURRENCY = 4
RETRIES = 3
"""Failed calls are repeated with exponential back-off, then the job fails (AWS blog on reward functions)."""

_REFUSED = ("AccessDeniedException", "AccessDenied", "ResourceNotFoundException", "InvalidParameterValueException")


class Response(NamedTuple):
    """One generated response to be scored."""

    id: str
    record: Record
    text: str


class Grader:
    """Calls one reward function.

    Args:
        client: gives a Lambda client with the job's role; asked anew for each call, so that credentials can be renewed.
        function: ARN from the job's request.
        halt: set when the local cloud goes down.
        backoff: seconds before the first retry; doubles with each.
    """

    def __init__(self, client: Callable[[], Any], function: str, role: str, *, halt: threading.Event, backoff: float = 0.5) -> None:
        self.client = client
        self.function = function
        self.role = role
        self.halt = halt
        self.backoff = backoff
        self.pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="reward")

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)

    def scores(self, responses: Sequence[Response]) -> dict[str, float]:
        """The score of every response, by id.

        Raises:
            JobFailed: the function failed after all retries, or answered something that is not the documented shape.
        """
        scored: dict[str, float] = {}
        for part in self.pool.map(self._call, _batches(responses)):
            scored.update(part)
        return scored

    def _call(self, batch: list[dict[str, Any]]) -> dict[str, float]:
        fault = ""
        for attempt in range(RETRIES + 1):
            if attempt and self.halt.wait(self.backoff * 2 ** (attempt - 1)):
                raise ShuttingDown
            try:
                answer = self.client().invoke(
                    FunctionName=self.function, InvocationType="RequestResponse", Payload=json.dumps(batch).encode()
                )
                payload = answer["Payload"].read()
            except ClientError as error:
                fault = reason(error)
                if fault in _REFUSED:
                    break
                continue
            except BotoCoreError as error:
                fault = type(error).__name__
                continue
            if not answer.get("FunctionError"):
                return self._check(payload, [item["id"] for item in batch])
            fault = f"the function ended with an error ({_error_type(payload)})"
        advice = f"Check that role {self.role} may call lambda:InvokeFunction on it, and the function's log, time-out and concurrency."
        raise JobFailed(
            f"The reward function {self.function} could not score a batch of {len(batch)} after {attempt + 1} calls: {fault}. {advice}"
        )

    def _check(self, payload: bytes, ids: list[str]) -> dict[str, float]:
        try:
            items = json.loads(payload)
        except ValueError:
            items = None
        if not isinstance(items, list):
            raise self._bad("it must be a JSON array with one element per sample")
        scores: dict[str, float] = {}
        for item in items:
            identity = item.get("id") if isinstance(item, dict) else None
            score = item.get("aggregate_reward_score") if isinstance(item, dict) else None
            if not isinstance(identity, str) or identity in scores:
                raise self._bad("each element must have the id of one sample, once")
            if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
                raise self._bad("aggregate_reward_score must be a finite number")
            scores[identity] = float(score)
        if set(scores) != set(ids):
            raise self._bad(f"its ids must be those of the {len(ids)} samples sent; {len(set(ids) - set(scores))} are missing")
        return scores

    def _bad(self, rule: str) -> JobFailed:
        return JobFailed(f"The answer of the reward function {self.function} is not usable: {rule}.")


def _batches(responses: Sequence[Response]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for response in responses:
        messages = [*response.record.messages, {"role": "assistant", "content": response.text}]
        item = {"id": response.id, "messages": messages, "metadata": response.record.metadata}
        weight = len(json.dumps(item))
        if batch and (len(batch) == BATCH or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch


def _error_type(payload: bytes) -> str:
    # Only the type of the error: its message may quote a sample.
    try:
        kind = json.loads(payload)["errorType"]
        return kind if isinstance(kind, str) and len(kind) <= 100 else "unknown"
    except (ValueError, KeyError, TypeError):
        return "unknown"
