"""`rft reward list`: the graders there are."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import textwrap
from typing import Any

import click
from contracts.errors import InvalidInput
from reward import custom, graders

from rft.options import json_option
from rft.output import Output

BUILT_IN, OWN = "built-in", "own"


@click.command("list")
@json_option
def list_graders(output: Output) -> None:
    """The graders that `[reward] grader` in environments/<env>.toml can name, and their options with the defaults."""
    found = [described(name) for name in sorted(set(graders.known()))]
    output.result(found, _text(found))


def described(name: str) -> dict[str, Any]:
    """Name, kind, first line of the module's docstring, options; or, in their place, what is wrong with it."""
    kind = OWN if importlib.util.find_spec(f"{custom.__name__}.{name}") is not None else BUILT_IN
    entry: dict[str, Any] = {"name": name, "kind": kind, "does": "", "options": {}, "fault": ""}
    try:
        entry["does"] = _first_line(f"{custom.__name__ if kind == OWN else graders.__name__}.{name}")
        entry["options"] = graders.options_of(name)
    except (InvalidInput, SyntaxError, ImportError) as fault:
        entry["fault"] = f"line {fault.lineno}: {fault.msg}" if isinstance(fault, SyntaxError) else str(fault)
    return entry


def _first_line(module: str) -> str:
    # Read, not imported: an own file runs only when it is asked to grade.
    spec = importlib.util.find_spec(module)
    source = getattr(spec.loader, "get_source", lambda _name: None)(module) if spec is not None else None
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0] if source else ""


def _text(found: list[dict[str, Any]]) -> str:
    width = max((len(entry["name"]) for entry in found), default=0)
    columns = min(140, shutil.get_terminal_size().columns)
    lines = []
    for entry in found:
        head = f"{entry['name'].ljust(width)}  {entry['kind'].ljust(len(BUILT_IN))}  "
        indent = " " * len(head)
        says = f"cannot be used: {entry['fault']}" if entry["fault"] else entry["does"] or "(has no docstring)"
        lines += textwrap.wrap(says, columns, initial_indent=head, subsequent_indent=indent)
        options = " ".join(f"{key}={_shown(value)}" for key, value in entry["options"].items())
        lines += textwrap.wrap(options, columns, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines)


def _shown(value: object) -> str:
    return value if isinstance(value, str) and value and " " not in value else json.dumps(value, default=str, separators=(",", ":"))
