"""Reads Python source without running it: what it defines, imports and calls, and the literal it ends in."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Hashable, Iterator
from typing import Any

MAX_SOURCE = 20_000
MAX_NODES = 20_000
MAX_DEPTH = 60
"""Brackets or blocks within each other. Deeper source can exhaust the parser's own stack."""

MAX_LITERAL = 5_000
"""Values in an answer's literal, nested ones included."""

_RISKY = re.compile(
    r"(?:[-+~][ \t]*+){20}|(?:\bnot\b[\s\\]*+){20}|(?:\blambda\b(?:(?!\blambda\b)[^\n]){0,40}+){20}"
    r"|(?:\*\*[ \t]*+(?:\w{1,10}+[ \t]*+)?){50}|\d{400}"
)
"""Chains that nest without brackets, and walls of digits. No two repeats could share a run of text: what does not fit fails at once."""


class Unreadable(ValueError):
    """The source is no Python, or larger or deeper than is read."""


def parsed(source: str) -> ast.Module:
    """The syntax tree of `source`.

    Raises:
        Unreadable: if it has none within the bounds. The message holds nothing of the source.
    """
    if len(source) > MAX_SOURCE or _deep(source) or _RISKY.search(source) or "\x00" in source:
        raise Unreadable("over the bounds")
    try:
        # A warning would print the line it is about, which is text of the response.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise Unreadable("no Python") from None
    if sum(1 for _ in nodes(tree)) > MAX_NODES:
        raise Unreadable("over the bounds")
    return tree


def _deep(source: str) -> bool:
    depth = 0
    for sign in re.findall(r"[()\[\]{}]", source):
        depth = depth + 1 if sign in "([{" else max(0, depth - 1)
        if depth > MAX_DEPTH:
            return True
    return any(len(line) - len(line.lstrip()) > 4 * MAX_DEPTH for line in source.splitlines())


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, without recursion."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(ast.iter_child_nodes(node))


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def definitions(tree: ast.Module) -> dict[str, Definition]:
    """The functions and classes at the top level, lambdas under the name they are assigned to.

    Of a name bound twice the last counts, as when it runs: what is no definition takes the name away.
    """
    found: dict[str, Definition] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
            continue
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for name in _bound(node):
            if isinstance(value, ast.Lambda):
                found[name] = value
            else:
                found.pop(name, None)
    return found


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names a statement at the top level assigns or deletes."""
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (target.id for target in targets if isinstance(target, ast.Name))


def parameters(node: Definition) -> list[str]:
    """The names of a definition's parameters in order; ``*args`` and ``**kwargs`` keep their stars, a class has none."""
    if isinstance(node, ast.ClassDef):
        return []
    given = node.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    names += [f"*{given.vararg.arg}"] if given.vararg else []
    return names + [each.arg for each in given.kwonlyargs] + ([f"**{given.kwarg.arg}"] if given.kwarg else [])


def empty(node: Definition) -> bool:
    """Whether a definition does nothing: only a docstring, ``pass``, ``...``, a return of nothing, or a raise of NotImplementedError."""
    if isinstance(node, ast.Lambda):
        return _nothing(node.body)
    return all(_idle(statement) for statement in node.body)


def _idle(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    if isinstance(node, ast.Return):
        return node.value is None or _nothing(node.value)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis)


def imports(tree: ast.Module) -> set[str]:
    """Every module imported anywhere, with the packages it is in: ``os.path`` gives ``os`` as well."""
    found: set[str] = set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            found.update(".".join(parts[: end + 1]) for end in range(len(parts)))
    return found


def mentions(tree: ast.Module) -> set[str]:
    """Every name and dotted name used: of ``os.system(x)`` both ``os.system`` and ``system``. Not only calls: a name can be passed on."""
    found: set[str] = set()
    for node in nodes(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
            if isinstance(node.value, ast.Name):
                found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            found.update(alias.name for alias in node.names)
    return found


def last_literal(tree: ast.Module) -> Any:
    """The value of the literal that the source ends in: an expression, or what is assigned.

    Raises:
        Unreadable: if the last statement is anything else, or the literal has more than `MAX_LITERAL` values.
    """
    last = tree.body[-1] if tree.body else None
    node = last.value if isinstance(last, ast.Expr | ast.Assign | ast.AnnAssign) else None
    if node is None:
        raise Unreadable("no literal at the end")
    return _value(node, [MAX_LITERAL], 0)


def _value(node: ast.expr, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise Unreadable("over the bounds")
    if isinstance(node, ast.Constant) and node.value is not Ellipsis:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if isinstance(inner, int | float) and not isinstance(inner, bool):
            return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        values = [_value(entry, left, depth + 1) for entry in node.elts]
        return tuple(values) if isinstance(node, ast.Tuple) else values if isinstance(node, ast.List) else _Unordered(values)
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        keys = [_value(key, left, depth + 1) for key in node.keys if key is not None]
        return _Table(zip(keys, [_value(entry, left, depth + 1) for entry in node.values], strict=True))
    raise Unreadable("no literal")


class _Unordered(list[Any]):
    """A set literal; its values need not be hashable to be compared."""


class _Table(list[Any]):
    """A dict literal, as its pairs."""


def equal(given: Any, wanted: Any, *, loose: bool) -> bool:
    """Whether two literals are the same value of the same type; with `loose` a tuple is a list, as JSON has no tuples.

    1 and 1.0 are equal, as in Python; 1 and True are not. Takes time in proportion to the size of the two.
    """
    return _identity(given, loose) == _identity(wanted, loose)


def _identity(value: Any, loose: bool) -> Hashable:
    """What two equal literals have in common and others have not."""
    if isinstance(value, _Unordered):
        return "set", frozenset(_identity(entry, loose) for entry in value)
    if isinstance(value, _Table):
        # Of a key given twice the last counts, as when it runs.
        last = {_identity(key, False): (_identity(key, loose), _identity(entry, loose)) for key, entry in value}
        return "dict", frozenset(last.values())
    if isinstance(value, list | tuple):
        kind = "list" if loose or isinstance(value, list) else "tuple"
        return kind, tuple(_identity(entry, loose) for entry in value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__, value


def from_json(value: object, depth: int = 0) -> Any:
    """A value of a training record in the form `equal` compares.

    Raises:
        Unreadable: if it is nested deeper than a literal may be, or holds what is equal to nothing.
    """
    if depth > MAX_DEPTH or (isinstance(value, float) and math.isnan(value)):
        raise Unreadable("over the bounds")
    if isinstance(value, dict):
        return _Table((key, from_json(entry, depth + 1)) for key, entry in value.items())
    return [from_json(entry, depth + 1) for entry in value] if isinstance(value, list) else value
