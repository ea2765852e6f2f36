"""Asks the judge model through Converse: patiently, within a deadline, counting what it takes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from reward.judging.answers import Unusable
from reward.judging.options import JudgeOptions
from reward.judging.usage import Usage

Answer = TypeVar("Answer")
Request = Mapping[str, Any]

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""Seconds. Before each further attempt a wait is drawn between zero and twice the last bound: full jitter, so that the calls of a
batch do not come back together."""

TRANSIENT = frozenset(
    {
        "ThrottlingException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ModelErrorException",
        "InternalServerException",
        "ServiceUnavailableException",
    }
)
"""Errors of Converse that a later attempt may not meet (API reference, Converse)."""

_OF_THE_REQUEST = "ValidationException"


class Unanswered(RuntimeError):
    """No attempt gave a usable verdict. The message names the last problem, never any text."""


class Unreachable(Unanswered):
    """It is not this sample: the judge may not or cannot be called at all, so no other sample will fare better."""


def connect(options: JudgeOptions) -> Any:
    """A client for the judge. Importing the SDK takes longer than all of the rule-based reward, so it waits until here."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    timeout = max(1.0, options.deadline_seconds)
    # One attempt: what is tried again, when and how often is decided below.
    retries: Any = {"mode": "standard", "total_max_attempts": 1}
    pool = options.concurrency
    return boto3.client(
        "bedrock-runtime", config=Config(connect_timeout=5, read_timeout=timeout, retries=retries, max_pool_connections=pool)
    )


class Asker:
    """Asks one model.

    Args:
        options: model, attempts, deadline.
        usage: where calls are counted.
        client: makes the `bedrock-runtime` client; called once, at the first question.
    """

    def __init__(self, options: JudgeOptions, usage: Usage, client: Callable[[JudgeOptions], Any] = connect) -> None:
        self._options = options
        self._usage = usage
        self._make = client
        self._client: Any = None

    def ready(self) -> None:
        """Makes the client. A client may be used by many threads, but making one is not safe in two at once."""
        if self._client is None:
            self._client = self._make(self._options)

    def ask(self, request: Request, read: Callable[[Mapping[str, Any]], Answer], *, until: float, halt: threading.Event) -> Answer:
        """The verdict that `read` finds in the model's answer.

        Args:
            request: Converse's arguments without the model.
            read: raises `Unusable` for an answer that is no verdict.
            until: `time.monotonic()` after which no attempt begins.
            halt: set when the answer is no longer wanted.

        Raises:
            Unreachable: if no request can succeed, whatever it holds.
            Unanswered: if no attempt succeeded in time.
        """
        until = min(until, time.monotonic() + self._options.deadline_seconds)
        bound = FIRST_WAIT
        problem = "there was no time left to ask"
        for attempt in range(self._options.attempts):
            if attempt:
                halt.wait(min(random.uniform(0, bound), max(0.0, until - time.monotonic())))
                bound = min(2 * bound, LONGEST_WAIT)
            if halt.is_set() or time.monotonic() >= until:
                break
            try:
                return self._once(request, read)
            except Unusable as fault:
                self._usage.failed()
                problem = str(fault)
                if fault.final:
                    break
            except Exception as error:
                self._usage.failed()
                problem = _named(error)
                if not _is_transient(error):
                    if problem == _OF_THE_REQUEST:
                        break
                    halt.set()
                    raise Unreachable(problem) from None
        raise Unanswered(problem)

    def _once(self, request: Request, read: Callable[[Mapping[str, Any]], Answer]) -> Answer:
        answer: Mapping[str, Any] | None = None
        started = time.perf_counter()
        try:
            answer = self._client.converse(modelId=self._options.model, **request)
        finally:
            self._usage.called((time.perf_counter() - started) * 1000, answer)
        return read(answer or {})


def _named(error: Exception) -> str:
    """The service's error code, without its message."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)[:60]


def _is_transient(error: Exception) -> bool:
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: PLC0415

    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _named(error) in TRANSIENT or status >= 500
    return isinstance(error, ConnectionError | HTTPClientError)
