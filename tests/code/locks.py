"""The project's locks, read as text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements", "requirements-dev", "lambda/sdk/requirements", "lambda/symbolic/requirements")
"""Each is an .in of what is wanted and a .txt of what that means, exactly."""

SHIPPED = LOCKS[2:]
"""The locks whose packages run in AWS."""

_HASH = re.compile(r"--hash=(\S+)")


@dataclass(frozen=True)
class Locked:
    """One entry of a lock: the requirement with its marker, and the hashes it may have."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def here(self) -> bool:
        """Whether the marker lets it be installed on this machine."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def parse_lock(text: str) -> list[Locked]:
    """Entries of a lock. Raises `InvalidRequirement` for a line that is none, an option such as an index included."""
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    return [Locked(Requirement(line.split(" --hash=")[0]), tuple(_HASH.findall(line))) for line in joined.splitlines() if line.strip()]


def parse_wanted(text: str) -> list[Requirement]:
    """Requirements of an .in file, without its constraint lines."""
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-c "))]


def lock(name: str) -> list[Locked]:
    return parse_lock((ROOT / f"{name}.txt").read_text(encoding="utf-8"))


def wanted(name: str) -> list[Requirement]:
    return parse_wanted((ROOT / f"{name}.in").read_text(encoding="utf-8"))


def node_packages() -> dict[str, dict[str, Any]]:
    """Path -> entry of package-lock.json, the project itself left out."""
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {path: entry for path, entry in packages.items() if path}
