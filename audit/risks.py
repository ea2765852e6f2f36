"""The residual risks, read from the threat model's tables so that they are written once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
from contracts.errors import InvalidInput

from audit.assembly import ROOT

SOURCE = "docs/threat-model.md"

_COLUMNS = ("threat", "kind", "answer", "proof", "what is left", "risk, accepted by")


@attrs.frozen(kw_only=True)
class Risk:
    """A threat, what answers it and what is left.

    Attributes:
        group: the heading its table stands under.
        kind: letters of STRIDE.
        proof: paths of tests and documents.
        rating: of what is left: low, medium or high.
        owner: who accepts it.
    """

    group: str
    threat: str
    kind: str
    answer: str
    proof: list[str]
    left: str
    rating: str
    owner: str


def risks(root: Path = ROOT) -> list[Risk]:
    """Every row of the threat tables, in their order.

    Raises:
        InvalidInput: if there is none: a pack that states no risk would be wrong.
    """
    found = [*_rows((root / SOURCE).read_text(encoding="utf-8"))]
    if not found:
        raise InvalidInput(SOURCE, [f"holds no threat table; allowed is one with the columns {' | '.join(_COLUMNS)}"])
    return found


def _rows(text: str) -> Iterator[Risk]:
    heading, header = "", False
    for line in text.splitlines():
        if line.startswith("#"):
            heading, header = line.lstrip("# "), False
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] if line.startswith("|") else []
        if tuple(cells) == _COLUMNS:
            header = True
        elif header and len(cells) == len(_COLUMNS) and not set(line) <= set("|-: "):
            threat, kind, answer, proof, left, accepted = cells
            rating, _, owner = accepted.partition(",")
            yield Risk(
                group=heading,
                threat=_plain(threat),
                kind=kind,
                answer=_plain(answer),
                proof=re.findall(r"`([^`]+)`", proof),
                left=_plain(left),
                rating=rating.strip(),
                owner=owner.strip(),
            )


def _plain(cell: str) -> str:
    """Markdown without its marks: links as their text."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", cell).replace("`", "").replace("**", "").replace("\\|", "|")
