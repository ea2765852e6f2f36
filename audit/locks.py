"""Reads the locks: every package pinned, with the hashes its files may have."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import attrs
from contracts.errors import InvalidInput

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:(?P<hash>[0-9a-f]{64})")
_SHA512_BYTES = 64


@attrs.frozen(kw_only=True, order=True)
class Package:
    """One pinned package.

    Attributes:
        ecosystem: `pypi` or `npm`, the type of its package URL.
        hashes: algorithm (`SHA-256`, `SHA-512`) and hexadecimal digest of each file the lock accepts, in order.
        lock: the lock it stands in, relative to the repository.
    """

    ecosystem: str
    name: str
    version: str
    hashes: tuple[tuple[str, str], ...]
    lock: str


def python_lock(path: Path, root: Path) -> list[Package]:
    """The packages of a requirements file that pins with `==` and `--hash`, in the file's order.

    Raises:
        InvalidInput: if a line pins nothing, or a package has no hash, since neither could be installed with `--require-hashes`.
    """
    where = path.relative_to(root).as_posix()
    packages: list[Package] = []
    for number, line in _logical_lines(path):
        pin = _PIN.match(line)
        hashes = tuple(("SHA-256", found["hash"]) for found in _HASH.finditer(line))
        if not pin or not hashes:
            raise InvalidInput(where, [f"line {number} is {line[:60]!r}; allowed is name==version with at least one --hash=sha256:"])
        packages.append(Package(ecosystem="pypi", name=_normal(pin["name"]), version=pin["version"], hashes=hashes, lock=where))
    return packages


def npm_lock(path: Path, root: Path) -> list[Package]:
    """The packages of a package-lock.json, version 2 or later, by path.

    Raises:
        InvalidInput: if a package has no SHA-512 integrity.
    """
    where = path.relative_to(root).as_posix()
    packages: list[Package] = []
    for place, entry in sorted(json.loads(path.read_text(encoding="utf-8"))["packages"].items()):
        if not place:
            continue
        integrity = str(entry.get("integrity", ""))
        digest = base64.b64decode(integrity.removeprefix("sha512-")) if integrity.startswith("sha512-") else b""
        if len(digest) != _SHA512_BYTES:
            raise InvalidInput(where, [f"packages[{place!r}].integrity = {integrity!r}: allowed is a SHA-512"])
        name = place.rpartition("node_modules/")[2]
        packages.append(Package(ecosystem="npm", name=name, version=entry["version"], hashes=(("SHA-512", digest.hex()),), lock=where))
    return packages


def _logical_lines(path: Path) -> list[tuple[int, str]]:
    """Lines with their continuations joined and comments left out, each with the number it begins at."""
    found: list[tuple[int, str]] = []
    pending, began = "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        began = began or number
        pending = f"{pending} {text.removesuffix(chr(92)).strip()}".strip()
        if not text.endswith("\\"):
            found.append((began, pending))
            pending, began = "", 0
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
