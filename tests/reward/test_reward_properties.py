"""Whatever comes in: one finite score per item in order, or a refusal; and never slow."""

from __future__ import annotations

import json
import subprocess
import sys
from math import isfinite
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from contracts.errors import InvalidInput
from hypothesis import given, settings
from hypothesis import strategies as st
from reward.contract import Sample
from reward.graders import build
from reward.graders.numerals import read_marked, read_sentence
from reward.handler import handler

from tests.reward.passes import passes

LAMBDA = Path(__file__).resolve().parents[2] / "lambda"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
keys = st.sampled_from(["id", "task_id", "messages", "metadata", "reference_answer", "role", "content", "text", "type", "trajectories"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(max_size=5), inner, max_size=5), max_leaves=25
)
fragments = st.sampled_from(
    ["####", "#### ", "42", "-", "\u2212", "$", "**", ".", ",", "000", " ", "\n", "or",
     "half", "k", "\\boxed{", "}", "<think>", "</think>", "=", "x", "%", "<", "("]
)  # fmt: skip
answers = st.lists(fragments | st.text(max_size=4), max_size=20).map("".join)
messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["assistant", "nova_assistant", "user"]), "content": answers | anything}), max_size=3
)
samples = st.fixed_dictionaries(
    {"messages": messages | anything},
    optional={"id": scalars, "metadata": st.fixed_dictionaries({"reference_answer": answers | anything}) | anything},
)


@settings(max_examples=300)
@given(event=anything | st.lists(samples, min_size=1, max_size=4) | st.fixed_dictionaries({"trajectories": st.lists(samples, max_size=3)}))
def test_any_event_is_refused_or_gets_one_finite_score_per_item_in_order(event: Any) -> None:
    try:
        results = handler(event)
    except InvalidInput:
        return
    items = event if isinstance(event, list) else event.get("trajectories", [event])
    assert len(results) == len(items)
    for item, result in zip(items, results, strict=True):
        score = result["aggregate_reward_score"]
        assert isfinite(score) and 0 <= score <= 1
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            assert result["id"] == item["id"]
    json.dumps(results, allow_nan=False)


@settings(max_examples=500)
@given(response=answers, reference=answers, mode=st.sampled_from(["strict", "lenient"]))
def test_any_answer_gets_a_score_and_the_same_one_again(response: str, reference: str, mode: str) -> None:
    grade = build("math", {"mode": mode})
    first = grade(Sample("s", response, reference, [], {}))
    assert first.value in (0.0, 1.0)
    assert build("math", {"mode": mode})(Sample("s", response, reference, [], {})) == first


@settings(max_examples=300)
@given(number=st.integers(-(10**15), 10**15), other=st.integers(-(10**15), 10**15))
def test_a_whole_number_is_paid_exactly_if_it_is_the_reference(number: int, other: int) -> None:
    grade = build("math")
    for written in (f"{number}", f"{number:,}", f"**${number}**", f"{number}.0 apples."):
        assert grade(Sample("s", f"so\n#### {written}", f"{number:,}", [], {})).value == 1.0
        assert grade(Sample("s", f"so\n#### {written}", str(other), [], {})).value == float(number == other)


@settings(max_examples=300)
@given(number=st.integers(0, 10**6), rest=st.text(max_size=12))
def test_a_second_number_after_the_first_is_never_read(number: int, rest: str) -> None:
    for read in (read_marked, read_sentence):
        assert read(f"{number} {rest} {number + 1}") is None


HOSTILE = {
    "text and a marker": "word " * 200_000 + "\n#### 42",
    "text without a marker": "7 " * 500_000,
    "ten thousand markers": "#### 42\n" * 10_000,
    "markers only": "####" * 250_000,
    "thinking tags": "<think>" * 143_000,
    "angle brackets": "<" * 1_000_000,
    "half tags": "<think" * 166_000,
    "digits": "#### " + "9" * 1_000_000,
    "thousands": "#### 1" + ",000" * 250_000,
    "spaces": "####" + " " * 1_000_000 + "42",
    "line breaks": "42" + "\n" * 1_000_000,
    "boxes": "\\boxed{" * 143_000,
    "emphasis": "#### " + "*" * 1_000_000,
    "wide characters": "\u2212\U0001d7d8" * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_a_hostile_megabyte_costs_less_than_five_looks_at_its_characters(name: str, mode: str) -> None:
    grade = build("math", {"mode": mode})
    sample = Sample("s", HOSTILE[name], "42", [], {})
    assert passes(lambda: grade(sample), HOSTILE[name]) < 5


@pytest.mark.parametrize(
    "text",
    [
        "#" * 200,
        "*" * 199,
        "$" * 100 + "\\(" * 50,
        "a " * 99,
        "1 a-" * 49,
        "1" + "'a" * 99,
        "\\text{" * 33,
        "answer " * 28,
        "1,000" * 40,
        "( " * 100,
    ],
)
def test_no_line_makes_the_number_reader_backtrack(text: str) -> None:
    for line in (text[:200], f"42 {text}"[:200], f"{text}"[:190] + " 42"):
        start = process_time()
        read_marked(line)
        read_sentence(line * 2)
        assert process_time() - start < 1  # a pattern that backtracks takes for ever


def test_the_handler_imports_nothing_but_the_standard_library_and_its_own_packages() -> None:
    code = "import sys; import reward.handler; print(*sorted({m.partition('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)))"
    run = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(LAMBDA)}, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) - {"__main__"} == {"contracts", "reward"}
