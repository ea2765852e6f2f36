"""Turns untrusted mappings into typed settings, and every fault into a line that names key, value and what is allowed."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

from contracts.errors import InvalidInput

T = TypeVar("T")


def whole(low: int, high: int) -> Any:
    """An attrs validator: an integer from `low` to `high`, both included."""
    return _Range(low, high, "a whole number")


def number(low: float, high: float) -> Any:
    """An attrs validator: a finite number from `low` to `high`, both included."""
    return _Range(low, high, "a number")


def one_of(*allowed: str) -> Any:
    """An attrs validator: one of the given words."""
    return _OneOf(allowed)


def matching(pattern: str, meaning: str) -> Any:
    """An attrs validator: a string that the whole of `pattern` matches; `meaning` says it in words."""
    return _Matching(pattern, meaning)


class _Range:
    def __init__(self, low: float, high: float, kind: str) -> None:
        self.low, self.high, self.kind = low, high, kind

    def __call__(self, _instance: object, _attribute: object, value: float | None) -> None:
        if value is not None and not self.low <= value <= self.high:
            raise ValueError(f"allowed is {self.kind} from {self.low:g} to {self.high:g}")


class _OneOf:
    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed

    def __call__(self, _instance: object, _attribute: object, value: str | None) -> None:
        if value is not None and value not in self.allowed:
            raise ValueError(f"allowed is one of {', '.join(self.allowed)}")


class _Matching:
    def __init__(self, pattern: str, meaning: str) -> None:
        self.pattern, self.meaning = re.compile(pattern), meaning

    def __call__(self, _instance: object, _attribute: object, value: str | None) -> None:
        if value is not None and not self.pattern.fullmatch(value):
            raise ValueError(f"allowed is {self.meaning}")


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


def _strict(kind: type) -> Callable[[Any, Any], Any]:
    # cattrs would turn "5" into 5 and 1 into True; a settings file that says one type and means another is a fault.
    def structure(value: Any, _type: Any) -> Any:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise ValueError(f"allowed is {_KINDS[kind]}")
        return value

    return structure


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in _KINDS:
        converter.register_structure_hook(kind, _strict(kind))
    return converter


CONVERTER = _converter()


def structure(data: object, kind: type[T], where: str) -> T:
    """Checks `data` against the attrs class `kind`.

    Args:
        data: what came from TOML or JSON.
        kind: an attrs class whose fields carry validators from this module.
        where: the file or request, for the message.

    Raises:
        InvalidInput: with every fault found: an unknown or missing key, a wrong type, a value out of range.
    """
    if not isinstance(data, Mapping):
        raise InvalidInput(where, [f"is {type(data).__name__}; allowed is a table of keys and values"])
    try:
        return CONVERTER.structure(data, kind)
    except (ClassValidationError, IterableValidationError) as error:
        found = _problems(error, data, kind, "")
        # cattrs runs a class's validators only once all its types are right, and stops at the first that objects.
        found += [line for line in _refused_values(data, kind, "") if line not in found]
        raise InvalidInput(where, found) from None


def plain(value: object) -> Any:
    """The attrs object as plain dicts and lists, ready for JSON."""
    return CONVERTER.unstructure(value)


def _problems(error: BaseException, data: Any, kind: Any, path: str) -> list[str]:
    if isinstance(error, ForbiddenExtraKeysError):
        known = ", ".join(field.name for field in attrs.fields(error.cl))
        return [f"{_join(path, key)} is not a known key; known here: {known}" for key in sorted(error.extra_fields)]
    if isinstance(error, ClassValidationError):
        return [line for inner in error.exceptions for line in _class_problem(inner, data, kind, path)]
    if isinstance(error, IterableValidationError):
        lines: list[str] = []
        for inner in error.exceptions:
            index = next((note.index for note in getattr(inner, "__notes__", []) if hasattr(note, "index")), None)
            item = data[index] if isinstance(index, int) and isinstance(data, list) else data
            lines += _problems(inner, item, _item_type(kind), f"{path}[{index}]")
        return lines
    if isinstance(error, KeyError):
        return [f"{_join(path, str(error.args[0]))} is missing"]
    if isinstance(error, ValueError):
        return [f"{path} = {_shown(data)}: {error}"]
    return [f"{path} = {_shown(data)}: allowed is {_described(kind)}"]


def _class_problem(inner: BaseException, data: Any, kind: Any, path: str) -> list[str]:
    name = next((note.name for note in getattr(inner, "__notes__", []) if hasattr(note, "name")), None)
    if name is not None:
        value = data.get(name) if isinstance(data, Mapping) else data
        if isinstance(inner, KeyError) and isinstance(data, Mapping) and name not in data:
            return [f"{_join(path, name)} is missing"]
        return _problems(inner, value, _field_type(kind, name), _join(path, name))
    if isinstance(inner, ValueError) and attrs.has(kind) and isinstance(data, Mapping):
        # A validator of the class ran after its fields were structured; find the field by running each again.
        for field in attrs.fields(kind):
            if field.validator is not None and field.name in data:
                try:
                    field.validator(None, field, data[field.name])
                except ValueError as problem:
                    if str(problem) == str(inner):
                        return [f"{_join(path, field.name)} = {_shown(data[field.name])}: {problem}"]
        return [f"{path or 'the file'}: {inner}"]
    return _problems(inner, data, kind, path)


def _refused_values(data: Any, kind: Any, path: str) -> list[str]:
    """Every value of the right type that its field's validator refuses."""
    if not attrs.has(kind) or not isinstance(data, Mapping):
        return []
    lines: list[str] = []
    for field in attrs.fields(kind):
        if field.name not in data:
            continue
        value, declared, key = data[field.name], _field_type(kind, field.name), _join(path, field.name)
        if attrs.has(declared):
            lines += _refused_values(value, declared, key)
        elif field.validator is not None:
            try:
                field.validator(None, field, CONVERTER.structure(value, declared))
            except ValueError as problem:
                lines.append(f"{key} = {_shown(value)}: {problem}")
            except (ClassValidationError, IterableValidationError, AttributeError, TypeError):
                continue  # the wrong type, which is reported already
    return lines


def _field_type(kind: Any, name: str) -> Any:
    hints = typing.get_type_hints(kind) if isinstance(kind, type) else {}
    declared = hints.get(name)
    if isinstance(declared, types.UnionType):
        return next((arm for arm in typing.get_args(declared) if arm is not type(None)), declared)
    return declared


def _item_type(kind: Any) -> Any:
    arguments = typing.get_args(kind)
    return arguments[0] if arguments else kind


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _described(kind: Any) -> str:
    if attrs.has(kind):
        return "a table of keys and values"
    return _KINDS.get(kind, str(kind))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
