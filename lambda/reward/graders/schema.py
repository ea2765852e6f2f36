"""JSON Schema in the part that needs no library; a keyword outside it is refused when the schema is read.

docs/decisions names the reasons. Meaning follows draft 2020-12: 1.0 is an integer, true is no number, `items` covers what
`prefixItems` left. Numbers are compared as exact decimals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from reward.graders.options import Options

MAX_DEPTH = 20
MAX_NODES = 500
MAX_JSON_DEPTH = 100
"""Arrays and objects within each other in an answer; a deeper one counts as no JSON."""

NOTHING = object()
"""What `parsed` gives for a text that is no JSON; told apart from every value by identity."""

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_ANNOTATIONS = frozenset({"title", "description", "$schema", "$id", "$comment", "default", "examples", "deprecated"})
_FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\r?\n([\s\S]*)\n```")
_NESTING = re.compile(r"\"(?:[^\"\\]|\\[\s\S])*+\"?|[\[\]{}]")
_CONTEXT = Context(prec=60)

Rule = Callable[[Any], bool]


def parsed(text: str, *, fenced: bool = False) -> Any:
    """The JSON value that is the whole of `text`, or of its one fenced block; `NOTHING` if there is none.

    Stricter than Python: no NaN, no Infinity, no key twice in an object. Fractions come as exact decimals.
    """
    if fenced and (block := _FENCE.fullmatch(text)):
        text = block[1]
    if _too_deep(text):
        return NOTHING
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_once)
    except (ValueError, RecursionError, ArithmeticError):
        return NOTHING


def _too_deep(text: str) -> bool:
    # How deep Python itself reads differs from version to version.
    depth = 0
    for found in _NESTING.finditer(text):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth > MAX_JSON_DEPTH:
            return True
    return False


def _refused(_name: str) -> Any:
    raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def validator(options: Options, path: str, schema: object) -> Rule:
    """What says whether a value fits `schema`. Faults of the schema, unknown keywords among them, are collected in `options`."""
    return _Reader(options).read(path, schema, 0)


class _Reader:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.nodes = 0

    def read(self, path: str, schema: object, depth: int) -> Rule:
        self.nodes += 1
        if isinstance(schema, bool):
            return (lambda _: True) if schema else (lambda _: False)
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            self.options.fault(path, "a schema", f"at most {MAX_DEPTH} levels and {MAX_NODES} schemas in all")
            return lambda _: False
        if not isinstance(schema, Mapping):
            self.options.fault(path, schema, "a JSON Schema: a table, true or false")
            return lambda _: False
        rules: list[Rule] = []
        for key, value in schema.items():
            if key in _KEYWORDS:
                rules.append(_KEYWORDS[key](self, f"{path}.{key}", value, depth))
            elif key not in _ANNOTATIONS and key not in _WITH_OTHERS:
                supported = ", ".join(sorted([*_KEYWORDS, *_WITH_OTHERS]))
                self.options.problems.append(f"{self.options.root}.{path}.{key} is a keyword that is not supported; supported: {supported}")
        rules += self._members(path, schema, depth)
        return lambda value: all(rule(value) for rule in rules)

    def _members(self, path: str, schema: Mapping[str, Any], depth: int) -> list[Rule]:
        """The keywords whose meaning depends on each other."""
        rules: list[Rule] = []
        if "properties" in schema or "additionalProperties" in schema:
            table = self.options.table(f"{path}.properties", schema.get("properties", {}))
            inner = {key: self.read(f"{path}.properties.{key}", value, depth + 1) for key, value in table.items()}
            other = self.read(f"{path}.additionalProperties", schema.get("additionalProperties", True), depth + 1)
            rules.append(lambda value: not isinstance(value, dict) or all(inner.get(key, other)(entry) for key, entry in value.items()))
        if "items" in schema or "prefixItems" in schema:
            tables = schema.get("prefixItems", [])
            if not isinstance(tables, list):
                self.options.fault(f"{path}.prefixItems", tables, "a list of schemas")
                tables = []
            first = [self.read(f"{path}.prefixItems[{index}]", value, depth + 1) for index, value in enumerate(tables)]
            rest = self.read(f"{path}.items", schema.get("items", True), depth + 1)
            rules.append(
                lambda value: (
                    not isinstance(value, list)
                    or all((first[index] if index < len(first) else rest)(entry) for index, entry in enumerate(value))
                )
            )
        return rules

    def type_(self, path: str, value: object, _depth: int) -> Rule:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or any(name not in TYPES for name in names):
            self.options.fault(path, value, f"one of {', '.join(TYPES)}, or a list of them")
            return lambda _: False
        return lambda instance: any(_IS[name](instance) for name in names)

    def enum(self, path: str, value: object, _depth: int) -> Rule:
        if not isinstance(value, list) or not 0 < len(value) <= 200:
            self.options.fault(path, value, "a list of 1 to 200 values")
            return lambda _: False
        allowed = frozenset(map(_identity, value))
        return lambda instance: _identity(instance) in allowed

    def const(self, _path: str, value: object, _depth: int) -> Rule:
        wanted = _identity(value)
        return lambda instance: _identity(instance) == wanted

    def required(self, path: str, value: object, _depth: int) -> Rule:
        names = self.options.strings(path, value)
        return lambda instance: not isinstance(instance, dict) or all(name in instance for name in names)

    def pattern(self, path: str, value: object, _depth: int) -> Rule:
        text = self.options.string(path, value)
        try:
            search = re.compile(text).search
        except (re.error, RecursionError, OverflowError) as error:
            self.options.fault(path, text, f"a regular expression of Python's re, and this is none ({error})")
            return lambda _: False
        return lambda instance: not isinstance(instance, str) or search(instance) is not None

    def unique(self, path: str, value: object, _depth: int) -> Rule:
        if not self.options.flag(path, value):
            return lambda _: True
        return lambda instance: not isinstance(instance, list) or len(set(map(_identity, instance))) == len(instance)

    def several(self, path: str, value: object, depth: int) -> list[Rule]:
        if not isinstance(value, list) or not value:
            self.options.fault(path, value, "a list of at least one schema")
            return []
        return [self.read(f"{path}[{index}]", entry, depth + 1) for index, entry in enumerate(value)]

    def all_of(self, path: str, value: object, depth: int) -> Rule:
        rules = self.several(path, value, depth)
        return lambda instance: all(rule(instance) for rule in rules)

    def any_of(self, path: str, value: object, depth: int) -> Rule:
        rules = self.several(path, value, depth)
        return lambda instance: any(rule(instance) for rule in rules)

    def one_of(self, path: str, value: object, depth: int) -> Rule:
        rules = self.several(path, value, depth)
        return lambda instance: sum(rule(instance) for rule in rules) == 1

    def not_(self, path: str, value: object, depth: int) -> Rule:
        rule = self.read(path, value, depth + 1)
        return lambda instance: not rule(instance)


def _sized(kind: type[Any], test: Callable[[int, int], bool]) -> Callable[[_Reader, str, object, int], Rule]:
    def make(reader: _Reader, path: str, value: object, _depth: int) -> Rule:
        limit = reader.options.whole(path, value, 0, 1_000_000)
        return lambda instance: not isinstance(instance, kind) or test(len(instance), limit)

    return make


def _compared(test: Callable[[Decimal, Decimal], bool], low: float = -1e300) -> Callable[[_Reader, str, object, int], Rule]:
    def make(reader: _Reader, path: str, value: object, _depth: int) -> Rule:
        given = value if isinstance(value, Decimal) else reader.options.number(path, value, low, 1e300)
        limit = Decimal(repr(given)) if isinstance(given, float) else Decimal(given)
        return lambda instance: not _is_number(instance) or test(Decimal(instance), limit)

    return make


def _multiple(value: Decimal, step: Decimal) -> bool:
    try:
        return _CONTEXT.remainder(value, step) == 0
    except InvalidOperation:  # more digits than could be compared exactly
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value == Decimal(value).to_integral_value(context=_CONTEXT))


def _identity(value: Any) -> Hashable:
    """What two equal JSON values have in common and others have not: 1 is 1.0 and neither is true."""
    if isinstance(value, list):
        return "list", tuple(map(_identity, value))
    if isinstance(value, Mapping):
        return "object", frozenset((key, _identity(entry)) for key, entry in value.items())
    if _is_number(value):
        # A float of the settings means the digits that were written there.
        return "number", Decimal(repr(value)) if isinstance(value, float) else value
    return type(value).__name__, value


_IS: dict[str, Rule] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}

_WITH_OTHERS = ("properties", "additionalProperties", "items", "prefixItems")
_KEYWORDS: dict[str, Callable[[_Reader, str, Any, int], Rule]] = {
    "type": _Reader.type_,
    "enum": _Reader.enum,
    "const": _Reader.const,
    "required": _Reader.required,
    "minProperties": _sized(dict, lambda size, limit: size >= limit),
    "maxProperties": _sized(dict, lambda size, limit: size <= limit),
    "minItems": _sized(list, lambda size, limit: size >= limit),
    "maxItems": _sized(list, lambda size, limit: size <= limit),
    "uniqueItems": _Reader.unique,
    "minLength": _sized(str, lambda size, limit: size >= limit),
    "maxLength": _sized(str, lambda size, limit: size <= limit),
    "pattern": _Reader.pattern,
    "minimum": _compared(lambda value, limit: value >= limit),
    "maximum": _compared(lambda value, limit: value <= limit),
    "exclusiveMinimum": _compared(lambda value, limit: value > limit),
    "exclusiveMaximum": _compared(lambda value, limit: value < limit),
    "multipleOf": _compared(_multiple, low=1e-300),
    "allOf": _Reader.all_of,
    "anyOf": _Reader.any_of,
    "oneOf": _Reader.one_of,
    "not": _Reader.not_,
}
