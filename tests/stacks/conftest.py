"""Synthesises each environment once for the whole session, without the built-in validator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.stacks.template_reader import Synthesised, read_assembly
from tests.stacks.variants import furnished_settings
from tests.synthesis import synthesised_once

ALL_ENVIRONMENTS = ("dev", "stage", "prod")

# Outside the fixture, so that another folder's tests share what this one's read.
_read: dict[str, Synthesised] = {}


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Callable[[EnvironmentSettings], Synthesised]:
    """A function that gives the templates of an environment, made once for equal settings."""

    def once(settings: EnvironmentSettings) -> Synthesised:
        key = repr(settings)
        if key not in _read:
            directory, _ = synthesised_once(tmp_path_factory, [settings])
            _read[key] = read_assembly(directory, settings)
        return _read[key]

    return once


@pytest.fixture(scope="session", params=ALL_ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    """Each environment that ships, one after the other."""
    return synthesise(load(ENVIRONMENTS / f"{request.param}.toml"))


@pytest.fixture(scope="session")
def dev(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    return synthesise(load(ENVIRONMENTS / "dev.toml"))


@pytest.fixture(scope="session")
def furnished(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    """Dev with everything set that ships unset."""
    return synthesise(furnished_settings())


@pytest.fixture(scope="session")
def all_environments(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> list[Synthesised]:
    """Every environment that ships, and dev with everything set."""
    return [*(synthesise(load(ENVIRONMENTS / f"{name}.toml")) for name in ALL_ENVIRONMENTS), synthesise(furnished_settings())]
