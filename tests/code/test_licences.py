"""Licences of everything that is locked, read from the installed packages: none that an enterprise would have to ask about."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from tests.code.locks import LOCKS, SHIPPED, lock, node_packages

PERMISSIVE = {
    *("MIT", "MIT-0", "MIT-CMU", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD", "0BSD", "ISC", "PSF-2.0", "Zlib", "CC0-1.0"),
}
"""SPDX names; BSD where the package does not say which."""

TOOLS_ONLY = {"MPL-2.0", "CNRI-Python"}
"""MPL asks for the source of changed files; nothing of it is changed or shipped. CNRI's is Python's own, before the PSF's."""

_SAYS = {
    "MIT License": "MIT",
    "MIT license": "MIT",
    "The MIT License (MIT)": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "Python Software Foundation License": "PSF-2.0",
    "PSFL": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
}

ELSEWHERE = {"colorama": "BSD-3-Clause"}
"""Locked for other machines than this, so that there is nothing installed to read: as their own pages say."""


def licence_of(expression: str | None, classifiers: list[str], text: str | None) -> str:
    """What a package's metadata says, as an SPDX expression where it can be read as one.

    Args:
        expression: `License-Expression`, which is SPDX.
        classifiers: `Classifier` lines.
        text: `License`, in which people write anything.
    """
    if expression:
        return expression
    said = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    named = [_SAYS.get(name, name) for name in said if name != "OSI Approved"]
    if named:
        return " OR ".join(named)
    first = (text or "").strip().splitlines()[:1]
    return _SAYS.get(first[0], first[0]) if first else "none"


def allowed(expression: str, permitted: set[str]) -> bool:
    """Whether one side of each OR, and all sides of each AND, are permitted."""
    return any(all(part.strip(" ()") in permitted for part in choice.split(" AND ")) for choice in re.split(r" OR ", expression))


def installed(name: str) -> str:
    metadata = importlib.metadata.metadata(name)
    expression, licence = ((metadata.get_all(field) or [None])[0] for field in ("License-Expression", "License"))
    return licence_of(expression, metadata.get_all("Classifier") or [], licence)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_permissive(name: str) -> None:
    permitted = PERMISSIVE if name in SHIPPED else PERMISSIVE | TOOLS_ONLY
    entries = lock(name)
    here = {entry.name for entry in entries if entry.here}
    licences = {entry.name: installed(entry.name) if entry.name in here else ELSEWHERE[entry.name] for entry in entries}
    assert {package: licence for package, licence in licences.items() if not allowed(licence, permitted)} == {}


def test_the_node_packages_are_permissive() -> None:
    packages = node_packages()
    assert {path: entry.get("license", "none") for path, entry in packages.items() if entry.get("license") not in PERMISSIVE} == {}


@pytest.mark.parametrize(
    ("expression", "classifiers", "text"),
    [
        ("GPL-3.0-or-later", [], None),
        ("MIT AND AGPL-3.0-only", [], None),
        (None, ["License :: OSI Approved :: GNU General Public License v3 (GPLv3)"], "MIT"),
        (None, ["License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)"], None),
        (None, ["License :: OSI Approved"], "Elastic License 2.0"),
        (None, [], "UNKNOWN"),
        (None, [], None),
    ],
)
def test_another_licence_is_refused(expression: str | None, classifiers: list[str], text: str | None) -> None:
    assert not allowed(licence_of(expression, classifiers, text), PERMISSIVE | TOOLS_ONLY)


def test_a_choice_that_includes_a_permissive_one_is_enough() -> None:
    assert allowed("MIT OR AFL-2.1", PERMISSIVE)
    assert allowed("BSD-3-Clause AND (MIT AND Zlib)", PERMISSIVE)
