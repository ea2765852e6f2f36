"""What holds for every grader of the catalogue, whatever the response: range, repeatability, bounded time, silence."""

from __future__ import annotations

import json
import warnings
from math import isfinite
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reward import grading
from reward.contract import Sample
from reward.graders import build, measures, schema, texts
from reward.graders.options import Options
from reward.score import Outcome

from benchmarks import labelled

SETUPS: dict[str, tuple[str, dict[str, Any]]] = {
    f"{grader} {number}": (grader, {**labelled.PATIENCE.get(grader, {}), **json.loads(text)})
    for grader in labelled.GRADERS
    for number, text in enumerate(sorted({json.dumps(case.options, sort_keys=True) for case in labelled.cases(grader)}))
}
FRAGMENTS = [
    "#### 42", "42", "<think>", "</think>", "```python\n", "```", "\n", "positive", "not ", "Label: ", "mira@example.com", "[NAME]", "{}",
    '{"a": [1, 2', "]}", "def add(a, b):\n    return a", "## Summary", "- x", "DE89370400440532013000", "4111 1111 1111 1111", "\u200b",
    "\ud800", "\x00", "\uff21", "\u0130", "\u00df", "I can't help", "2001:db8::1", "born 1.1.2000", "1e999", "-", "(" * 40, "\u6771", " ",
]  # fmt: skip
responses = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), responses),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["text", "kind", "add", "a"]), inner, max_size=3)),
    max_leaves=6,
)
KEYS = ("constraints", "pii_values", "safety", "chosen", "rejected", "code")
records = st.dictionaries(st.sampled_from(KEYS), values, max_size=4)


@pytest.mark.parametrize("setup", SETUPS)
@settings(max_examples=25)
@given(response=responses, reference=values, metadata=records)
def test_any_sample_gets_a_score_in_range_and_the_same_one_again(
    setup: str, response: str, reference: Any, metadata: dict[str, Any]
) -> None:
    grader, options = SETUPS[setup]
    sample = Sample("s", response, reference, [], metadata)
    first = build(grader, options)(sample)
    assert isfinite(first.value) and 0 <= first.value <= 1
    assert all(isfinite(part["value"]) for part in first.components)
    assert build(grader, options)(sample) == first
    assert (first.outcome is Outcome.CORRECT) == (first.value >= texts.FULL)


