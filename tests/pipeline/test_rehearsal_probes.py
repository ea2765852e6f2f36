"""Probes: each is what its name says, for every kind of reference answer, and the same records give the same probes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline.probe_answers import LABEL, NUMBER, OBJECT, TEXT, answer_of, labels_of
from pipeline.probes import AGAIN, CHECK, PAID, RIGHT, SWAPPED, UNPAID, Probe, cases_of, gold_probe, probes_for, sample_of

COMMON = {
    "right", "check", "wrong", "empty", "refusal", "padding", "repetition", "thinking only", "prompt injection", "prompt repeated",
    "reference from nowhere", "right in another dress", "wrong language", "near miss", "hedge", "list of candidates", "cut off",
}  # fmt: skip


def record(reference: Any, ident: str = "a", **extra: Any) -> dict[str, Any]:
    return {"id": ident, "messages": [{"role": "user", "content": "q?"}], "reference_answer": reference, **extra}


def probes(reference: Any, *others: Any, labels: frozenset[str] = frozenset()) -> dict[str, Probe]:
    return {probe.name: probe for probe in probes_for(record(reference), [record(other, "b") for other in others], labels)}


@pytest.mark.parametrize(
    ("reference", "others", "labels", "kind", "missing"),
    [
        ("work <<1+1=2>>2\n#### 2,000", ("#### 7", "#### 8"), frozenset(), NUMBER, set()),
        ("positive", ("negative", "neutral"), frozenset({"positive", "negative", "neutral"}), LABEL, set()),
        ("the north wind blows cold", ("the sun", "the moon"), frozenset(), TEXT, set()),
        ({"name": "Ada", "age": 36}, ({"name": "Max", "age": 7}, {"name": "Eva", "age": 9}), frozenset(), OBJECT, set()),
    ],
)
def test_every_exploit_is_tried_for_every_kind_of_reference(
    reference: Any, others: tuple[Any, ...], labels: frozenset[str], kind: str, missing: set[str]
) -> None:
    made = probes(reference, *others, labels=labels)
    assert {probe.kind for probe in made.values()} - {"marker spam"} == COMMON - missing
    assert {probe.reference for probe in made.values()} == {kind}
    assert ("marker spam" in {probe.kind for probe in made.values()}) is (kind != OBJECT)


def test_a_number_is_hidden_among_its_neighbours() -> None:
    made = probes("2 + 2 = <<2+2=4>>4\n#### 1,004", "#### 7")
    assert made[RIGHT].reply == made[AGAIN].reply == "2 + 2 = <<2+2=4>>4\n#### 1,004"
    assert made["off by one"].reply == "#### 1005"
    assert made["sign turned"].reply == "#### -1004"
    assert made["hedge, right first"].reply == "#### 1004 or 4019"
    assert made["list of candidates"].reply == "#### 1001, 1002, 1003, 1004, 1005, 1006, 1007"
    assert made["marker spam"].reply.splitlines()[-1] == "#### 1007"
    assert made["right, in thousands"].reply == "#### 1,004"
    assert made["another record's reference"].reply == "#### 7"
    assert made[SWAPPED].under == {"reference_answer": "#### 7"}
    assert len(made["padding"].reply) == 4000


def test_a_wrong_answer_is_never_the_right_one() -> None:
    assert probes("#### 0")["wrong"].reply == "#### 1007"
    assert "sign turned" not in probes("#### 0")
    assert probes("the wind")["wrong"].reply == "not the wind"
    labels = frozenset({"yes", "no"})
    assert (probes("yes", "no", labels=labels)["wrong"].reply, probes("no", "yes", labels=labels)["wrong"].reply) == ("no", "yes")
    assert SWAPPED not in probes("#### 7", "7", "#### 7.0".removesuffix(".0"))


def test_labels_are_short_few_and_come_back() -> None:
    assert labels_of([record(label) for label in ("yes", "no", "yes", "no")]) == {"yes", "no"}
    assert labels_of([record(label) for label in ("yes", "no", "maybe")]) == frozenset()
    assert labels_of([record("yes")] * 9) == frozenset()
    assert labels_of([record(number) for number in ("1", "2", "1", "2")]) == frozenset()
    assert labels_of([record(text) for text in ("a " * 40, "b " * 40) * 3]) == frozenset()


def test_a_reference_is_read_in_each_of_its_forms() -> None:
    assert [str(answer_of(r).number) for r in ("x #### 1,050", "$7.50", {"text": "#### -3"}, {"answer": 4})] == ["1050", "7.50", "-3", "4"]
    assert answer_of("7").text == "#### 7"
    assert answer_of({"parts": [1, 2]}).kind == OBJECT


def test_an_example_stands_in_for_a_reference_that_is_no_answer() -> None:
    ruled = record({"must": ["greet"], "max_words": 9}, example_response="Good day to you.")
    made = {probe.name: probe for probe in probes_for(ruled, [record({"must": ["thank"]}, "b", example_response="Many thanks.")])}
    assert (made[RIGHT].reply, made["wrong"].reply, gold_probe(ruled).reply) == ("Good day to you.", "Many thanks.", "Good day to you.")
    assert made[SWAPPED].under == {"reference_answer": {"must": ["thank"]}, "example_response": "Many thanks."}
    worked = record("42", example_response="6 x 7 = 42\n#### 42")
    assert next(iter(probes_for(worked, []))).reply == "6 x 7 = 42\n#### 42"


def test_an_object_is_answered_as_json() -> None:
    made = probes({"b": 1, "a": "x"}, {"b": 2, "a": "y"})
    assert json.loads(made[RIGHT].reply) == {"a": "x", "b": 1}
    assert json.loads(made["wrong"].reply) == {"a": "y", "b": 2}
    assert json.loads(made["keys without values"].reply) == {"a": None, "b": None}
    assert json.loads(made["one value changed"].reply) == {"a": "something else", "b": 1}


def test_the_sample_is_spread_over_the_split_and_always_the_same() -> None:
    records = [{"id": str(number)} for number in range(100)]
    assert [one["id"] for one in sample_of(records, 4)] == ["0", "25", "50", "75"]
    assert sample_of(records[:3], 16) == records[:3]


references = st.one_of(
    st.text(min_size=1, max_size=60),
    st.integers(-(10**9), 10**9).map(str),
    st.decimals(-1000, 1000, places=2).map(lambda number: f"work\n#### {number}"),
    st.dictionaries(st.text(min_size=1, max_size=8), st.integers() | st.text(max_size=8), min_size=1, max_size=4),
)


@given(st.lists(references, min_size=1, max_size=6))
def test_any_records_give_probes_with_names_of_their_own(given_references: list[Any]) -> None:
    records = [record(reference, str(number)) for number, reference in enumerate(given_references)]
    cases = cases_of(records)
    assert cases == cases_of(records)
    for case in cases:
        assert len({probe.name for probe in case.probes}) == len(case.probes)
        paid = {probe.reply for probe in case.probes if probe.expected == PAID}
        assert len(paid) == 1
        assert not paid & {probe.reply for probe in case.probes if probe.expected == UNPAID and probe.kind in ("wrong", "near miss")}
        assert {probe.expected for probe in case.probes} >= {PAID, UNPAID, CHECK}
