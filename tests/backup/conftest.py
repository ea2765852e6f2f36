"""The real keys, buckets and backup of an environment, in a template small enough to deploy for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from stacks.backup_settings import BackupSettings
from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.stacks.conftest import dev, synthesise  # noqa: F401 - the fixtures, for every test here

RESTORER = "arn:aws:iam::000000000000:role/operators"


def backed_up(lock_mode: str = "governance", *, lock: str = "governance", restorers: tuple[str, ...] = (RESTORER,)) -> EnvironmentSettings:
    """Dev with a backup, and a lock on the originals."""
    shipped = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(
        shipped,
        retention=attrs.evolve(shipped.retention, lock_mode=lock, lock_days=1),
        backup=BackupSettings(enabled=True, lock_mode=lock_mode, lock_days=2, restorers=list(restorers)),
    )


@pytest.fixture(scope="session")
def storage_template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Keys, buckets and backup, without the rest of the foundation."""
    import aws_cdk as cdk  # noqa: PLC0415 - after tests.stacks.conftest has chosen a Node

    from stacks.backup import Backup  # noqa: PLC0415
    from stacks.constructs.buckets import Buckets  # noqa: PLC0415
    from stacks.constructs.keys import Keys  # noqa: PLC0415

    settings = backed_up()
    directory: Path = tmp_path_factory.mktemp("storage")
    context = json.loads((ENVIRONMENTS.parent / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, outdir=str(directory))
    stack = cdk.Stack(
        app,
        "Storage",
        stack_name="rft-storage",
        env=cdk.Environment(region=settings.region),
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    keys = Keys(stack, "Keys", environment="dev", protect=False, budget=False)
    buckets = Buckets(stack, "Buckets", key=keys.data, retention=settings.retention, protect=False, replicated=True)
    backup = Backup(stack, "Backup", settings=settings, buckets=buckets, keys=keys)
    for name, bucket in (("Datasets", buckets.datasets), ("Runs", buckets.runs), ("Copies", backup.bucket)):
        cdk.CfnOutput(stack, name, value=bucket.bucket_name)
    app.synth()
    template: dict[str, Any] = json.loads((directory / "Storage.template.json").read_text())
    return template
