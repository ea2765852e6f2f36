"""Calls the pinned reward version with the documented grader event and holds its answer to the contract.

Source: Bedrock user guide, reward-functions. One element per sample, ids echoed in order, a finite score; this project asks for 0 to 1.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts import names

from pipeline import aws

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

BATCH = 64
"""Samples in one call, graded in seconds."""

MAX_BYTES = 4_000_000
"""Bytes of samples in one call; a synchronous invocation carries 6 MB each way. A batch of long prompts is cut by this."""


MAX_AT_ONCE = 8
"""Calls at one time at the most; the client's pool holds twice as many connections."""


ATTEMPTS = 6
"""At a call that Lambda throttles, with waits of up to `FIRST_WAIT_SECONDS` times 2, 4, 8, 16 and 32 between them."""

FIRST_WAIT_SECONDS = 0.25


class Graded(NamedTuple):
    """What the reward function said of one sample: the score, and the parts it reported in `metrics_list` by name."""

    score: float
    components: Mapping[str, float]


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
    return [graded.score for graded in grade_parts(reward_arn, samples)]


def grade_parts(reward_arn: str, samples: Sequence[Mapping[str, Any]], *, batch: int = BATCH, at_once: int = 1) -> list[Graded]:
    """Score and components of each sample, in order.

    Args:
        reward_arn: of a published version.
        samples: elements of the grader event, with ids of their own.
        batch: samples in one call.
        at_once: calls at one time, 1 to `MAX_AT_ONCE`.

    Raises:
        GraderFault: if a call raised, or an answer breaks the contract.
        botocore.exceptions.ClientError: if the function could not be invoked.
    """
    batches = list(_batches(samples, batch))
    # Made here: two threads that first ask for a client at once would both build one.
    aws.functions()
    with ThreadPoolExecutor(max_workers=max(1, min(at_once, MAX_AT_ONCE))) as pool:
        answers = [pool.submit(_call, reward_arn, part) for part in batches]
        try:
            return [graded for answer in answers for graded in answer.result()]
        except BaseException:
            # A failed rehearsal is over: what has not been sent is not sent.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Batch(NamedTuple):
    ids: list[str]
    body: bytes


def _batches(samples: Sequence[Mapping[str, Any]], most: int) -> Iterator[_Batch]:
    ids: list[str] = []
    parts: list[bytes] = []
    for item in samples:
        part = json.dumps(item).encode()
        if parts and (len(parts) == most or sum(map(len, parts)) + len(part) > MAX_BYTES):
            yield _Batch(ids, b"[" + b",".join(parts) + b"]")
            ids, parts = [], []
        ids.append(str(item["id"]))
        parts.append(part)
    if parts:
        yield _Batch(ids, b"[" + b",".join(parts) + b"]")


def _call(reward_arn: str, batch: _Batch) -> list[Graded]:
    answer = _invoke(reward_arn, batch.body)
    body = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise GraderFault(f"the reward function raised {_error_type(body)} on a batch of {len(batch.ids)} samples")
    return parts_of(body, batch.ids)


def _invoke(reward_arn: str, body: bytes) -> InvocationResponseTypeDef:
    """One call. Only a throttled one is repeated: it did not run, so nothing is graded twice."""
    lambda_ = aws.functions()
    for attempt in range(1, ATTEMPTS):
        try:
            return lambda_.invoke(FunctionName=reward_arn, Payload=body)
        except lambda_.exceptions.TooManyRequestsException:
            # The calls it gives way to are a training job's as well, which fails when its own are refused too often.
            time.sleep(random.uniform(0, FIRST_WAIT_SECONDS * 2**attempt))
    return lambda_.invoke(FunctionName=reward_arn, Payload=body)


def scores_of(body: bytes, ids: Sequence[str]) -> list[float]:
    """The scores of a grader's answer. Raises `GraderFault` as `parts_of` does."""
    return [graded.score for graded in parts_of(body, ids)]


def parts_of(body: bytes, ids: Sequence[str]) -> list[Graded]:
    """Reads a grader's answer.

    Raises:
        GraderFault: naming the first rule it breaks.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise GraderFault("the reward function's answer is not JSON; allowed is a list with one element per sample") from None
    if not isinstance(answer, list):
        raise GraderFault(f"the reward function's answer is {type(answer).__name__}; allowed is a list with one element per sample")
    if len(answer) != len(ids):
        raise GraderFault(f"the reward function gave {len(answer)} elements for {len(ids)} samples; allowed is one for each")
    return [_graded(item, ident, number) for number, (item, ident) in enumerate(zip(answer, ids, strict=True), 1)]


def _graded(item: Any, ident: str, number: int) -> Graded:
    if not isinstance(item, Mapping) or item.get("id") != ident:
        raise GraderFault(
            f"element {number} of the reward function's answer has another id than sample {number}; allowed is the same order"
        )
    value = item.get("aggregate_reward_score")
    # Not a number is neither above 0 nor below 1, so the range finds it as well.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        shown = f"{value!r:.20}" if isinstance(value, int | float) else type(value).__name__
        raise GraderFault(f"element {number} of the reward function's answer has the score {shown}; allowed is a finite number from 0 to 1")
    return Graded(float(value), _components(item.get("metrics_list")))


def _components(listed: object) -> dict[str, float]:
    # Bedrock shows them and trains on none of them, so one of a wrong shape is passed over.
    found = [part for part in listed if isinstance(part, Mapping)] if isinstance(listed, list) else []
    return {
        str(part["name"]): float(part["value"]) for part in found if isinstance(part.get("name"), str) and _is_figure(part.get("value"))
    }


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def _error_type(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorType"])[:100]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "an unnamed error"