HOSTILE = {
    "spaces": " " * 99_990 + "x",
    "line breaks": "\n" * 99_990 + "x",
    "one letter": "a" * 99_990,
    "digits": "1" * 99_990,
    "digits apart": "1 " * 49_990,
    "signs of numbers": "+1-(" * 24_990,
    "at signs": "a@" * 49_990,
    "dots": "a." * 49_990,
    "colons": "a:" * 49_990,
    "brackets": "[" * 99_990,
    "braces": '{"a":' * 19_990,
    "open thinking": "<think>a" * 12_000,
    "fences": "```\n" * 24_990,
    "headings": "## Summary\n" * 9_000,
    "bullets": "- a\n" * 24_990,
    "quotes": "'" * 99_990,
    "backslashes": "```python\n'" + "\\" * 19_000 + "\n```",
    "hidden signs": "\u200b" * 99_990,
    "expanding signs": "\ufdfa" * 5_000,
    "combining marks": "a" + "\u0301" * 19_990,
    "IBAN prefixes": "DE89 " * 19_990,
    "refusals": "i can't " * 12_000,
    "born": "born on " * 12_000,
    "markers": "Label:" * 16_000,
    "unary": "```python\n" + "not " * 4_900 + "1\n```",
    "lambdas": "```python\n" + "lambda:" * 2_800 + "1\n```",
    "conditionals": "```python\n" + "1 if 1 else " * 1_600 + "1\n```",
    "powers": "```python\n" + "2**" * 6_000 + "1\n```",
    "calls": "```python\nf" + "()" * 9_000 + "\n```",
    "comparisons": "```python\n" + "1<" * 9_000 + "1\n```",
    "strings": "```python\n" + "'a' " * 4_900 + "\n```",
    "formats": "```python\n" + "f'{" * 30 + "1" + "}'" * 30 + "\n```",
    "blocks": "```python\n" + "".join(" " * n + "if 1:\n" for n in range(150)) + "```",
    "elifs": "```python\nif 1: pass\n" + "elif 1: pass\n" * 1_500 + "```",
    "fence with a tail": "```" + "a" * 90_000 + "`",
    "powers apart": "```python\n" + "** " * 49 + "\n```",
    "lines of lambdas": "```python\n" + ("lambda: " * 19 + "\n") * 120 + "```",
    "entities": "&#" * 49_990,
    "entity without end": "&#" + "9" * 99_000,
    "emphasis": "*_" * 49_990,
    "tags": "<a " * 33_000,
    "mixed scripts": "\u0430" * 50_000 + "a" + "\u0430" * 40_000,
    "go strings": '```go\n"' + '\\"' * 9_000 + "\n```",
}
RECORD = {
    "constraints": [{"kind": "sections", "names": ["Summary"]}, {"kind": "quoted"}],
    "pii_values": ["Mira Holt", "a" * 300],
    "safety": "comply",
    "chosen": "the chosen one",
    "rejected": "another",
    "code": {"add": []},
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_response_is_graded_in_bounded_time(hostile: str) -> None:
    for name, (grader, options) in SETUPS.items():
        if "seconds" in json.dumps(options):
            continue  # the patterns there never end on purpose; their bound is tested by the clock elsewhere
        grade = build(grader, options)
        started = process_time()
        score = grade(Sample("s", HOSTILE[hostile], "[1, 2, 3]", [], RECORD))
        # A hang, not a speed: the slowest takes a tenth of a second on an idle machine.
        assert process_time() - started < 10, name
        assert 0 <= score.value <= 1


@pytest.mark.parametrize("literal", ["{" + ",".join(map(str, range(4_000))) + "}", "{" + ",".join(f"{n}:0" for n in range(2_400)) + "}"])
def test_large_literals_are_compared_in_time_that_grows_with_their_size(literal: str) -> None:
    grade = build("code", {"literal": True})
    started = process_time()
    assert grade(Sample("s", f"```python\n{literal}\n```", literal, [], {})).value == 1.0
    # By pairs it took four seconds.
    assert process_time() - started < 1


def test_code_that_python_would_warn_about_is_parsed_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    source = "```python\ndef add(a, b):\n    return '\\d canary' is a\n```"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert build("code")(Sample("s", source, None, [], {})).value == 1.0
    assert not caught
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("grader", labelled.GRADERS)
def test_the_graders_print_nothing_of_what_they_read(grader: str, capfd: pytest.CaptureFixture[str]) -> None:
    for case in labelled.cases(grader):
        case.score(grader)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("grader", labelled.GRADERS)
def test_the_handlers_loop_meets_no_exception_of_a_grader(grader: str) -> None:
    for case in labelled.cases(grader):
        item = {
            "id": "s",
            "messages": [{"role": "assistant", "content": case.response}],
            "metadata": {"reference_answer": case.reference, **case.metadata},
        }
        graded = grading.grade_all([item], build(grader, case.options))
        assert not graded.faults
        json.dumps(graded.results, allow_nan=False)


@settings(max_examples=200)
@given(text=st.text(min_size=1, max_size=80), other=st.text(max_size=80))
def test_the_reference_itself_is_paid_in_full_by_every_measure(text: str, other: str) -> None:
    for name, measure in {**measures.MEASURES, "chrf1": measures.chrf1}.items():
        assert 0.0 <= measure(other, text) <= 1.0
        if texts.words(texts.fold(text)):
            assert measure(text, text) == 1.0, name
    assert measures.chrf1(text, other) == measures.chrf1(other, text)


def test_measures_agree_with_values_worked_out_by_hand() -> None:
    assert measures.token_f1("a b c d", "b c x") == pytest.approx(2 * 2 / 7)
    assert measures.rouge_l("the cat sat on the mat", "the mat sat on the cat") == pytest.approx(2 * 4 / 12)
    # Unigrams 2 of 3, bigrams 1 of 2, trigrams 0 of 1, in precision and recall alike.
    assert measures.chrf("abc", "abd") == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    # Precision (2/2 + 1/1) / 2 and recall (2/4 + 1/3) / 2; recall counts four times in F2.
    assert measures.chrf("ab", "abcd") == pytest.approx(5 * 1 * (5 / 12) / (4 * 1 + 5 / 12))


@settings(max_examples=200)
@given(one=st.lists(st.sampled_from("abc"), max_size=20), other=st.lists(st.sampled_from("abc"), max_size=20))
def test_the_longest_common_subsequence_is_that_of_the_textbook(one: list[str], other: list[str]) -> None:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    longest = table[-1][-1]
    expected = 2 * longest / (len(one) + len(other)) if longest else 0.0
    assert measures.rouge_l(" ".join(one), " ".join(other)) == pytest.approx(expected)


@settings(max_examples=200)
@given(
    value=st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.decimals(-100, 100, places=2).map(float), st.text(max_size=5)),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)),
        max_leaves=8,
    )
)
def test_a_value_fits_the_schema_that_names_it_and_no_schema_of_another(value: Any) -> None:
    options = Options()
    same, other = schema.validator(options, "s", {"const": value}), schema.validator(options, "s", {"not": {"enum": [value]}})
    assert not options.problems
    parsed = schema.parsed(json.dumps(value))
    assert same(parsed) and not other(parsed)
    assert not same([parsed])
