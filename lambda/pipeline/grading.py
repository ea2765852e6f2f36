"""Calls the pinned reward version with the documented grader event and holds its answer to the contract.

Source: Bedrock user guide, reward-functions. One element per sample, ids echoed in order, a finite score; this project asks for 0 to 1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from contracts import names

from pipeline import aws

BATCH = 64
"""Samples in one call: well within the 6 MB a synchronous invocation carries, and graded in seconds."""


class GraderFault(RuntimeError):
    """The reward function failed or broke its contract. Never holds text of a sample."""


def sample(record: Mapping[str, Any], reply: str, *, ident: str, run_id: str, split: str) -> dict[str, Any]:
    """One element of the grader event, as Bedrock would send it: the prompt's turns, the reply, and the record's other keys."""
    extra = {key: value for key, value in record.items() if key not in {"messages", "id"}}
    metadata = {**extra, names.META_RUN_ID: run_id, names.META_SPLIT: split, names.META_RECORD_ID: record["id"]}
    return {"id": ident, "messages": [*record["messages"], {"role": "assistant", "content": reply}], "metadata": metadata}


def grade(reward_arn: str, samples: Sequence[Mapping[str, Any]]) -> list[float]:
    """The score of each sample, in order.

    Raises:
        GraderFault: if the function raised, or its answer breaks the contract.
        botocore.exceptions.ClientError: if it could not be invoked.
    """
    scores: list[float] = []
    for start in range(0, len(samples), BATCH):
        batch = samples[start : start + BATCH]
        answer = aws.functions().invoke(FunctionName=reward_arn, Payload=json.dumps(batch).encode())
        body = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise GraderFault(f"the reward function raised {_error_type(body)} on a batch of {len(batch)} samples")
        scores += scores_of(body, [str(item["id"]) for item in batch])
    return scores


def scores_of(body: bytes, ids: Sequence[str]) -> list[float]:
    """Reads a grader's answer.

    Raises:
        GraderFault: naming the first rule it breaks.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        raise GraderFault("the reward function's answer is not JSON; allowed is a list with one element per sample") from None
    if not isinstance(answer, list):
        raise GraderFault(f"the reward function's answer is {type(answer).__name__}; allowed is a list with one element per sample")
    if len(answer) != len(ids):
        raise GraderFault(f"the reward function gave {len(answer)} elements for {len(ids)} samples; allowed is one for each")
    return [_score(item, ident, number) for number, (item, ident) in enumerate(zip(answer, ids, strict=True), 1)]


def _score(item: Any, ident: str, number: int) -> float:
    if not isinstance(item, Mapping) or item.get("id") != ident:
        raise GraderFault(
            f"element {number} of the reward function's answer has another id than sample {number}; allowed is the same order"
        )
    value = item.get("aggregate_reward_score")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        shown = value if isinstance(value, int | float) else type(value).__name__
        raise GraderFault(f"element {number} of the reward function's answer has the score {shown}; allowed is a finite number from 0 to 1")
    return float(value)


def _error_type(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorType"])[:100]
    except (ValueError, KeyError, TypeError):
        return "an unnamed error"
