"""Finds the judges among a reward's options: for the stacks, which give permissions, and for the estimate of what a run costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def judges(
    grader: str, options: Mapping[str, Any], *, path: str = "reward.options", kind: str = "judge"
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The options of every judge that settings name, itself or as a part of another grader, with where they stand.

    Args:
        grader: `reward.grader` of the settings.
        options: `reward.options`.
        path: where the options stand, for messages.
        kind: the grader to look for; another one than the judge is found the same way.
    """
    if grader == kind:
        yield path, options
        return
    yield from _within(options, path, kind)


def _within(value: object, path: str, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        if value.get("grader") == kind:
            inner = value.get("options", {})
            yield f"{path}.options", inner if isinstance(inner, Mapping) else {}
            return
        for key, each in value.items():
            yield from _within(each, f"{path}.{key}", kind)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, each in enumerate(value):
            yield from _within(each, f"{path}[{index}]", kind)
