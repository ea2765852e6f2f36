"""What the command prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rft.exits import Failure


class Output:
    """One command's output.

    With `as_json` stdout carries exactly one JSON document; the human's text and progress are on stderr either way.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def live(self) -> bool:
        """Whether a moving picture on stderr makes sense."""
        return sys.stderr.isatty() and not self.as_json

    def result(self, data: Any, text: str) -> None:
        """Prints the command's result: `data` as JSON or `text` for a person."""
        if self.as_json:
            print(json.dumps(data, indent=2, default=str))
        elif text:
            print(text)

    def say(self, text: str) -> None:
        """A line about progress, for a person."""
        print(text, file=sys.stderr, flush=True)

    def failure(self, failure: Failure) -> None:
        if self.as_json:
            print(json.dumps(failure.as_json(), indent=2))
        head, *rest = failure.what.splitlines() or [""]
        lines = [f"error: {head}", *(f"  {line}" for line in rest)]
        if failure.where:
            lines.append(f"  where: {failure.where}")
        if failure.hint:
            lines.append(f"  next:  {failure.hint}")
        print("\n".join(lines), file=sys.stderr)

    @contextmanager
    def progress(self, doing: str, *, only_live: bool = False) -> Iterator[Progress]:
        """Shows that something is going on: a spinner on a terminal, single lines elsewhere.

        Args:
            only_live: nothing elsewhere; for what merely reads.
        """
        if not self.live:
            if not only_live:
                self.say(f"{doing} …")
            yield Progress(self, None)
            return
        from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

        with Console(stderr=True).status(doing) as status:
            yield Progress(self, status)


class Progress:
    """Lets a long operation change what its spinner says."""

    def __init__(self, output: Output, status: Any) -> None:
        self._output, self._status, self._last = output, status, ""

    def update(self, doing: str, *, plain: str = "") -> None:
        """Says what goes on now; `plain` is what to say where each change is a line of its own."""
        if self._status is not None:
            self._status.update(doing)
        elif (plain or doing) != self._last:
            self._output.say(plain or doing)
        self._last = plain or doing


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> str:
    """Columns aligned with spaces, so that a person and `awk` can both read them."""
    if not rows:
        return empty
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)


def facts(pairs: Mapping[str, object]) -> str:
    """Label and value, one per line; empty values are left out."""
    shown = {label: value for label, value in pairs.items() if value not in (None, "")}
    width = max((len(label) for label in shown), default=0)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in shown.items())


def short_path(path: Path) -> str:
    """The path as seen from the current folder, when it is below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 07 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 100:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
