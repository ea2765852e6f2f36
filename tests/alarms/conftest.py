"""Each environment's alarms, from its synthesised templates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.alarms.templates import Deployed
from tests.stacks.conftest import ALL_ENVIRONMENTS, synthesise
from tests.stacks.template_reader import Synthesised

__all__ = ["synthesise"]


@pytest.fixture(scope="session")
def environments(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> list[Deployed]:
    return [Deployed(synthesise(load(ENVIRONMENTS / f"{name}.toml"))) for name in ALL_ENVIRONMENTS]
