"""Synthesises every environment that ships, once for the session, through the code the pack itself uses."""

from __future__ import annotations

import pytest

from audit.assembly import Assembly, synthesise
from stacks.settings import load_all


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """The environments by name."""
    return synthesise(load_all(), tmp_path_factory.mktemp("assembly"))


@pytest.fixture(scope="session", params=("dev", "stage", "prod"))
def assembly(request: pytest.FixtureRequest, assemblies: dict[str, Assembly]) -> Assembly:
    """Each environment, one after the other."""
    return assemblies[request.param]
