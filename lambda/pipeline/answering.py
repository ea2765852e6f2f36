"""Asks a model for its reply to many prompts at once, through Converse, patiently.

Temperature 0, so that base and candidate are compared on what they most likely say. Tools a record may carry are not offered: a
reply is one generated turn of text, as in training.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import attrs
from botocore.exceptions import BotoCoreError, ClientError
from contracts.errors import TransientFault

from pipeline import aws

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

WORKERS = 8
ATTEMPTS = 8
"""Of one prompt. With the waits below the last one comes after some two minutes, longer than a per-minute quota."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds. Each wait is drawn between zero and twice the last one's bound, so that eight workers do not come back together."""

_SYSTEM = ("system", "developer")


@attrs.frozen
class Reply:
    """What the model said, and why it stopped: ``end_turn``, ``max_tokens``, ``content_filtered`` …"""

    text: str
    stop_reason: str


def answer_all(model: str, prompts: Sequence[Sequence[Mapping[str, Any]]], *, max_tokens: int) -> list[Reply]:
    """The model's reply to each prompt, in order.

    Args:
        model: a model id, an inference profile or a deployment's ARN.
        prompts: turns of `{role, content}`.
        max_tokens: a reply's bound.

    Raises:
        TransientFault: if the service stays busy over every attempt.
        botocore.exceptions.ClientError: for an error that no further attempt can cure.
    """
    # A client may be used by many threads, but making one is not safe in two at once.
    client = aws.bedrock_runtime()
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(lambda turns: _answer(client, model, turns, max_tokens), prompts))


def conversation(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The `system` and `messages` arguments of Converse, which knows user and assistant only and wants them to alternate."""
    system = [{"text": turn["content"]} for turn in turns if turn["role"] in _SYSTEM]
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn["role"] in _SYSTEM:
            continue
        role = "assistant" if turn["role"] == "assistant" else "user"
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"].append({"text": turn["content"]})
        else:
            messages.append({"role": role, "content": [{"text": turn["content"]}]})
    return {"messages": messages, **({"system": system} if system else {})}


def text_of(content: Sequence[Mapping[str, Any]]) -> str:
    """The text blocks of a reply; reasoning blocks are not part of the answer."""
    return "\n".join(str(block["text"]) for block in content if "text" in block)


def patiently(
    call: Callable[[], Any], *, sleep: Callable[[float], None] = time.sleep, jitter: Callable[[float], float] | None = None
) -> Any:
    """The call's result, after up to `ATTEMPTS` attempts while the service is busy."""
    draw = jitter or (lambda bound: random.uniform(0, bound))
    bound = FIRST_WAIT
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            if not aws.is_transient(error):
                raise
            if attempt == ATTEMPTS:
                raise TransientFault(f"the model was busy {ATTEMPTS} times in a row: {type(error).__name__}") from None
        sleep(draw(bound))
        bound = min(2 * bound, LONGEST_WAIT)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _answer(client: BedrockRuntimeClient, model: str, turns: Sequence[Mapping[str, Any]], max_tokens: int) -> Reply:
    arguments = {**conversation(turns), "inferenceConfig": {"maxTokens": max_tokens, "temperature": 0.0}}
    answer = patiently(lambda: client.converse(modelId=model, **arguments))
    content = answer.get("output", {}).get("message", {}).get("content", [])
    return Reply(text_of(content), str(answer.get("stopReason", "")))
