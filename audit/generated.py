"""The part of a page that a command writes: it stands between two marks, which say by which command."""

from __future__ import annotations

from pathlib import Path

import attrs
from contracts.errors import InvalidInput

ROOT = Path(__file__).resolve().parent.parent


@attrs.frozen
class Generated:
    """One such part.

    Attributes:
        page: path of the page in the repository.
        name: of the part.
        command: writes it anew.
    """

    page: str
    name: str
    command: str

    @property
    def marks(self) -> tuple[str, str]:
        """What stands before the part and after it."""
        return f"<!-- {self.name}: written by {self.command} -->", f"<!-- end of {self.name} -->"

    def read(self) -> str:
        """The page as it is."""
        return (ROOT / self.page).read_text(encoding="utf-8")

    def filled(self, text: str, page: str | None = None) -> str:
        """The page, or what is given for it, with `text` between the marks.

        Raises:
            InvalidInput: if it lacks them.
        """
        start, end = self.marks
        before, opened, rest = (self.read() if page is None else page).partition(start)
        _, closed, after = rest.partition(end)
        if not opened or not closed:
            raise InvalidInput(self.page, [f"must hold {start} and {end}"])
        return f"{before}{start}\n{text}\n{end}{after}"

    def write(self, text: str) -> None:
        """Writes the page with `text` between the marks."""
        (ROOT / self.page).write_text(self.filled(text), encoding="utf-8")
