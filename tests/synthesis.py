"""Templates made once for a whole test session: every worker of it reads what the first to ask had synthesised."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.assembly import Assembly, read, synthesise
from stacks.settings import EnvironmentSettings


def synthesised_once(
    session: pytest.TempPathFactory, environments: Sequence[EnvironmentSettings], *, packs: bool = False
) -> tuple[Path, dict[str, Assembly]]:
    """The directory of an app with these environments, and the environments by name. Nobody may write there.

    Args:
        session: of the session, or of one of its workers.
        packs: has the rule packs read the templates too. Findings that are left open are in their report, and no error here.
    """
    base = session.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "synthesised"
    shared.mkdir(exist_ok=True)
    key = hashlib.sha256(repr((packs, list(environments))).encode()).hexdigest()[:16]
    directory, done = shared / key, shared / f"{key}.done"
    with (shared / f"{key}.lock").open("w") as lock:
        # Of two workers that need the same one waits: synthesising twice at once would take both longer.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            try:
                synthesise(environments, directory, packs=packs)
            except RuntimeError:
                if not packs:
                    raise
            done.touch()
    return directory, {settings.name: read(directory, settings) for settings in environments}
