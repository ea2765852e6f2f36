"""What one line of an upload may be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline.dataset_rules import INSTRUCTION, BadRecord, prompt_hash, record_of

PROMPT = [{"role": "user", "content": "What is 40 + 2?"}]


def line(**changes: Any) -> bytes:
    record = {"messages": PROMPT, "reference_answer": "#### 42", **changes}
    return json.dumps({key: value for key, value in record.items() if value is not None}).encode()


def faults_of(raw: bytes) -> str:
    with pytest.raises(BadRecord) as bad:
        record_of(raw)
    return str(bad.value)


def test_a_gsm8k_line_becomes_a_prompt_that_asks_for_the_marker() -> None:
    record = record_of(json.dumps({"question": "What is 40 + 2?", "answer": "40+2=42\n#### 42", "level": 1}).encode())

    assert record.fields["messages"] == [{"role": "user", "content": f"What is 40 + 2? {INSTRUCTION}"}]
    assert record.fields["reference_answer"] == "40+2=42\n#### 42"
    assert record.fields["level"] == 1, "other keys are kept: they come back in the grader event's metadata"
    assert "question" not in record.fields


def test_a_registered_line_uploaded_again_is_the_same_record() -> None:
    once = record_of(line(tier="easy", id="mine"))
    again = record_of(json.dumps(once.fields).encode())

    assert once.fields["source_id"] == "mine"
    assert again.fields == once.fields


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b'{"messages": [', "is not JSON at character"),
        (b"[1, 2]", "is a list; allowed is a JSON object"),
        (b'{"prompt": "x"}', "unknown form"),
        (b'{"messages": [], "messages": []}', "same key twice"),
        (b"\xff\xfe{", "is not UTF-8 from byte 1"),
        (b'{"messages": 1e999, "reference_answer": "1"}', "out of range"),
        (b'{"messages": NaN, "reference_answer": "1"}', "not JSON"),
        (b'{"messages": ' + b"9" * 5000 + b', "reference_answer": "1"}', "out of range"),
        (b"[" * 100_000, "nested too deeply"),
        (line(messages="text"), "messages is text"),
        (line(messages=[]), "messages is an empty list"),
        (line(messages=["hello"]), "turn 1 is text"),
        (line(messages=[{"role": "king", "content": "x"}]), "turn 1 has no allowed role"),
        (line(messages=[{"role": ["user"], "content": "x"}]), "turn 1 has no allowed role"),
        (line(messages=[{"role": "user", "content": ["x"]}]), "turn 1 has content that is a list"),
        (line(messages=[{"role": "user", "content": "  "}]), "turn 1 has content that is empty text"),
        (line(messages=[{"role": "system", "content": "x"}]), "no user turn"),
        (line(messages=[*PROMPT, {"role": "assistant", "content": "42"}]), "the last turn is the assistant's"),
        (line(messages=[*PROMPT, {"role": "system", "content": "x"}]), "a system turn is not the first"),
        (line(reference_answer=None), "reference_answer is missing"),
        (line(reference_answer=" "), "reference_answer is empty text"),
        (line(reference_answer={}), "reference_answer is an empty object"),
        (line(reference_answer=42), "reference_answer is a number"),
        (line(rft_run_id="another run"), "starts with rft_"),
        (line(id=7), "id is a number"),
        (line(tools=[{"type": "function"}]), "tools is not a list"),
        (line(tools=[{"type": "function", "function": {"name": "add"}}] * 2), "two tools have the same name"),
        (b'{"question": "", "answer": 3}', "question is empty text"),
        (b'{"question": "q", "answer": "a", "reference_answer": "b"}', "answer and reference_answer"),
    ],
)
def test_a_bad_line_is_refused_with_its_fault(raw: bytes, fault: str) -> None:
    assert fault in faults_of(raw)


def test_every_fault_of_a_line_is_named_and_none_of_its_text() -> None:
    found = faults_of(line(messages=[{"role": "kanzler", "content": ""}], reference_answer="", rft_split="train"))

    assert [part in found for part in ("allowed role", "empty text", "reference_answer", "rft_")] == [True] * 4
    assert "kanzler" not in found


def test_layout_alone_makes_no_new_prompt() -> None:
    spaced = [{"role": "user", "content": " What  is\n40 + 2? "}]
    assert prompt_hash(spaced) == prompt_hash(PROMPT)
    assert prompt_hash([{"role": "user", "content": "What is 40 + 3?"}]) != prompt_hash(PROMPT)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "messages": JSON_VALUES | st.just(PROMPT),
        "question": JSON_VALUES,
        "answer": JSON_VALUES,
        "reference_answer": JSON_VALUES,
        "tools": JSON_VALUES,
        "id": JSON_VALUES,
    },
)


# How fast a busy machine makes the first inputs says nothing about the rules.
@given(RECORDS | JSON_VALUES)
def test_any_json_is_either_a_record_or_refused(value: Any) -> None:
    try:
        record = record_of(json.dumps(value).encode())
    except BadRecord as bad:
        assert bad.faults
    else:
        assert len(record.id) == 16
        assert record.fields["messages"]
        assert record.fields["reference_answer"]


@given(st.binary(max_size=200))
def test_any_bytes_are_either_a_record_or_refused(raw: bytes) -> None:
    with pytest.raises(BadRecord):
        record_of(raw)
