"""The synthesised templates of one environment, read the way the rules ask about them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stacks.rules.intrinsics import render

Statement = dict[str, Any]

_REFERENCE = re.compile(r"\$\{(?P<stack>[^/{}]+)/(?P<logical_id>[^.{}]+)")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of one template.

    Attributes:
        template: the file it is in.
        stack: its stack's name, which qualifies its references.
        body: the whole resource: `Type`, `Properties`, `DeletionPolicy` and so on.
    """

    template: Path
    stack: str
    logical_id: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> dict[str, Any]:
        return dict(self.body.get("Properties", {}))

    @property
    def reference(self) -> str:
        """How `Templates.text` writes a `Ref` to it; `.Arn` and the like follow before the brace."""
        return f"${{{self.stack}/{self.logical_id}}}"

    def attribute(self, name: str) -> str:
        return f"${{{self.stack}/{self.logical_id}.{name}}}"


@dataclass(frozen=True, kw_only=True)
class Template:
    path: Path
    stack: str
    body: dict[str, Any]


class Templates:
    """All stacks of one environment, so that a reference across stacks is followed to what it means.

    Attributes:
        environment: name of the environment, the construct id of its stage.
    """

    def __init__(self, environment: str, templates: Iterable[Template]) -> None:
        self.environment = environment
        self.parts = list(templates)
        self._exports = {
            str(output["Export"]["Name"]): (part, output["Value"])
            for part in self.parts
            for output in part.body.get("Outputs", {}).values()
            if isinstance(output.get("Export", {}).get("Name"), str)
        }

    @cached_property
    def resources(self) -> list[Resource]:
        return [
            Resource(template=part.path, stack=part.stack, logical_id=logical_id, body=body)
            for part in self.parts
            for logical_id, body in part.body.get("Resources", {}).items()
        ]

    def of(self, *kinds: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.kind in kinds]

    def text(self, value: Any, where: Resource | Template) -> str:
        """`value` as text; a reference becomes `${stack/LogicalId.Attribute}`, a pseudo parameter `${AWS::AccountId}`."""
        stack = where.stack

        def reference(name: str) -> str:
            return f"${{{name}}}" if name.startswith("AWS::") else f"${{{stack}/{name}}}"

        def imported(argument: Any) -> str:
            name = render(argument, reference=reference, imported=str)
            if name in self._exports:
                part, exported = self._exports[name]
                return self.text(exported, part)
            return f"${{import {name}}}"

        return render(value, reference=reference, imported=imported)

    def referenced(self, text: str) -> Resource | None:
        """The first resource that `text`, as `Templates.text` writes it, refers to."""
        for found in _REFERENCE.finditer(text):
            resource = self._by_id.get((found["stack"], found["logical_id"]))
            if resource:
                return resource
        return None

    @cached_property
    def _by_id(self) -> dict[tuple[str, str], Resource]:
        return {(resource.stack, resource.logical_id): resource for resource in self.resources}

    def find(self, *kinds: str, referenced_by: str) -> Resource | None:
        found = self.referenced(referenced_by)
        return found if found and found.kind in kinds else None


def listed(value: Any) -> list[Any]:
    """What IAM and EventBridge let be written without its list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def statements(document: Any) -> Iterator[Statement]:
    if isinstance(document, dict):
        yield from (statement for statement in listed(document.get("Statement")) if isinstance(statement, dict))


def required_keys(statement: Statement) -> set[str]:
    """Condition keys that a request must carry, and with one of the values named, for the statement to apply.

    A negation, `…IfExists`, `Null` and `ForAllValues:` also hold for a request without the key, so they hold nobody.
    """
    return {
        key
        for operator, keys in statement.get("Condition", {}).items()
        if not operator.endswith("IfExists") and operator != "Null" and "Not" not in operator and not operator.startswith("ForAllValues:")
        for key in keys
    }


def asked_keys(statement: Statement) -> set[str]:
    """Condition keys whose value must be one of those named wherever a request carries the key."""
    conditions = statement.get("Condition", {})
    return required_keys({"Condition": {operator.removesuffix("IfExists"): keys for operator, keys in conditions.items()}})


def read_directory(assembly: Path) -> Templates:
    """The environment whose nested cloud assembly this is."""
    artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    stacks = [found for found in artifacts.values() if found["type"] == "aws:cloudformation:stack"]
    (templates,) = read_environments((str(found["displayName"]), assembly / found["properties"]["templateFile"]) for found in stacks)
    return templates


def read_environments(stacks: Iterable[tuple[str, Path]]) -> list[Templates]:
    """The environments that `stacks`, pairs of construct path and template file, make up.

    A stack's path begins with its stage's, which is the environment; a stack outside any stage is an environment of its own.
    """
    grouped: dict[str, list[Template]] = {}
    for construct_path, file in stacks:
        environment = construct_path.rpartition("/")[0] or construct_path
        template = Template(path=file, stack=construct_path.rpartition("/")[2], body=json.loads(file.read_text(encoding="utf-8")))
        grouped.setdefault(environment, []).append(template)
    return [Templates(environment, templates) for environment, templates in grouped.items()]
