"""Wrong options of every grader: refused before anything is graded, each fault with key, value and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from contracts.errors import InvalidInput
from reward.graders import build

_MATH = {"grader": "math", "weight": 1}


def nested(levels: int) -> dict[str, Any]:
    options: dict[str, Any] = {"parts": [_MATH]}
    for _ in range(levels):
        options = {"parts": [{"grader": "composite", "options": options, "weight": 1}]}
    return options


def rule(**table: Any) -> dict[str, Any]:
    return {"rules": [table]}


def schema(value: Any) -> dict[str, Any]:
    return {"criteria": [{"kind": "json_schema", "schema": value}]}


WRONG = [
    ("format", {}, "options.criteria = (): allowed is a list of 1 to 50 tables"),
    ("format", {"criteria": "words"}, "options.criteria = 'words': allowed is a list of 1 to 50 tables"),
    ("format", {"criteria": [3]}, "options.criteria[0] = 3: allowed is a table of keys and values"),
    ("format", {"criteria": [{"most": 3}]}, "options.criteria[0].kind = None: allowed is one of must_match"),
    ("format", {"criteria": [{"kind": ["words"]}]}, "options.criteria[0].kind = ['words']: allowed is one of must_match"),
    ("format", {"criteria": [{"kind": "words"}]}, "options.criteria[0].least = None: allowed is least, most or both"),
    ("format", {"criteria": [{"kind": "words", "least": 9, "most": 3}]}, "allowed is least, most or both, with least not above most"),
    ("format", {"criteria": [{"kind": "words", "most": 3, "max": 4}]}, "options.criteria[0].max is not a known key"),
    ("format", {"criteria": [{"kind": "words", "most": 3, "weight": 0}]}, "options.criteria[0].weight = 0: allowed is a number from 0.001"),
    ("format", {"criteria": [{"kind": "words", "most": 3, "severity": "gate"}]}, "options.criteria[0].severity is not a known key"),
    (
        "format",
        {"criteria": [{"kind": "must_match", "pattern": "(a"}]},
        "options.criteria[0].pattern = '(a': allowed is a regular expression",
    ),
    ("format", {"criteria": [{"kind": "must_match", "pattern": "a" * 501}]}, "allowed is a pattern of at most 500 characters"),
    ("format", {"criteria": [{"kind": "must_match"}]}, "options.criteria[0].pattern = None: allowed is a string"),
    ("format", {"criteria": [{"kind": "json", "fenced": 1}]}, "options.criteria[0].fenced = 1: allowed is true or false"),
    ("format", {"criteria": [{"kind": "script", "script": "runic"}]}, "options.criteria[0].script = 'runic': allowed is one of latin"),
    ("format", {"criteria": [{"kind": "json"}], "seconds": 60}, "options.seconds = 60: allowed is a number from 0.05 to 10"),
    ("format", {"criteria": [{"kind": "json_schema"}]}, "options.criteria[0].schema = None: allowed is a JSON Schema"),
    (
        "format",
        schema({"$ref": "#"}),
        "options.criteria[0].schema.$ref is a keyword that is not supported; supported: additionalProperties",
    ),
    (
        "format",
        schema({"properties": {"a": {"format": "date"}}}),
        "options.criteria[0].schema.properties.a.format is a keyword that is not",
    ),
    ("format", schema({"type": "text"}), "options.criteria[0].schema.type = 'text': allowed is one of object"),
    ("format", schema({"required": "name", "minLength": -1}), "options.criteria[0].schema.minLength = -1: allowed is a whole number"),
    ("format", schema({"pattern": "("}), "options.criteria[0].schema.pattern = '(': allowed is a regular expression"),
    ("format", schema({"enum": []}), "options.criteria[0].schema.enum = []: allowed is a list of 1 to 200 values"),
    ("format", schema({"anyOf": []}), "options.criteria[0].schema.anyOf = []: allowed is a list of at least one schema"),
    ("format", schema({"multipleOf": 0}), "options.criteria[0].schema.multipleOf = 0: allowed is a number from"),
    ("format", schema({"maximum": float("nan")}), "options.criteria[0].schema.maximum = nan: allowed is a number"),
    ("match", {"mode": "fuzzy"}, "options.mode = 'fuzzy': allowed is one of normalised, exact, label"),
    ("match", {"mode": "label"}, "options.labels = (): allowed is a list of 2 to 200 strings"),
    ("match", {"mode": "label", "labels": ["a", "A"]}, "options.labels = 'A': allowed is a spelling that is not empty"),
    ("match", {"mode": "label", "labels": ["a", "b"], "aliases": {"c": ["d"]}}, "options.aliases.c = 'c': allowed is an alias of one of"),
    ("match", {"labels": ["a", "b"]}, "options.labels = ['a', 'b']: allowed is none, unless mode"),
    ("match", {"pick": "first"}, "options.pick = 'first': allowed is one of only, last"),
    ("similarity", {"measure": "bleu"}, "options.measure = 'bleu': allowed is one of token_f1, rouge_l, chrf"),
    ("similarity", {"floor": 1.0}, "options.floor = 1.0: allowed is a number from 0 to 0.95"),
    ("similarity", {"floor": True}, "options.floor = True: allowed is a number"),
    ("preference", {"chosen_key": ""}, "options.chosen_key = '': allowed is a string"),
    ("preference", {"chosen_key": "a", "rejected_key": "a"}, "options.rejected_key = 'a': allowed is another key than chosen_key"),
    ("pii", {"detectors": ["passport"]}, "options.detectors[0] = 'passport': allowed is one of email, phone"),
    ("pii", {"mode": "mask"}, "options.mode = 'mask': allowed is one of leakage, anonymise"),
    ("pii", {"allowed": [""]}, "options.allowed[0] = '': allowed is a string"),
    ("policy", {}, "options.rules = (): allowed is a list of 1 to 50 tables"),
    ("policy", rule(kind="emoji", most=0, severity="fatal"), "options.rules[0].severity = 'fatal': allowed is one of score, gate"),
    ("policy", rule(kind="must_contain", texts=[]), "options.rules[0].texts = []: allowed is a list of 1 to 200 strings"),
    ("safety", {"max_refusal_words": 2}, "options.max_refusal_words = 2: allowed is a whole number from 5 to 1000"),
    (
        "policy",
        rule(kind="must_not_contain", texts=["\u200b"]),
        "options.rules[0].texts[0] = '\\u200b': allowed is a string with a visible sign",
    ),
    (
        "format",
        {"criteria": [{"kind": "ends_with", "text": "\u2060"}]},
        "options.criteria[0].text = '\\u2060': allowed is a string with a visible",
    ),
    ("match", {"marker": "\u200b"}, "options.marker = '\\u200b': allowed is a string with a visible sign"),
    ("safety", {"unsafe_phrases": ["\u00ad"]}, "options.unsafe_phrases[0] = '\\xad': allowed is a string with a visible sign"),
    ("safety", {"unsafe_phrases": [7]}, "options.unsafe_phrases[0] = 7: allowed is a string"),
    ("code", {"functions": ["add"]}, "options.functions = ['add']: allowed is a table"),
    ("code", {"functions": {"a b": []}}, "options.functions = 'a b': allowed is the name of a function"),
    ("code", {"language": "go", "literal": True}, "options.language = 'go': allowed is python, if literal"),
    ("code", {"language": 3}, "options.language = 3: allowed is a string"),
    ("composite", {}, "options.parts = (): allowed is a list of 1 to 12 tables"),
    ("composite", {"parts": [{**_MATH, "weight": 0.7}]}, "options.parts: the weights sum to 0.7; allowed is 1"),
    ("composite", {"parts": [_MATH, {**_MATH, "name": "m"}]}, "options.parts: the weights sum to 2; allowed is 1"),
    ("composite", {"parts": [{"grader": "math", "gate": 1.0}]}, "options.parts: the weights sum to 0; allowed is 1"),
    ("composite", {"parts": [{"grader": "math"}]}, "options.parts[0].weight = None: allowed is a weight above 0, a gate, or both"),
    ("composite", {"parts": [{**_MATH, "weight": 0.5}] * 2}, "allowed is names that differ from each other"),
    ("composite", {"parts": [{**_MATH, "grader": "vibes"}]}, "options.parts[0].grader = 'vibes': allowed is one of code"),
    ("composite", {"parts": [{**_MATH, "options": {"mode": "x"}}]}, "options.parts[0].options.mode = 'x': allowed is one of strict"),
    ("composite", {"parts": [{**_MATH, "wieght": 1}]}, "options.parts[0].wieght is not a known key"),
    ("composite", {"parts": [{**_MATH, "gate": 2}]}, "options.parts[0].gate = 2: allowed is a number from 0 to 1"),
    ("composite", {"parts": [_MATH], "length": {"free": 9, "limit": 9, "penalty": 0.1}}, "options.length.limit = 9: allowed is more than"),
    ("composite", {"parts": [_MATH], "length": {"free": 9, "limit": 99}}, "options.length.penalty = None: allowed is a number from 0 to 1"),
    ("composite", nested(3), "allowed is at most 3 composite graders within each other"),
]


@pytest.mark.parametrize(("grader", "options", "problem"), WRONG, ids=[f"{grader}: {problem[:60]}" for grader, _, problem in WRONG])
def test_a_wrong_option_is_refused_with_its_key(grader: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build(grader, options)
    assert caught.value.where == "reward settings"
    assert any(problem in line for line in caught.value.problems), caught.value.problems


def test_every_fault_is_listed_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        build("format", {"criteria": [{"kind": "wrods"}, {"kind": "words", "most": -1}], "seconds": "long", "all_or_nothing": 0})
    assert len(caught.value.problems) == 4


def test_composite_graders_may_stand_within_each_other_up_to_the_bound() -> None:
    assert callable(build("composite", nested(2)))
