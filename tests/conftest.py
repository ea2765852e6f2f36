"""Fixtures every capability's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cloud


@pytest.fixture(scope="session")
def bare_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[cloud.Endpoint]:
    """A local cloud with nothing deployed, for the whole session. It ends with the session, however that ends."""
    state: Path = tmp_path_factory.mktemp("cloud")
    with cloud.running(state_dir=state) as endpoint:
        yield endpoint
