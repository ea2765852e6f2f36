"""Every variation of the event a grader may be sent, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contracts.errors import InvalidInput
from reward.contract import MAX_SAMPLES
from reward.handler import handler

PROMPT = {"role": "user", "content": "6 x 7?"}
ANSWER = {"role": "assistant", "content": "#### 42"}


def sample(**changes: Any) -> dict[str, Any]:
    return {"id": "r-1", "messages": [PROMPT, ANSWER], "metadata": {"reference_answer": "42"}} | changes


def score_of(item: object) -> float:
    return scores_of([item])[0]


def scores_of(event: object) -> list[float]:
    return [result["aggregate_reward_score"] for result in handler(event)]


def test_the_documented_event_gets_the_documented_answer() -> None:
    assert handler([sample(), sample(id="r-2", messages=[PROMPT, {"role": "assistant", "content": "#### 41"}])]) == [
        {
            "id": "r-1",
            "aggregate_reward_score": 1.0,
            "metrics_list": [
                {"name": "correct", "value": 1.0, "type": "Reward"},
                {"name": "answered", "value": 1.0, "type": "Metric"},
            ],
        },
        {
            "id": "r-2",
            "aggregate_reward_score": 0.0,
            "metrics_list": [
                {"name": "correct", "value": 0.0, "type": "Reward"},
                {"name": "answered", "value": 1.0, "type": "Metric"},
            ],
        },
    ]


def with_content(content: object) -> dict[str, Any]:
    return sample(messages=[PROMPT, {"role": "assistant", "content": content}])


RIGHT = {
    "reference at the top level": {"id": "r", "messages": [PROMPT, ANSWER], "reference_answer": "42"},
    "reference at the top level beside other metadata": sample(metadata={"tier": "easy"}, reference_answer="42"),
    "reference null in metadata": sample(metadata={"reference_answer": None}, reference_answer="42"),
    "metadata null": sample(metadata=None, reference_answer="42"),
    "metadata of the wrong type": sample(metadata="easy", reference_answer="42"),
    "reference as an object with text": sample(metadata={"reference_answer": {"text": "42"}}),
    "reference as an object": sample(metadata={"reference_answer": {"answer": "42", "steps": []}}),
    "reference as a number": sample(metadata={"reference_answer": 42}),
    "worked reference": sample(metadata={"reference_answer": "6*7=<<6*7=42>>42\n#### 42"}),
    "Nova's role": sample(messages=[PROMPT, {"role": "nova_assistant", "content": "#### 42"}]),
    "content as parts": with_content([{"type": "text", "text": "#### 42"}]),
    "content as parts without type": with_content([{"text": "#### 42"}]),
    "content as one part": with_content({"type": "text", "text": "#### 42"}),
    "content as strings": with_content(["so:", "#### 42"]),
    "reasoning part first": with_content([{"type": "reasoning", "text": "#### 41"}, {"type": "text", "text": "#### 42"}]),
    "reasoning part last": with_content([{"type": "text", "text": "#### 42"}, {"type": "thinking", "text": "#### 41"}]),
    "reasoning content of Converse": with_content([{"reasoningContent": {"reasoningText": {"text": "#### 41"}}}, {"text": "#### 42"}]),
    "parts end their lines": with_content([{"type": "text", "text": "#### 42"}, {"type": "text", "text": "0 doubts."}]),
    "reasoning block in the text": with_content("<think>\n#### 41\n</think>\n#### 42"),
    "several turns": sample(messages=[PROMPT, {"role": "assistant", "content": "#### 41"}, PROMPT, ANSWER]),
    "extra keys": sample(extra={"deep": [1, {"er": None}]}, torch_dtype="bf16"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_every_variation_of_a_sample_is_read(name: str) -> None:
    assert score_of(RIGHT[name]) == 1.0


def test_a_list_a_wrapper_and_a_single_sample_are_all_events() -> None:
    assert scores_of([sample()]) == scores_of({"trajectories": [sample()]}) == scores_of(sample()) == [1.0]


BAD = {
    "null": None,
    "number": 7,
    "string": "#### 42",
    "list": [sample()],
    "empty object": {},
    "no messages": {"id": "r", "metadata": {"reference_answer": "42"}},
    "empty messages": sample(messages=[]),
    "messages of the wrong type": sample(messages="#### 42"),
    "messages as an object": sample(messages={"role": "assistant", "content": "#### 42"}),
    "last message null": sample(messages=[PROMPT, None]),
    "last message a string": sample(messages=["#### 42"]),
    "last turn is the user's": sample(messages=[PROMPT]),
    "no role": sample(messages=[{"content": "#### 42"}]),
    "role of the wrong type": sample(messages=[{"role": ["assistant"], "content": "#### 42"}]),
    "content a number": with_content(42),
    "content not a number": with_content(float("nan")),
    "content a boolean": with_content(True),
    "no reference": sample(metadata={}),
    "reference not a number": sample(metadata={"reference_answer": float("nan")}),
    "content null": with_content(None),
    "no content": sample(messages=[PROMPT, {"role": "assistant"}]),
    "no text part": with_content([{"type": "image", "text": "#### 42"}, {"type": 7, "text": "#### 42"}, {"text": 42}, None]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_sample_scores_zero_and_its_neighbours_are_graded(name: str) -> None:
    assert scores_of([sample(), BAD[name], sample(id="r-3")]) == [1.0, 0.0, 1.0]


UNUSABLE: dict[str, Any] = {
    "null": None,
    "string": "[]",
    "number": 7,
    "boolean": True,
    "empty list": [],
    "empty object": {},
    "object without samples": {"statusCode": 200, "body": "[]"},
    "empty wrapper": {"trajectories": []},
    "wrapper of the wrong type": {"trajectories": {"id": "r"}},
    "null wrapper": {"trajectories": None},
    "too many": [None] * (MAX_SAMPLES + 1),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_event_is_refused_and_the_error_says_what_is_allowed(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^grader event: .*allowed"):
        handler(UNUSABLE[name])


def test_the_largest_event_is_graded() -> None:
    assert scores_of([sample()] * MAX_SAMPLES) == [1.0] * MAX_SAMPLES


def test_ids_come_back_as_they_were_in_the_same_order() -> None:
    items = [sample(id="b"), sample(id="a"), sample(id="b"), sample(id=""), sample(id=7), {"id": "broken"}, sample(id="\ud800 \u0000")]
    assert [result["id"] for result in handler(items)] == ["b", "a", "b", "", 7, "broken", "\ud800 \u0000"]


def test_a_missing_id_falls_back_to_the_task_id_and_then_to_the_position() -> None:
    without = {key: value for key, value in sample().items() if key != "id"}
    items = [without | {"task_id": "t-1"}, without, sample(id=None, task_id="t-2"), sample(id=["x"]), sample(id=True), None]
    assert [result["id"] for result in handler(items)] == ["t-1", "sample-1", "t-2", "sample-3", "sample-4", "sample-5"]


def test_a_deeply_nested_sample_is_survived() -> None:
    deep: Any = "42"
    for _ in range(100_000):
        deep = {"text": deep}
    items = [sample(metadata={"reference_answer": deep}), sample(metadata=deep, extra=deep), with_content(deep), sample(id=deep), sample()]
    assert scores_of(items) == [0.0, 0.0, 0.0, 1.0, 1.0]
    while isinstance(deep, dict):  # taken apart from the outside, as freeing it whole would recurse
        deep = deep["text"]


def test_an_id_no_json_can_hold_does_not_cost_the_batch() -> None:
    results = handler([sample(id=10**5000), sample(id=10**60)])
    assert [result["id"] for result in results] == ["sample-0", 10**60]
    json.dumps(results)
