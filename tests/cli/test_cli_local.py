"""`rft local status`: what a person sees of the running cloud."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from local import cloud
from rft.local_commands import local

FOUND: dict[str, Any] = {
    "running": True,
    "endpoint": "http://127.0.0.1:4566",
    "pid": 1,
    "state_dir": "/state",
    "clock": 1 / 60,
    "not_emulated": [],
    "bedrock": {},
}
ON = {"name": "RunFailed", "since": "2026-11-25T22:00:00.000+0000", "advice": "A run ended by a fault. First: `rft run show`."}


@pytest.mark.parametrize(
    ("on", "shown"),
    [
        ([], "alarms    none is on"),
        ([ON], "  RunFailed, since 2026-11-25T22:00:00.000+0000: A run ended by a fault. First: `rft run show`."),
    ],
)
def test_alarms_that_are_on_are_shown_with_what_to_do(on: list[dict[str, str]], shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "status", lambda: {**FOUND, "alarms": on})
    answer = CliRunner().invoke(local, ["status"])
    assert answer.exit_code == 0, answer.output
    assert shown in answer.output.splitlines()
