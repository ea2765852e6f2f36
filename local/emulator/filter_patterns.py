"""CloudWatch Logs filter patterns: terms, quoted phrases, `?optional` and `-excluded` terms, and JSON selectors.

JSON selectors: `{ $.field = "text*" }` with = != < <= > >=, `IS NULL`, `IS TRUE`, `IS FALSE`, `EXISTS`, `NOT EXISTS`, joined by
&& and ||, with parentheses. Space-delimited patterns (`[a, b]`) are not read; such a filter matches nothing and says so.
"""

from __future__ import annotations

import fnmatch
import functools
import json
import logging
import re
from collections.abc import Callable
from typing import Any

log = logging.getLogger("rft.local")

Matcher = Callable[[str], bool]

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_SELECTOR = re.compile(
    r'\s*(?:(?P<sign>&&|\|\||[()])|(?P<path>\$[\w.\[\]"-]+)\s*(?:(?P<compare>!=|<=|>=|=|<|>)\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s()&|]+))'
    r"|(?P<word>IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS|EXISTS)))",
    re.IGNORECASE,
)
_ABSENT = object()


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Matcher:
    """A function that says whether a log message matches. An unreadable pattern matches nothing and is logged once."""
    text = (pattern or "").strip()
    if not text:
        return lambda _message: True
    try:
        if text.startswith("{"):
            return _json_matcher(text)
        if text.startswith("["):
            raise ValueError("space-delimited patterns are not read here")
        return _terms_matcher(text)
    except ValueError as problem:
        log.warning("filter pattern %r matches nothing: %s", pattern, problem)
        return lambda _message: False


def field(document: Any, path: str) -> Any:
    """The value a selector such as `$.a.b[0]` names, or a marker that equals nothing when it is not there."""
    for part in re.findall(r'[\w-]+|"[^"]*"|\[\d+\]', path.lstrip("$")):
        try:
            document = document[int(part[1:-1])] if part.startswith("[") else document[part.strip('"')]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return document


def number(message: str, value: str) -> float | None:
    """A metric filter's value: a number, or what `$.field` holds in a JSON message; None when it is not a number."""
    try:
        return float(field(json.loads(message), value) if value.startswith("$") else value)
    except (TypeError, ValueError):
        return None


def _terms_matcher(pattern: str) -> Matcher:
    required: list[str] = []
    optional: list[str] = []
    excluded: list[str] = []
    for sign, phrase, word in _TERM.findall(pattern):
        kept = phrase.replace('\\"', '"') or word
        {"?": optional, "-": excluded, "": required}[sign].append(kept)

    def matches(message: str) -> bool:
        return (
            all(term in message for term in required)
            and not any(term in message for term in excluded)
            and (not optional or any(term in message for term in optional))
        )

    return matches


def _json_matcher(pattern: str) -> Matcher:  # noqa: C901 - one small grammar, read best in one place
    if not pattern.endswith("}"):
        raise ValueError("a JSON pattern ends with a brace")
    tokens = list(_split(pattern[1:-1]))
    position = 0

    def either() -> Callable[[Any], bool]:
        nonlocal position
        left = both()
        while position < len(tokens) and tokens[position] == "||":
            position += 1
            left = _join(any, left, both())
        return left

    def both() -> Callable[[Any], bool]:
        nonlocal position
        left = one()
        while position < len(tokens) and tokens[position] == "&&":
            position += 1
            left = _join(all, left, one())
        return left

    def one() -> Callable[[Any], bool]:
        nonlocal position
        if position >= len(tokens):
            raise ValueError("it ends too early")
        part = tokens[position]
        position += 1
        if part == "(":
            inner = either()
            position += 1
            return inner
        if isinstance(part, str):
            raise ValueError(f"unexpected {part!r}")
        found: Callable[[Any], bool] = part
        return found

    test = either()
    if position != len(tokens):
        raise ValueError("something follows the end")

    def matches(message: str) -> bool:
        try:
            return test(json.loads(message))
        except ValueError:
            return False

    return matches


def _join(how: Callable[[Any], bool], *tests: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda document: how(test(document) for test in tests)


def _split(text: str) -> Any:
    position = 0
    while text[position:].strip():
        found = _SELECTOR.match(text, position)
        if not found:
            raise ValueError(f"cannot read {text[position:].strip()!r}")
        position = found.end()
        yield found["sign"] or _comparison(found)


def _comparison(found: re.Match[str]) -> Callable[[Any], bool]:
    path = found["path"]
    if found["word"]:
        word = " ".join(found["word"].upper().split())
        wanted: dict[str, Callable[[Any], bool]] = {
            "IS NULL": lambda value: value is None,
            "IS TRUE": lambda value: value is True,
            "IS FALSE": lambda value: value is False,
            "EXISTS": lambda value: value is not _ABSENT,
            "NOT EXISTS": lambda value: value is _ABSENT,
        }
        return lambda document: wanted[word](field(document, path))
    operand = found["text"] if found["text"] is not None else found["plain"]
    return lambda document: _compare(field(document, path), found["compare"], operand, found["text"] is None)


def _compare(value: Any, sign: str, operand: str, plain: bool) -> bool:
    if value is _ABSENT:
        return False
    if plain:
        try:
            left, right = float(value), float(operand)
        except (TypeError, ValueError):
            pass
        else:
            return {
                "=": left == right,
                "!=": left != right,
                "<": left < right,
                "<=": left <= right,
                ">": left > right,
                ">=": left >= right,
            }[sign]
    equal = isinstance(value, str) and fnmatch.fnmatchcase(value, operand)
    return equal if sign == "=" else sign == "!=" and not equal
