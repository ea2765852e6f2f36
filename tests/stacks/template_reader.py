"""Reads synthesised templates the way the tests ask about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.settings import EnvironmentSettings

Resource = dict[str, Any]
Statement = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """One environment's templates; `audit` is empty where the environment has no trail of its own.

    `paths` are those of the constructs, by logical id.
    """

    settings: EnvironmentSettings
    foundation: dict[str, Any]
    pipeline: dict[str, Any]
    audit: dict[str, Any]
    manifest: dict[str, Any]
    paths: dict[str, str]

    def of_type(self, kind: str) -> dict[str, Resource]:
        """Logical id -> resource, over all stacks."""
        return {name: resource for name, resource in self.all().items() if resource["Type"] == kind}

    def all(self) -> dict[str, Resource]:
        return {**self.foundation["Resources"], **self.pipeline["Resources"], **self.audit.get("Resources", {})}

    def identity_statements(self) -> Iterator[tuple[str, Statement]]:
        """Every statement of every role's policies, with the logical id of what holds it. The boundary grants nothing."""
        for name, policy in self.of_type("AWS::IAM::ManagedPolicy").items():
            if name.startswith("Boundary"):
                continue
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield name, statement

    def statements_of(self, part: str) -> list[Statement]:
        """Statements of the policy whose logical id begins with `part`."""
        found = [statement for name, statement in self.identity_statements() if name.startswith(part)]
        assert found, f"no policy begins with {part}"
        return found

    def one(self, kind: str, beginning: str) -> tuple[str, Resource]:
        found = [(name, resource) for name, resource in self.of_type(kind).items() if name.startswith(beginning)]
        assert len(found) == 1, f"{len(found)} resources of {kind} begin with {beginning}"
        return found[0]


def read_assembly(directory: Path, settings: EnvironmentSettings) -> Synthesised:
    assembly = directory / f"assembly-{settings.name}"
    manifest = json.loads((assembly / "manifest.json").read_text())
    stacks = {
        artifact["properties"]["stackName"]: json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    return Synthesised(
        settings=settings,
        foundation=stacks[f"rft-{settings.name}-foundation"],
        pipeline=stacks[f"rft-{settings.name}-pipeline"],
        audit=stacks.get(f"rft-{settings.name}-audit", {}),
        manifest=manifest,
        paths={str(entry["data"]): path for path, entry in _metadata(assembly, manifest) if entry["type"] == "aws:cdk:logicalId"},
    )


def _metadata(assembly: Path, manifest: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the assembly says of each construct, with its path."""
    for artifact in manifest["artifacts"].values():
        if "additionalMetadataFile" in artifact:
            for path, entries in json.loads((assembly / artifact["additionalMetadataFile"]).read_text()).items():
                for entry in entries:
                    yield path, entry


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(value: Any) -> str:
    """An intrinsic as text: `Ref` and the like become `${…}`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flat(part) for part in parts)
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::GetAtt" in value:
        return "${" + ".".join(value["Fn::GetAtt"]) + "}"
    if "Fn::ImportValue" in value:
        return "${" + flat(value["Fn::ImportValue"]) + "}"
    return json.dumps(value, sort_keys=True)


def actions(statement: Statement) -> list[str]:
    return [str(action) for action in listed(statement["Action"])]


def resources(statement: Statement) -> list[str]:
    return [flat(resource) for resource in listed(statement["Resource"])]
