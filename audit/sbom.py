"""The software bills of materials, in CycloneDX: what runs in AWS, read from the assets as uploaded, and what builds it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from functools import cache
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from license_expression import ExpressionError, Licensing, get_spdx_licensing
from packageurl import PackageURL

from audit.assembly import ROOT, Assembly
from audit.locks import Package, npm_lock, python_lock

PRODUCT = "bedrock-rft"
SHIPPED_LOCKS = ("lambda/sdk/requirements.txt", "lambda/symbolic/requirements.txt")
BUILD_LOCKS = ("requirements.txt", "requirements-dev.txt")

# Names of our own properties: CycloneDX leaves naming to the author, with a prefix.
ASSET = "bedrock-rft:asset"
HANDLER = "bedrock-rft:handler"
RUNTIME = "bedrock-rft:runtime"
LOCK = "bedrock-rft:lock"

_ALGORITHMS = {"SHA-256": HashAlgorithm.SHA_256, "SHA-512": HashAlgorithm.SHA_512}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/")

Document = dict[str, Any]


def shipped(assembly: Assembly) -> Document:
    """What an environment runs: each function, on the code and layers it is given; each code file and each package with its hash.

    Read from the assets that the templates name, not from the source tree.
    """
    locked = {(package.name, package.version): package for lock in SHIPPED_LOCKS for package in python_lock(ROOT / lock, ROOT)}
    bom = _bom(f"{PRODUCT} in {assembly.environment}")
    root = bom.metadata.component
    assert root is not None  # noqa: S101 - `_bom` sets it
    parts: dict[str, Component] = {}
    for asset, tree in sorted(assembly.assets.items()):
        parts[asset], libraries = _asset(asset, tree, locked)
        bom.components.add(parts[asset])
        for library in libraries:
            bom.components.add(library)
        bom.register_dependency(parts[asset], libraries)
    layers = {
        (stack, logical_id): _asset_key(resource["Properties"]["Content"])
        for stack, logical_id, resource in assembly.resources("AWS::Lambda::LayerVersion")
    }
    functions = []
    for stack, logical_id, resource in assembly.resources("AWS::Lambda::Function"):
        properties = resource["Properties"]
        uses = [_asset_key(properties["Code"]), *(layers.get((stack, layer.get("Ref", "")), "") for layer in properties.get("Layers", []))]
        function = Component(
            name=str(properties.get("Handler", logical_id)),
            bom_ref=f"function:{stack}/{logical_id}",
            type=ComponentType.APPLICATION,
            description=str(properties.get("Description", "")) or None,
            properties=[
                Property(name=RUNTIME, value=f"{properties.get('Runtime')} {' '.join(properties.get('Architectures', ['x86_64']))}"),
                Property(name=HANDLER, value=str(properties.get("Handler"))),
            ],
        )
        bom.components.add(function)
        bom.register_dependency(function, [parts[use] for use in uses if use in parts])
        functions.append(function)
    bom.register_dependency(root, functions)
    return _document(bom)


def build() -> Document:
    """What synthesises, deploys, tests and runs the command: every package of the locks, none of which runs in AWS."""
    packages = [package for lock in BUILD_LOCKS for package in python_lock(ROOT / lock, ROOT)]
    packages += npm_lock(ROOT / "package-lock.json", ROOT)
    bom = _bom(f"{PRODUCT} build")
    root = bom.metadata.component
    assert root is not None  # noqa: S101 - `_bom` sets it
    seen: dict[tuple[str, str, str], Component] = {}
    for package in packages:
        key = (package.ecosystem, package.name, package.version)
        if key not in seen:
            seen[key] = _library(package, scope=ComponentScope.EXCLUDED)
            bom.components.add(seen[key])
    bom.register_dependency(root, seen.values())
    return _document(bom)


def _bom(name: str) -> Bom:
    bom = Bom()
    bom.metadata.component = Component(name=name, bom_ref="root", type=ComponentType.APPLICATION)
    return bom


def _asset(asset: str, tree: Path, locked: Mapping[tuple[str, str], Package]) -> tuple[Component, list[Component]]:
    """An uploaded archive: a layer of packages, or code of our own with every file in it."""
    distributions = sorted(tree.glob("python/*.dist-info/METADATA"))
    properties = [Property(name=ASSET, value=asset)]
    if distributions:
        libraries = [_distribution(path, locked) for path in distributions]
        named = ", ".join(sorted(library.name for library in libraries))
        layer = Component(
            name="layer", bom_ref=f"asset:{asset}", type=ComponentType.FRAMEWORK, description=f"Layer: {named}", properties=properties
        )
        return layer, libraries
    files = sorted(path for path in ([tree] if tree.is_file() else tree.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    top = sorted({path.relative_to(tree).parts[0] for path in files if path != tree})
    code = Component(
        name=", ".join(top) or tree.name,
        bom_ref=f"asset:{asset}",
        type=ComponentType.APPLICATION,
        description="Code of this project, as uploaded",
        properties=properties,
        components=[_file(asset, path, tree) for path in files],
    )
    return code, []


def _file(asset: str, path: Path, tree: Path) -> Component:
    name = path.relative_to(tree).as_posix() if path != tree else path.name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Component(
        name=name,
        # The same file may be part of two archives, and a reference must be of one.
        bom_ref=f"file:{asset[:12]}/{name}",
        type=ComponentType.FILE,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )


def _distribution(metadata: Path, locked: Mapping[tuple[str, str], Package]) -> Component:
    headers = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
    name, version = str(headers["Name"]).lower().replace("_", "-").replace(".", "-"), str(headers["Version"])
    # The symbolic layer and the SDK layer may share a package; what is not in a lock cannot be in a layer (`stacks.packaging`).
    component = _library(locked[name, version])
    component.licenses.update(_licences(headers.get("License-Expression"), headers.get("License"), headers.get_all("Classifier", [])))
    return component


def _licences(expression: str | None, text: str | None, classifiers: Iterable[str]) -> list[DisjunctiveLicense | LicenseExpression]:
    """An SPDX expression where the package gives one, else its own word for the licence."""
    for candidate in (expression, text):
        if candidate and "\n" not in candidate:
            try:
                return [LicenseExpression(str(_spdx().parse(candidate, validate=True)))]
            except ExpressionError:
                continue
    names = [entry.rpartition(":: ")[2] for entry in classifiers if entry.startswith("License ::")]
    return [DisjunctiveLicense(name=name) for name in (names or [text or "not stated"])]


@cache
def _spdx() -> Licensing:
    return get_spdx_licensing()  # reads SPDX's whole list


def _library(package: Package, scope: ComponentScope = ComponentScope.REQUIRED) -> Component:
    purl = PackageURL(type=package.ecosystem, name=package.name, version=package.version)
    return Component(
        name=package.name,
        version=package.version,
        bom_ref=purl.to_string(),
        purl=purl,
        type=ComponentType.LIBRARY,
        scope=scope,
        hashes=[HashType(alg=_ALGORITHMS[algorithm], content=digest) for algorithm, digest in package.hashes],
        properties=[Property(name=LOCK, value=package.lock)],
    )


def _asset_key(content: Mapping[str, Any]) -> str:
    key = content.get("S3Key", "")
    return key.removesuffix(".zip") if isinstance(key, str) else ""


def _document(bom: Bom) -> Document:
    """As plain data without the time, and with a serial number made from the content: the same software gives the same bytes."""
    document: Document = json.loads(JsonV1Dot6(bom).output_as_string())
    document["metadata"].pop("timestamp", None)
    document.pop("serialNumber", None)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True)).urn
    return document
