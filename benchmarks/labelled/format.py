"""Format and constraints."""

from __future__ import annotations

from typing import Any

from reward.score import Outcome

from benchmarks.labelled import paid, refused


def _only(**criterion: Any) -> dict[str, Any]:
    return {"criteria": [criterion]}


_PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 40},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "price": {"type": "number", "multipleOf": 0.01},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True, "maxItems": 3},
        "id": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "contact": {"oneOf": [{"type": "null"}, {"type": "string"}]},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
_SCHEMA = _only(kind="json_schema", schema=_PERSON)
_FENCED = _only(kind="json_schema", schema=_PERSON, fenced=True)
_SECTIONS = _only(kind="sections", names=["Summary", "Risks"])
_ONE_EMOJI = _only(kind="emoji", least=1, most=1)
_THINK = _only(kind="think_first")
_TWO = {"criteria": [{"kind": "words", "most": 5, "weight": 3}, {"kind": "ends_with", "text": "done", "weight": 1}]}
_ALL = {**_TWO, "all_or_nothing": True}
_RECORD = {"constraints_key": "constraints"}
_PLAN = [{"kind": "bullets", "least": 3, "most": 3}, {"kind": "must_contain", "texts": ["tent"]}]
_T, _G = Outcome.TIMEOUT, Outcome.BAD_GOLD

