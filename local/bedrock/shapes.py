"""Checks a value against a shape of botocore's service model, as the service does and the client does not.

The client checks required members, types and minimums only; patterns, enums, maximums and unions are the service's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import Shape

# The model's own patterns run on untrusted input. This fragment of JobName matches each hyphen in two ways, which takes a
# backtracking engine exponential time on "a-----_"; the right-hand side accepts exactly the same strings in linear time.
_SAME_BUT_LINEAR = {r"(-*[a-zA-Z0-9\+\-\.])*": r"[a-zA-Z0-9\+\-\.]*"}


def problems(shape: Shape, value: Any, path: str = "") -> list[str]:
    """Every way in which `value` breaks `shape`, one line each, naming member and rule; values are never quoted.

    Args:
        shape: an input shape or a member of one.
        value: what JSON (or bytes, for a blob payload) gave.
        path: where the value stands, such as ``outputDataConfig.s3Uri``.
    """
    if shape.type_name == "structure" and getattr(shape, "is_document_type", False):
        return []
    return _CHECKS[shape.type_name](shape, value, path)


def message(found: Sequence[str]) -> str:
    """The service's sentence for a list of problems."""
    count = len(found)
    return f"{count} validation error{'s' if count > 1 else ''} detected: " + "; ".join(found)


def _failed(path: str, rule: str) -> str:
    return f"Value at '{path}' failed to satisfy constraint: {rule}"


def _structure(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [_failed(path or "request", "Member must be an object")]
    found: list[str] = []
    for name in shape.required_members:
        if value.get(name) is None:
            found.append(_failed(_join(path, name), "Member must not be null"))
    given = {name: value[name] for name in shape.members if value.get(name) is not None}
    if shape.metadata.get("union") and len(given) != 1:
        rule = f"Member must have exactly one of [{', '.join(shape.members)}] set, found {len(given)}"
        found.append(_failed(path, rule))
    for name, item in given.items():
        found += problems(shape.members[name], item, _join(path, name))
    return found


def _list(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [_failed(path, "Member must be a list")]
    found = _length(shape, len(value), path)
    for index, item in enumerate(value):
        where = f"{path}.{index + 1}.member"
        found += [_failed(where, "Member must not be null")] if item is None else problems(shape.member, item, where)
    return found


def _map(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [_failed(path, "Member must be a map")]
    found = _length(shape, len(value), path)
    for key, item in value.items():
        found += problems(shape.key, key, f"{path}.key")
        found += [_failed(f"{path}.value", "Member must not be null")] if item is None else problems(shape.value, item, f"{path}.value")
    return found


def _string(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, str):
        return [_failed(path, "Member must be a string")]
    if shape.enum and value not in shape.enum:
        return [_failed(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")]
    found = _length(shape, len(value), path)
    pattern = shape.metadata.get("pattern")
    # A value that is too long is refused for that alone: patterns are matched on bounded input.
    if pattern and not found and not compiled(pattern).fullmatch(value):
        found.append(_failed(path, f"Member must satisfy regular expression pattern: {pattern}"))
    return found


def _blob(shape: Shape, value: Any, path: str) -> list[str]:
    if not isinstance(value, bytes | str):
        return [_failed(path, "Member must be binary data")]
    return _length(shape, len(value), path)


def _whole(shape: Shape, value: Any, path: str) -> list[str]:
    if type(value) is not int:
        return [_failed(path, "Member must be an integer")]
    return _range(shape, value, path)


def _number(shape: Shape, value: Any, path: str) -> list[str]:
    if type(value) not in (int, float) or not math.isfinite(value):
        return [_failed(path, "Member must be a finite number")]
    return _range(shape, value, path)


def _boolean(shape: Shape, value: Any, path: str) -> list[str]:
    return [] if isinstance(value, bool) else [_failed(path, "Member must be a boolean")]


def _timestamp(shape: Shape, value: Any, path: str) -> list[str]:
    if type(value) in (int, float) and math.isfinite(value):
        return []
    try:
        if isinstance(value, str):
            datetime.fromisoformat(value)
            return []
    except ValueError:
        pass
    return [_failed(path, "Member must be a timestamp in ISO 8601")]


def _length(shape: Shape, size: int, path: str) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        return [_failed(path, f"Member must have length greater than or equal to {low}")]
    if high is not None and size > high:
        return [_failed(path, f"Member must have length less than or equal to {high}")]
    return []


def _range(shape: Shape, value: float, path: str) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        return [_failed(path, f"Member must have value greater than or equal to {low}")]
    if high is not None and value > high:
        return [_failed(path, f"Member must have value less than or equal to {high}")]
    return []


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The model's pattern, with fragments of exponential cost replaced by equal ones."""
    for slow, fast in _SAME_BUT_LINEAR.items():
        pattern = pattern.replace(slow, fast)
    return re.compile(pattern)


# botocore's shapes differ by kind; each function gets the kind it is registered for.
_CHECKS: dict[str, Callable[[Any, Any, str], list[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "blob": _blob,
    "integer": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
}
