"""A Converse client for tests of the judge: answers as it is told and keeps what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from reward.contract import Sample
from reward.graders import judge as grader_module
from reward.judging.judge import Judge
from reward.judging.options import read

Answer = dict[str, Any] | Exception
DEFAULTS: dict[str, Any] = dict(grader_module.grader.__kwdefaults__ or {})


class FakeConverse:
    """Args: reply: the answer to a request; together: requests that must be under way before any of them is answered."""

    def __init__(self, reply: Callable[[dict[str, Any]], Answer], together: int = 1) -> None:
        self.reply = reply
        self.meet(together)
        self.asked: list[dict[str, Any]] = []
        self.under_way = 0
        self.most = 0
        self._lock = threading.Lock()

    def meet(self, together: int) -> None:
        # A busy machine may start threads late, so they wait for each other and not for a clock.
        self._met = threading.Barrier(together, timeout=120)

    def converse(self, **request: Any) -> dict[str, Any]:
        with self._lock:
            self.asked.append(request)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            self._met.wait()
            answer = self.reply(request)
        finally:
            with self._lock:
                self.under_way -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "canary-periwinkle"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Converse")


def used(content: Any, name: str = "record_scores", **more: Any) -> dict[str, Any]:
    """The answer of a model that called the tool."""
    block = {"toolUse": {"toolUseId": "t", "name": name, "input": content}}
    answer = {"output": {"message": {"role": "assistant", "content": [block]}}, "stopReason": "tool_use"}
    return {**answer, "usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110}, **more}


def said(text: str, **more: Any) -> dict[str, Any]:
    """The answer of a model that wrote text."""
    answer = {"output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": "end_turn"}
    return {**answer, "usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110}, **more}


def levels(score: int, names: tuple[str, ...] = ("follows", "correct", "nothing_extra")) -> dict[str, Any]:
    """The same score on each criterion."""
    return {name: {"score": score} for name in names}


def judge(client: FakeConverse, **options: Any) -> Judge:
    return Judge(read(**{**DEFAULTS, **options}), client=lambda _options: client)


def sample(
    response: str = "Paris.", *, reference: object = "Paris", ident: str = "1", prompt: str = "Capital of France?", **meta: Any
) -> Sample:
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
    return Sample(ident, response, reference, messages, {"reference_answer": reference, **meta})
