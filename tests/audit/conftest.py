"""Synthesises every environment that ships, with the rule packs, once for the session and through the code the pack itself uses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from audit.assembly import Assembly
from audit.evidence import gather
from audit.pack import Synthesis, evidence_of, synthesised

Evidence = dict[str, Any]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def synthesis() -> Iterator[Synthesis]:
    with synthesised() as done:
        yield done


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
