"""Every package is pinned to one version and to the bytes of its files, wherever it comes from."""

from __future__ import annotations

import json
import re

import pytest
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from tests.code.locks import LOCKS, ROOT, SHIPPED, Locked, lock, node_packages, parse_lock, wanted

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def problems(entries: list[Locked]) -> list[str]:
    """What is not exact in a lock, one line each."""
    found = []
    for entry in entries:
        pins = list(entry.requirement.specifier)
        if entry.requirement.url or len(pins) != 1 or pins[0].operator != "==" or "*" in pins[0].version:
            found.append(f"{entry.name}: is not pinned to one version")
        if not entry.hashes or not all(_SHA256.fullmatch(digest) for digest in entry.hashes):
            found.append(f"{entry.name}: lacks a SHA-256")
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_each_entry_is_one_version_with_its_hashes(name: str) -> None:
    entries = lock(name)
    assert entries and problems(entries) == []
    # The same name twice is right only for different machines.
    for entry in entries:
        same = [other for other in entries if other.name == entry.name]
        assert len(same) == 1 or all(other.requirement.marker for other in same), entry.name


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_says_where_packages_come_from(name: str) -> None:
    for ending in ("in", "txt"):
        text = (ROOT / f"{name}.{ending}").read_text(encoding="utf-8")
        assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|(?m:^-[if] )|@ (?:git|file)", text)


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_wanted_is_locked_at_a_version_it_allows(name: str) -> None:
    locked = {entry.name: next(iter(entry.requirement.specifier)).version for entry in lock(name)}
    for requirement in wanted(name):
        wanted_name = canonicalize_name(requirement.name)
        assert wanted_name in locked, f"{requirement.name} is in {name}.in and not in {name}.txt: make lock"
        assert requirement.specifier.contains(locked[wanted_name]), f"{name}.txt has {wanted_name} {locked[wanted_name]}, not {requirement}"


@pytest.mark.parametrize("name", LOCKS)
def test_nothing_is_locked_that_nobody_wants(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    asked = {canonicalize_name(requirement.name) for requirement in wanted(name)}
    for entry in lock(name):
        above = re.split(rf"(?m)^{re.escape(entry.requirement.name)}==", text, maxsplit=1)[1]
        via = re.search(r"# via(?P<parents>(?:.|\n)*?)(?=\n[A-Za-z0-9]|\Z)", above)
        assert via, entry.name
        parents = set(re.findall(r"[A-Za-z0-9][\w.-]*", via["parents"]))
        assert entry.name in asked or any(canonicalize_name(parent) in {other.name for other in lock(name)} for parent in parents), (
            entry.name
        )


def test_locks_that_share_a_package_share_its_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in LOCKS:
        for entry in lock(name):
            versions.setdefault(f"{entry.name};{entry.requirement.marker or ''}", set()).add(str(entry.requirement.specifier))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_what_runs_in_aws_is_locked_apart_from_the_tools() -> None:
    shipped = {entry.name for name in SHIPPED for entry in lock(name)}
    tools = {canonicalize_name(requirement.name) for requirement in wanted("requirements-dev")} - {"latex2sympy2-extended"}
    assert tools and not shipped & tools


def test_node_packages_have_their_integrity() -> None:
    packages = node_packages()
    assert packages
    for path, entry in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", entry.get("integrity", "")), path
        assert "resolved" not in entry, f"{path} says where it comes from"
    manifest = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    for kind in ("dependencies", "devDependencies"):
        for name, version in manifest.get(kind, {}).items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
            assert packages[f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("attrs>=26 --hash=sha256:" + "a" * 64, "not pinned"),
        ("attrs==26.* --hash=sha256:" + "a" * 64, "not pinned"),
        ("attrs @ https://example.com/attrs.whl --hash=sha256:" + "a" * 64, "not pinned"),
        ("attrs==26.1.0", "lacks a SHA-256"),
        ("attrs==26.1.0 --hash=md5:" + "a" * 32, "lacks a SHA-256"),
    ],
)
def test_a_loose_entry_is_found(line: str, fault: str) -> None:
    assert any(fault in problem for problem in problems(parse_lock(line)))


def test_an_index_in_a_lock_is_no_entry() -> None:
    with pytest.raises(InvalidRequirement):
        parse_lock("--index-url https://example.com/simple\nattrs==26.1.0")
