"""Asking a model: what Converse is given, and patience with a busy service."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from contracts.errors import InvalidInput, TransientFault
from contracts.run import EvaluationItem, Plan
from pipeline import answering
from pipeline.evaluate import model_of


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Converse")  # type: ignore[typeddict-item]


class Busy:
    """Fails with the given errors, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.waits = list(errors), [0.0][:0]

    def call(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def patiently(self) -> Any:
        return answering.patiently(self.call, sleep=self.waits.append, jitter=lambda bound: bound)


def test_a_busy_model_is_asked_again_after_growing_waits() -> None:
    busy = Busy(error("ThrottlingException"), error("ModelNotReadyException"), ReadTimeoutError(endpoint_url="x"))
    assert busy.patiently() == "answer"
    assert busy.waits == [1.0, 2.0, 4.0]


def test_patience_ends_and_then_the_state_machine_has_its_turn() -> None:
    busy = Busy(*[error("ThrottlingException")] * answering.ATTEMPTS)
    with pytest.raises(TransientFault, match="busy 8 times"):
        busy.patiently()
    assert busy.waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_an_error_that_waiting_cannot_cure_is_raised_at_once() -> None:
    busy = Busy(error("AccessDeniedException"))
    with pytest.raises(ClientError):
        busy.patiently()
    assert busy.waits == []


def test_a_conversation_alternates_and_its_system_turn_stands_apart() -> None:
    turns = [("system", "s"), ("user", "a"), ("tool", "b"), ("assistant", "c"), ("user", "d")]
    given = answering.conversation([{"role": role, "content": content} for role, content in turns])

    assert given["system"] == [{"text": "s"}]
    assert [turn["role"] for turn in given["messages"]] == ["user", "assistant", "user"]
    assert given["messages"][0]["content"] == [{"text": "a"}, {"text": "b"}]
    assert "system" not in answering.conversation([{"role": "user", "content": "a"}])


def test_reasoning_is_not_part_of_a_reply() -> None:
    content: list[dict[str, Any]] = [{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "#### 42"}]
    assert answering.text_of(content) == "#### 42"


def test_the_candidate_needs_its_deployment(house: Any, a_plan: Plan) -> None:
    base, candidate = (EvaluationItem(model=model, set="heldout", first=0, count=1) for model in ("base", "candidate"))
    assert model_of(a_plan, base, None) == "us.amazon.nova-2-lite-v1:0"
    assert model_of(a_plan, candidate, "arn") == "arn"
    with pytest.raises(InvalidInput, match="candidate with its deployment"):
        model_of(a_plan, candidate, None)
