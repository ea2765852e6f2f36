"""Which code emits each metric, and in which function of AWS: read from the syntax trees of `lambda/`, so that no list of it can go stale.

A metric gets to `emit` in one of three ways: the calling function names it, names a table of metrics, or takes it from a function whose
return annotation says that it gives metrics. What only reads metrics, such as the trend's record, calls no `emit` and gives none.
"""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
from contracts.metrics import Metric

LAMBDA = Path(__file__).resolve().parent.parent / "lambda"
PACKAGES = ("pipeline", "reward")


@attrs.define(slots=False)
class Module:
    """A module of `lambda/`, by its dotted name."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        return vars(importlib.import_module(self.name))

    @cached_property
    def imports(self) -> set[str]:
        """Dotted names of what it imports, whether module or member of one."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom) and node.module]
        return {str(node.module) for node in nodes} | {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}


def modules() -> dict[str, Module]:
    """Every module of the functions that run in AWS, by name."""
    paths = [path for package in PACKAGES for path in sorted((LAMBDA / package).rglob("*.py")) if path.stem != "__init__"]
    names = {".".join(path.relative_to(LAMBDA).with_suffix("").parts): path for path in paths}
    return {name: Module(name, path) for name, path in names.items()}


def emitters(known: Mapping[str, Module]) -> dict[Metric, list[str]]:
    """Names of the modules that emit each metric; one that nothing emits is not there."""
    givers: defaultdict[str, list[tuple[Module, ast.FunctionDef]]] = defaultdict(list)
    for module in known.values():
        for function in module.functions:
            if function.returns is not None and "Metric" in ast.unparse(function.returns):
                givers[function.name].append((module, function))
    found: defaultdict[Metric, list[str]] = defaultdict(list)
    for module in known.values():
        for function in module.functions:
            if not any(map(_is_emission, ast.walk(function))):
                continue
            for metric in dict.fromkeys(_named(module, function, givers, set())):
                if module.name not in found[metric]:
                    found[metric].append(module.name)
    return dict(found)


def runs_in(module: str, handlers: Mapping[str, str], known: Mapping[str, Module]) -> list[str]:
    """The functions of AWS that run a module: the one whose handler it holds, else those whose handler loads it.

    Args:
        handlers: what each function is called, by the module of its handler.
    """
    if module in handlers:
        return [handlers[module]]
    return sorted({called for handler, called in handlers.items() if module in _loaded(handler, known)})


def _loaded(module: str, known: Mapping[str, Module]) -> set[str]:
    found, open_ends = set(), [module]
    while open_ends:
        name = open_ends.pop()
        found.add(name)
        open_ends += [other for other in known[name].imports if other in known and other not in found]
    return found


def _is_emission(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return getattr(node.func, "id", getattr(node.func, "attr", None)) == "emit"


def _named(
    module: Module, function: ast.FunctionDef, givers: Mapping[str, list[tuple[Module, ast.FunctionDef]]], seen: set[str]
) -> Iterator[Metric]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Metric":
            if node.attr in Metric.__members__:
                yield Metric[node.attr]
            continue
        yield from _tabled(module.variables.get(node.id)) if isinstance(node, ast.Name) else ()
        # A grader's `usage` is found by its name as text, because graders need not have one.
        name = getattr(node, "id", getattr(node, "attr", getattr(node, "value", None)))
        if isinstance(name, str) and name not in seen:
            for giver in givers.get(name, ()):
                yield from _named(*giver, givers, seen | {name})


def _tabled(value: object) -> Iterator[Metric]:
    """The metrics in a table at the top of a module."""
    entries = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, (tuple, list, frozenset, set)) else []
    return (entry for entry in entries if isinstance(entry, Metric))
