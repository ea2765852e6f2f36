"""Synthesises the whole matrix once, with every pack reading it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from audit.assembly import Assembly
from audit.register import Register, read_register
from stacks.rules.templates import Templates, read_directory
from stacks.settings import EnvironmentSettings, load_all
from tests.stacks.variants import ACCOUNT, furnished_settings, judged_settings, outside_settings, peopled_settings
from tests.synthesis import synthesised_once

MATRIX: dict[str, Callable[[], list[EnvironmentSettings]]] = {
    "shipped": load_all,
    "accounts": lambda: [attrs.evolve(settings, account=ACCOUNT) for settings in load_all()],
    "furnished": lambda: [furnished_settings()],
    "judged": lambda: [judged_settings()],
    "outside": lambda: [outside_settings()],
    "peopled": lambda: [peopled_settings()],
}


@attrs.frozen(kw_only=True)
class Checked:
    """One app of the matrix and what the packs said about it."""

    name: str
    directory: Path
    assemblies: dict[str, Assembly]
    register: Register


@pytest.fixture(scope="session")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Checked]:
    """A function that gives an app of the matrix, synthesised once."""
    done: dict[str, Checked] = {}

    def once(name: str) -> Checked:
        if name not in done:
            directory, assemblies = synthesised_once(tmp_path_factory, MATRIX[name](), packs=True)
            done[name] = Checked(name=name, directory=directory, assemblies=assemblies, register=read_register(directory))
        return done[name]

    return once


@pytest.fixture(scope="session", params=MATRIX)
def checked(request: pytest.FixtureRequest, check: Callable[[str], Checked]) -> Checked:
    """Each app of the matrix, one after the other."""
    return check(request.param)


@pytest.fixture
def dev(check: Callable[[str], Checked]) -> Templates:
    """Dev's templates, read anew, to plant faults in."""
    return read_directory(check("shipped").directory / "assembly-dev")
