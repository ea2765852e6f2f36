"""Synthesises every environment that ships, with the rule packs, once for the session and through the code the pack itself uses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from audit.assembly import Assembly
from audit.evidence import gather
from audit.pack import Synthesis, environments, evidence_of
from audit.register import read_register
from tests.synthesis import synthesised_once

Evidence = dict[str, Any]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """As `audit.pack.synthesised` makes it; the tests of the command make one by it."""
    directory, assemblies = synthesised_once(tmp_path_factory, environments(), packs=True)
    return Synthesis(assemblies=assemblies, register=read_register(directory))


@pytest.fixture(scope="session")
def assemblies(synthesis: Synthesis) -> dict[str, Assembly]:
    """The environments by name."""
    return dict(synthesis.assemblies)


@pytest.fixture(scope="session", params=("dev", "stage", "prod"))
def assembly(request: pytest.FixtureRequest, assemblies: dict[str, Assembly]) -> Assembly:
    """Each environment, one after the other."""
    return assemblies[request.param]


@pytest.fixture(scope="session")
def packs(synthesis: Synthesis) -> dict[str, Evidence]:
    """The evidence of each environment by name."""
    return evidence_of(synthesis)


@pytest.fixture(scope="session")
def prod(packs: dict[str, Evidence]) -> Evidence:
    return packs["prod"]


@pytest.fixture
def planted(synthesis: Synthesis) -> Callable[[Change], Evidence]:
    """A function that gives prod's evidence after a change to its templates, keyed by stack."""

    def plant(change: Change) -> Evidence:
        assembly = synthesis.assemblies["prod"]
        templates = copy.deepcopy(assembly.templates)
        change(templates)
        return gather(attrs.evolve(assembly, templates=templates), synthesis.register)

    return plant