CASES = [
    paid("schema", '{"name": "Ada", "age": 36}', options=_SCHEMA),
    paid("schema, white space", ' {\n"age": 36,\n"name": "Ada"}\n', options=_SCHEMA),
    paid("integer written with a point", '{"name": "Ada", "age": 36.0}', options=_SCHEMA),
    paid("exact decimals", '{"name": "Ada", "age": 1, "price": 0.29}', options=_SCHEMA),
    paid("one of", '{"name": "Ada", "age": 1, "contact": null}', options=_SCHEMA),
    paid("fenced, allowed", '```json\n{"name": "Ada", "age": 36}\n```', options=_FENCED),
    paid("JSON after thinking", '<think>{"a": 1}</think>{"a": 2}', options=_only(kind="json")),
    paid("sections", "## Summary\nAll well.\n## Risks\nNone.", options=_SECTIONS),
    paid("sections, other headings", "**Summary:**\nAll well.\n\n2. Risks\nNone.", options=_SECTIONS),
    paid("sections and another between", "# Summary\na\n# Costs\nb\n# Risks\nc", options=_SECTIONS),
    paid("think first", "<think>6 times 7</think>\n42", options=_THINK),
    paid("exactly three bullets", "- a\n* b\n1. c", options=_only(kind="bullets", least=3, most=3)),
    paid("two paragraphs", "One.\n\nTwo.", options=_only(kind="paragraphs", least=2, most=2)),
    paid("word limit", "one two three", options=_only(kind="words", most=3)),
    paid("Japanese words are signs", "\u6771\u4eac\u30bf\u30ef\u30fc", options=_only(kind="words", least=5, most=5)),
    paid("lower case", "all is small", options=_only(kind="lower_case")),
    paid("upper case", "LOUD AND CLEAR 42", options=_only(kind="upper_case")),
    paid("quoted", '"To be or not."', options=_only(kind="quoted")),
    paid("ends with", "So we are done", options=_only(kind="ends_with", text="Done")),
    paid("keyword three times", "cat, Cat and CAT", options=_only(kind="occurrences", text="cat", least=3, most=3)),
    paid("pattern", "ID-0042", options=_only(kind="must_match", pattern=r"^ID-\d{4}$")),
    paid("placeholders", "Dear [name], on [date]", options=_only(kind="placeholders", least=2)),
    paid("script", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440", options=_only(kind="script", script="cyrillic")),
    paid("record's constraints", "- tent\n- rope\n- lamp", options=_RECORD, metadata={"constraints": _PLAN}),
    paid("half of the record's", "- tent\n- rope", options=_RECORD, metadata={"constraints": _PLAN}, bound=0.5),
    paid("three quarters", "one two three", options=_TWO, bound=0.75),
    paid("thought is thinking", "<thought>6 times 7</thought>42", options=_THINK),
    paid("one emoji with a skin tone", "\U0001f44d\U0001f3fd", options=_ONE_EMOJI),
    paid("one emoji of three joined", "\U0001f468\u200d\U0001f469\u200d\U0001f467 home", options=_ONE_EMOJI),
    paid("one heart", "\u2764\ufe0f", options=_ONE_EMOJI),
    paid("keyword in bold and italics", "**cat**, _cat_ and cat", options=_only(kind="occurrences", text="cat", least=3, most=3)),
    paid("emphasis itself as a keyword", "a * b * c", options=_only(kind="occurrences", text="*", least=2, most=2)),
    paid("ending in italics", "So we are *done*", options=_only(kind="ends_with", text="Done")),
    refused("not more than three quarters", "one two three", options=_TWO, bound=0.75),
    refused("all or nothing", "one two three", options=_ALL),
    refused("missing key", '{"name": "Ada"}', options=_SCHEMA),
    refused("extra key", '{"name": "Ada", "age": 1, "x": 1}', options=_SCHEMA),
    refused("true is no number", '{"name": "Ada", "age": true}', options=_SCHEMA),
    refused("number in quotes", '{"name": "Ada", "age": "36"}', options=_SCHEMA),
    refused("not a multiple", '{"name": "Ada", "age": 1, "price": 0.295}', options=_SCHEMA),
    refused("number beyond a float", '{"name": "Ada", "age": 1e999}', options=_SCHEMA),
    refused("same item twice", '{"name": "Ada", "age": 1, "tags": ["a", "a"]}', options=_SCHEMA),
    refused("key twice", '{"name": "Ada", "age": 200, "age": 36}', options=_SCHEMA),
    refused("NaN", '{"name": "Ada", "age": NaN}', options=_SCHEMA),
    refused("text around the JSON", 'Here it is: {"name": "Ada", "age": 36}', options=_SCHEMA),
    refused("fenced, not allowed", '```json\n{"name": "Ada", "age": 36}\n```', options=_SCHEMA),
    refused("two fences", "```json\n{}\n```\n```json\n{}\n```", options=_only(kind="json", fenced=True)),
    refused("two values", "{} {}", options=_only(kind="json")),
    refused("deep nesting", "[" * 5000 + "]" * 5000, options=_only(kind="json")),
    refused("cut off", '{"name": "Ada", "ag', options=_only(kind="json")),
    refused("sections in the wrong order", "## Risks\nNone.\n## Summary\nAll well.", options=_SECTIONS),
    refused("headings without text", "## Summary\n## Risks", options=_SECTIONS),
    refused("headings named in a sentence", "The Summary and the Risks are fine.", options=_SECTIONS),
    refused("two thinking blocks", "<think>a</think><think>b</think>42", options=_THINK),
    refused("thinking never closed", "<think>6 times 7\n42", options=_THINK),
    refused("nothing after thinking", "<think>6 times 7</think>", options=_THINK),
    refused("empty thinking", "<think> </think>42", options=_THINK),
    refused("answer before thinking", "42<think>6 times 7</think>", options=_THINK),
    refused("stray closing tag", "<think>a</think>42</think>", options=_THINK),
    refused("thinking inside thinking", "<think>a<think>b</think>c</think>42", options=_THINK),
    refused("empty under a word limit", "", options=_only(kind="words", most=50)),
    refused("only thinking under a word limit", "<think>long</think>", options=_only(kind="words", most=50)),
    refused("words glued by hidden spaces", "a\u200bb c d e", options=_only(kind="words", least=5)),
    refused("bullets on one line", "- a - b - c", options=_only(kind="bullets", least=3)),
    refused("wrong script", "Hello, world", options=_only(kind="script", script="cyrillic")),
    refused("digits have no case", "12345", options=_only(kind="lower_case")),
    refused("pattern that never ends", "a" * 50 + "!", options=_only(kind="must_match", pattern="^(a+)+$") | {"seconds": 0.1}, outcome=_T),
    refused("record without constraints", "- tent", options=_RECORD, outcome=_G),
    refused("record with a wrong constraint", "- tent", options=_RECORD, metadata={"constraints": [{"kind": "haiku"}]}, outcome=_G),
    refused("too long", "word " * 30_000, options=_only(kind="words", least=1), outcome=Outcome.OVERSIZE),
    refused("keeps the form and says nothing", "- x\n- y\n- z", options=_only(kind="bullets", least=3, most=3), miss=True),
    paid("heading in running text", "Summary: all well. Risks: none.", options=_SECTIONS, miss=True),
    refused("nothing to be seen under a word limit", "\u200b", options=_only(kind="words", most=50)),
    refused("controls under a word limit", "\x00\x08", options=_only(kind="words", most=50)),
    refused("tag characters under a word limit", "\U000e0041", options=_only(kind="words", most=50)),
    refused("thinking that does not show", "<think>\u200b</think>42", options=_THINK),
    refused("sections of nothing to be seen", "## Summary\n\u200b\n## Risks\n\u200b", options=_SECTIONS),
    refused("sections of rules", "## Summary\n---\n## Risks\n***", options=_SECTIONS),
]
