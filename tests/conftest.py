"""Fixtures every capability's tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from contracts import emf
from contracts.metrics import Metric
from hypothesis import HealthCheck, settings

from audit.emitters import emitters, modules
from local import cloud

EXAMPLES = os.environ.get("RFT_EXAMPLES", "same")
"""Which examples property tests are tried on: the same each time, or with `new` (`make explore`) others, of which a failing one is kept."""

# How fast the machine is says nothing about a property.
settings.register_profile("new", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("same", settings.get_profile("new"), derandomize=True)
settings.load_profile(EXAMPLES)


@pytest.fixture(scope="session")
def bare_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[cloud.Endpoint]:
    """A local cloud with nothing deployed, for the whole session. It ends with the session, however that ends."""
    state: Path = tmp_path_factory.mktemp("cloud")
    with cloud.running(state_dir=state) as endpoint:
        yield endpoint


@cache
def _may_emit(module: str) -> set[Metric] | None:
    """The metrics that docs/trends.md says a module emits; None for one that is no part of the functions, such as a test."""
    known = modules()
    return {metric for metric, by in emitters(known).items() if module in by} if module in known else None


@pytest.fixture(scope="session", autouse=True)
def emitters_hold() -> Iterator[None]:
    """Whatever a test has the functions emit comes from where the code was read to emit it."""
    lines = emf.lines

    def checked(values: emf.Values, **given: object) -> list[str]:
        module = sys._getframe(2).f_globals["__name__"]
        if (allowed := _may_emit(module)) is not None:
            assert values.keys() <= allowed, f"{module} emits {values.keys() - allowed}; audit.emitters does not say so"
        return lines(values, **given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emf, "lines", checked)
        yield
