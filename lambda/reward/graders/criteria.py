"""Criteria an answer can be checked against, read from tables such as ``{kind = "words", most = 80}``.

`format` weighs them and `policy` makes rules of them. A criterion is a yes-or-no question about the text alone. None depends
on a language, except that `must_contain` and its like contain whatever language they were written in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from reward.graders import schema, texts
from reward.graders.options import Options

MAX_CRITERIA = 50
MAX_COUNT = 1_000_000
MAX_PATTERN = 500


class Text:
    """An answer in the forms criteria need, each made at most once.

    Attributes:
        response: the whole response, thinking included.
        answer: without thinking and white space around it.
    """

    def __init__(self, response: str, answer: str) -> None:
        self.response = response
        self.answer = answer

    @cached_property
    def readings(self) -> tuple[str, ...]:
        return texts.readings(self.answer)

    @cached_property
    def all_readings(self) -> tuple[str, ...]:
        return texts.all_readings(self.answer)

    @cached_property
    def plain(self) -> str:
        return texts.plain(self.answer)

    @cached_property
    def words(self) -> list[str]:
        return texts.words(self.answer)

    @cached_property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.answer.splitlines() if line.strip()]


Check = Callable[[Text], bool]


class Criterion(NamedTuple):
    """One criterion.

    Attributes:
        name: of its component.
        weight: above 0; relative to the others'.
        gate: whether failing it takes the whole score.
        holds: the check.
        patterned: whether the check runs a user's pattern and so needs a time bound.
    """

    name: str
    weight: float
    gate: bool
    holds: Check
    patterned: bool


def read(options: Options, path: str, value: object, *, gates: bool = False, least: int = 0) -> list[Criterion]:
    """The criteria in a list of tables; every fault is collected in `options`.

    Args:
        options: collects the faults.
        path: of the list, for messages.
        value: the list.
        gates: whether a table may say ``severity = "gate"``.
        least: how many there must be.
    """
    found: list[Criterion] = []
    taken: dict[str, int] = {}
    for index, table in enumerate(options.tables(path, value, least=least, most=MAX_CRITERIA)):
        at = f"{path}[{index}]"
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            options.fault(f"{at}.kind", kind, f"one of {', '.join(KINDS)}")
            continue
        keys, make = KINDS[kind]
        known = ("kind", "name", "weight", *(("severity",) if gates else ()), *keys)
        options.table(at, table, known)
        name = options.string(f"{at}.name", table["name"])[:40] if "name" in table else kind.replace("_", " ")
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name} {taken[name]}"
        weight = options.number(f"{at}.weight", table.get("weight", 1), 0.001, 1000)
        gate = gates and options.choice(f"{at}.severity", table.get("severity", "score"), ("score", "gate")) == "gate"
        patterned = kind in ("must_match", "must_not_match", "json_schema")
        found.append(Criterion(name, weight, gate, make(options, at, table), patterned))
    return found


def share(criteria: Sequence[Criterion], held: Sequence[bool]) -> float:
    """The weighted share of the criteria that hold; exactly 1.0 if all do."""
    if all(held):
        return 1.0
    return sum(each.weight for each, holds in zip(criteria, held, strict=True) if holds) / sum(each.weight for each in criteria)


def _between(measure: Callable[[Text], float]) -> Callable[[Options, str, dict[str, Any]], Check]:
    def make(options: Options, at: str, table: dict[str, Any]) -> Check:
        low = options.whole(f"{at}.least", table.get("least", 0), 0, MAX_COUNT)
        high = options.whole(f"{at}.most", table.get("most", MAX_COUNT), 0, MAX_COUNT)
        if ("least" not in table and "most" not in table) or low > high:
            options.fault(f"{at}.least", table.get("least"), "least, most or both, with least not above most")
        return lambda text: low <= measure(text) <= high

    return make


_COUNT = ("least", "most")
_BULLET = re.compile(r"^[ \t]*(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,60}\]")
# What is drawn as a picture: by default, after U+FE0F, a flag, a keycap; one with its skin tone, or several joined, are one.
_PICTURE = (
    "(?:[\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201-\U0001f251\U0001f300-\U0001f3fa\U0001f400-\U0001faff"
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2639\u263a\u2648-\u2653\u2665\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2764"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]|[\u00a9\u00ae\u203c-\u3299]\ufe0f)[\ufe0f\U0001f3fb-\U0001f3ff]*"
)
_EMOJI = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*|[\U0001f3fb-\U0001f3ff]")
_THINKING = re.compile(r"\s*<(think|thinking|thought|reasoning)>((?:(?!</?(?:think|thinking|thought|reasoning)\b)[\s\S])*)</\1>(?=\s*\S)")
_ANY_THINKING = re.compile(r"</?(?:think|thinking|thought|reasoning)\b", re.IGNORECASE)
_NUMBERING = re.compile(r"\d{1,2}[.)][ \t]*")
_MAX_HEADING = 120


def _matching(*, wanted: bool) -> Callable[[Options, str, dict[str, Any]], Check]:
    def make(options: Options, at: str, table: dict[str, Any]) -> Check:
        pattern = options.string(f"{at}.pattern", table.get("pattern"))
        ignore_case = options.flag(f"{at}.ignore_case", table.get("ignore_case", False))
        if len(pattern) > MAX_PATTERN:
            options.fault(f"{at}.pattern", pattern, f"a pattern of at most {MAX_PATTERN} characters")
            pattern = ""
        try:
            search = re.compile(pattern, re.MULTILINE | (re.IGNORECASE if ignore_case else 0)).search
        except (re.error, RecursionError, OverflowError) as error:
            options.fault(f"{at}.pattern", pattern, f"a regular expression of Python's re, and this is none ({error})")
            return lambda _: False
        if wanted:
            return lambda text: search(text.answer) is not None
        return lambda text: search(text.answer) is None and search(text.plain) is None

    return make


def _containing(*, wanted: bool) -> Callable[[Options, str, dict[str, Any]], Check]:
    def make(options: Options, at: str, table: dict[str, Any]) -> Check:
        entries = options.phrases(f"{at}.texts", table.get("texts"), least=1)
        searches = [re.compile(texts.phrase(entry)).search for entry in entries]

        if not wanted:
            return lambda text: not any(search(reading) for search in searches for reading in text.all_readings)

        def found(text: Text) -> Iterator[bool]:
            return (any(search(reading) for reading in text.readings) for search in searches)

        if options.flag(f"{at}.any", table.get("any", False)):
            return lambda text: any(found(text))
        return lambda text: all(found(text))

    return make


def _occurring(options: Options, at: str, table: dict[str, Any]) -> Check:
    entry = options.phrase(f"{at}.text", table.get("text"))
    found = re.compile(texts.phrase(entry)).finditer
    return _between(lambda text: max(sum(1 for _ in found(reading)) for reading in text.readings))(options, at, table)


def _edge(method: Callable[[str, str], bool]) -> Callable[[Options, str, dict[str, Any]], Check]:
    def make(options: Options, at: str, table: dict[str, Any]) -> Check:
        wanted = options.phrase(f"{at}.text", table.get("text"))
        return lambda text: any(method(reading, wanted) for reading in text.readings)

    return make


def _sections(options: Options, at: str, table: dict[str, Any]) -> Check:
    wanted = options.phrases(f"{at}.names", table.get("names"), least=1)
    ordered = options.flag(f"{at}.ordered", table.get("ordered", True))

    def holds(text: Text) -> bool:
        # A heading alone is not a section: words other than another heading have to follow it, not just a rule.
        found: list[str] = []
        pending: str | None = None
        for line in text.lines:
            name = _heading(line)
            if name in wanted:
                pending = name
            elif pending is not None and not line.startswith("#") and texts.words(texts.visible(line)):
                found.append(pending)
                pending = None
        if not ordered:
            return set(wanted) <= set(found)
        rest = iter(found)
        return all(name in rest for name in wanted)

    return holds


def _heading(line: str) -> str | None:
    if len(line) > _MAX_HEADING:
        return None
    return texts.fold(_NUMBERING.sub("", line.lstrip("#").strip("*_: \t"), count=1)).strip("*_: ")


def _think_first(options: Options, at: str, table: dict[str, Any]) -> Check:
    def holds(text: Text) -> bool:
        block = _THINKING.match(text.response)
        return block is not None and bool(texts.words(texts.visible(block[2]))) and _ANY_THINKING.search(text.response, block.end()) is None

    return holds


def _json(options: Options, at: str, table: dict[str, Any]) -> Check:
    fenced = options.flag(f"{at}.fenced", table.get("fenced", False))
    return lambda text: schema.parsed(text.answer, fenced=fenced) is not schema.NOTHING


def _json_schema(options: Options, at: str, table: dict[str, Any]) -> Check:
    fenced = options.flag(f"{at}.fenced", table.get("fenced", False))
    validate = schema.validator(options, f"{at}.schema", table.get("schema"))

    def holds(text: Text) -> bool:
        value = schema.parsed(text.answer, fenced=fenced)
        return value is not schema.NOTHING and validate(value)

    return holds


def _plain(check: Check) -> Callable[[Options, str, dict[str, Any]], Check]:
    return lambda _options, _at, _table: check


def _quoted(text: Text) -> bool:
    pairs = ('""', "\u201c\u201d", "\u00ab\u00bb", "\u201e\u201c", "\u300c\u300d")
    return len(text.answer) > 2 and text.answer[0] + text.answer[-1] in pairs


def _shouted(text: Text) -> int:
    return sum(len(word) > 3 and word.isupper() for word in text.words)


SCRIPTS = {
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "cyrillic": "\u0400-\u052f",
    "hebrew": "\u0590-\u05ff",
    "arabic": "\u0600-\u06ff\u0750-\u077f",
    "devanagari": "\u0900-\u097f",
    "thai": "\u0e00-\u0e7f",
    "hangul": "\u1100-\u11ff\uac00-\ud7af",
    "kana": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff",
    "han": "\u3400-\u4dbf\u4e00-\u9fff",
}
_LETTER = re.compile(r"[^\W\d_]")


def _script(options: Options, at: str, table: dict[str, Any]) -> Check:
    name = options.choice(f"{at}.script", table.get("script"), tuple(SCRIPTS))
    least = options.number(f"{at}.share", table.get("share", 0.9), 0.01, 1)
    inside = re.compile(f"[{SCRIPTS[name]}]")

    def holds(text: Text) -> bool:
        letters = "".join(_LETTER.findall(text.answer))
        return bool(letters) and len(inside.findall(letters)) >= least * len(letters)

    return holds


KINDS: dict[str, tuple[tuple[str, ...], Callable[[Options, str, dict[str, Any]], Check]]] = {
    "must_match": (("pattern", "ignore_case"), _matching(wanted=True)),
    "must_not_match": (("pattern", "ignore_case"), _matching(wanted=False)),
    "must_contain": (("texts", "any"), _containing(wanted=True)),
    "must_not_contain": (("texts",), _containing(wanted=False)),
    "occurrences": (("text", *_COUNT), _occurring),
    "starts_with": (("text",), _edge(str.startswith)),
    "ends_with": (("text",), _edge(str.endswith)),
    "characters": (_COUNT, _between(lambda text: len(text.answer))),
    "words": (_COUNT, _between(lambda text: len(text.words))),
    "lines": (_COUNT, _between(lambda text: len(text.lines))),
    "paragraphs": (_COUNT, _between(lambda text: sum(bool(part.strip()) for part in _PARAGRAPH.split(text.answer)))),
    "bullets": (_COUNT, _between(lambda text: len(_BULLET.findall(text.answer)))),
    "placeholders": (_COUNT, _between(lambda text: len(_PLACEHOLDER.findall(text.answer)))),
    "exclamations": (_COUNT, _between(lambda text: text.readings[0].count("!"))),
    "shouted_words": (_COUNT, _between(_shouted)),
    "emoji": (_COUNT, _between(lambda text: len(_EMOJI.findall(text.answer)))),
    "sections": (("names", "ordered"), _sections),
    "json": (("fenced",), _json),
    "json_schema": (("schema", "fenced"), _json_schema),
    "think_first": ((), _think_first),
    "lower_case": ((), _plain(lambda text: text.answer.islower())),
    "upper_case": ((), _plain(lambda text: text.answer.isupper())),
    "quoted": ((), _plain(_quoted)),
    "script": (("script", "share"), _script),
}
"""Each kind with the keys its table may hold beside kind, name and weight."""
