"""Synthesises every environment that ships, once for the session."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from audit.assembly import Assembly
from cost.prices import Prices, load
from stacks.settings import load_all
from tests.synthesis import synthesised_once

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """The environments by name."""
    return synthesised_once(tmp_path_factory, load_all())[1]


@pytest.fixture(scope="session", params=("dev", "stage", "prod"))
def assembly(request: pytest.FixtureRequest, assemblies: dict[str, Assembly]) -> Assembly:
    """Each environment, one after the other."""
    return assemblies[request.param]


@pytest.fixture(scope="session")
def prices() -> Prices:
    return load()


@pytest.fixture
def planted(assemblies: dict[str, Assembly]) -> Callable[[Change], Assembly]:
    """A function that gives dev after a change to its resources, all stacks' together."""

    def plant(change: Change) -> Assembly:
        templates = copy.deepcopy(assemblies["dev"].templates)
        for template in templates.values():
            change(template["Resources"])
        return attrs.evolve(assemblies["dev"], templates=templates)

    return plant
