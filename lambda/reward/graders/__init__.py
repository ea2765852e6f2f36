"""The graders, by name. A grader is one function, ``grade(sample) -> Score``.

A built-in one is a module of this package that defines ``grader(*, ...options)``, which makes that function. One's own is a
module of `reward.custom` that defines ``grade`` itself. A module is imported when its name is asked for and not before, so that
a cold start pays for the one grader it uses; the other modules here are what graders are made of, and no settings can name them.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from contracts.errors import InvalidInput

from reward import custom
from reward.contract import Sample
from reward.score import Score

Grade = Callable[[Sample], Score]

WHERE = "reward settings"

OWN_SECONDS = 0.5
"""Longest a user's own grader may take over one sample. A batch of 64 that all take it still ends within the default timeout of a
minute. A single call into C code that never looks for signals is ended by the function's timeout instead."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DEFINES_GRADER = re.compile(r"^(?:grader\b\s*[:=]|def grader\()", re.MULTILINE)


def known() -> tuple[str, ...]:
    """The names settings can give, sorted: built-in graders, then one's own. Nothing is imported for it."""
    return (*_built_in(), *sorted(module.name for module in pkgutil.iter_modules(custom.__path__)))


def options_of(name: str) -> dict[str, Any]:
    """The options of a grader and their defaults; a user's own grader has none.

    Raises:
        InvalidInput: if no grader has this name, or it cannot be imported.
    """
    make = _maker(name)
    return {} if make is None else dict(make.__kwdefaults__ or {})


def build(name: str, options: Mapping[str, Any] | None = None) -> Grade:
    """The grader `name` with `options`; what is left out takes its default.

    Raises:
        InvalidInput: for an unknown grader, an unknown option or a value that is not allowed, naming what is.
    """
    make = _maker(name)
    known_options = {} if make is None else make.__kwdefaults__ or {}
    given = dict(options or {})
    unknown = sorted(str(key)[:60] for key in given if key not in known_options)
    if unknown:
        allowed = ", ".join(sorted(known_options)) or "none"
        raise InvalidInput(WHERE, [f"options.{key} is not an option of the grader {name}; its options: {allowed}" for key in unknown])
    return _own(name) if make is None else make(**given)


def _maker(name: object) -> Callable[..., Grade] | None:
    """What makes the built-in grader `name`; None if a user's own has this name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _unknown(name)
    own = importlib.util.find_spec(f"{custom.__name__}.{name}") is not None
    found = importlib.util.find_spec(f"{__name__}.{name}") is not None
    if own and found:
        raise InvalidInput(WHERE, [f"grader = {name!r}: reward/custom/{name}.py has a built-in grader's name; allowed is any other name"])
    if own:
        return None
    make = getattr(importlib.import_module(f"{__name__}.{name}"), "grader", None) if found else None
    if make is None:
        raise _unknown(name)
    return make  # type: ignore[no-any-return]


def _unknown(name: object) -> InvalidInput:
    return InvalidInput(WHERE, [f"grader = {str(name)[:60]!r}: allowed is one of {', '.join(known())}"])


def _built_in() -> list[str]:
    # From the source text: importing every module to see what it defines would cost more than grading a batch.
    names = []
    for module in pkgutil.iter_modules(__path__):
        spec = importlib.util.find_spec(f"{__name__}.{module.name}")
        source = getattr(spec.loader, "get_source", lambda _name: None)(spec.name) if spec is not None else None
        if source is not None and _DEFINES_GRADER.search(source):
            names.append(module.name)
    return sorted(names)


def _own(name: str) -> Grade:
    file = f"reward/custom/{name}.py"
    try:
        module: ModuleType = importlib.import_module(f"{custom.__name__}.{name}")
    except Exception as error:
        raise InvalidInput(
            WHERE, [f"grader = {name!r}: {file} cannot be imported ({_why(error)}); allowed is a module that imports"]
        ) from error
    grade = getattr(module, "grade", None)
    if not callable(grade) or not _takes_one(grade):
        raise InvalidInput(WHERE, [f"grader = {name!r}: {file} must define one function, grade(sample: Sample) -> Score"])
    from reward.graders.limits import limited  # noqa: PLC0415 - only one's own graders need it here

    return limited(grade, name=name, options={}, seconds=OWN_SECONDS, components=())


def _why(error: Exception) -> str:
    """What kept a module from being imported, and where. Of an error it raised itself no message: it may hold what the module read."""
    from reward.grading import place  # noqa: PLC0415 - only a grader that is refused needs it

    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}, line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error.name}" if isinstance(error, ImportError) and error.name else place(error)


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except (TypeError, ValueError):
        return False
    return True
