"""The bills of materials: valid CycloneDX, true to the locks and to the uploaded files, and the same every time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from contracts.errors import InvalidInput
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from audit import sbom
from audit.assembly import ROOT, Assembly
from audit.locks import npm_lock, python_lock

Document = dict[str, Any]


def refused(document: Document) -> str:
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    return "" if fault is None else str(fault.data)[:400]


@pytest.fixture(scope="module")
def bill(assemblies: dict[str, Assembly]) -> Document:
    return sbom.shipped(assemblies["prod"])


def components(document: Document, kind: str) -> list[Document]:
    return [found for found in document["components"] if found["type"] == kind]


def test_both_bills_follow_the_schema(bill: Document) -> None:
    assert not refused(bill)
    assert not refused(sbom.build())


def test_a_wrong_document_is_refused(bill: Document) -> None:
    assert refused({**bill, "components": [{"type": "library"}]})


def test_the_same_software_gives_the_same_bytes(assemblies: dict[str, Assembly], bill: Document) -> None:
    assert json.dumps(sbom.shipped(assemblies["prod"])) == json.dumps(bill)
    assert "timestamp" not in bill["metadata"]


def test_every_function_depends_on_its_code_and_its_layers(assembly: Assembly) -> None:
    document = sbom.shipped(assembly)
    edges = {entry["ref"]: set(entry.get("dependsOn", [])) for entry in document["dependencies"]}
    functions = list(assembly.resources("AWS::Lambda::Function"))
    assert functions
    for stack, logical_id, resource in functions:
        properties = resource["Properties"]
        assert f"asset:{properties['Code']['S3Key'].removesuffix('.zip')}" in edges[f"function:{stack}/{logical_id}"]
        assert len(edges[f"function:{stack}/{logical_id}"]) == 1 + len(properties.get("Layers", []))
    assert edges["root"] == {f"function:{stack}/{logical_id}" for stack, logical_id, _ in functions}


def test_own_code_is_listed_file_by_file_with_its_hash(bill: Document) -> None:
    files = {found["name"]: found for code in components(bill, "application") for found in code.get("components", [])}
    handler = files["reward/handler.py"]
    assert handler["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256((ROOT / "lambda" / "reward" / "handler.py").read_bytes()).hexdigest()}
    ]
    assert not [name for name in files if name.split("/")[-1].startswith(("test_", "conftest"))]


def test_libraries_that_ship_are_those_of_the_lock_with_its_hashes_and_a_licence(bill: Document) -> None:
    locked = {package.name: package for package in python_lock(ROOT / sbom.SHIPPED_LOCKS[0], ROOT)}
    libraries = {found["name"]: found for found in components(bill, "library")}
    assert set(libraries) == set(locked)
    for name, found in libraries.items():
        assert found["version"] == locked[name].version
        assert {entry["content"] for entry in found["hashes"]} == {digest for _, digest in locked[name].hashes}
        assert found["purl"] == f"pkg:pypi/{name}@{locked[name].version}"
        assert found["licenses"]
        assert "not stated" not in json.dumps(found["licenses"])


def test_a_package_that_no_lock_names_cannot_pass(assemblies: dict[str, Assembly], tmp_path: Path) -> None:
    stray = tmp_path / "python" / "stray-1.0.dist-info"
    stray.mkdir(parents=True)
    (stray / "METADATA").write_text("Name: stray\nVersion: 1.0\n")
    with pytest.raises(KeyError):
        sbom.shipped(attrs.evolve(assemblies["dev"], assets={"0" * 64: tmp_path}))


def test_what_builds_it_is_all_that_the_locks_pin() -> None:
    names = {(found["name"], found["version"]) for found in components(sbom.build(), "library")}
    for lock in sbom.BUILD_LOCKS:
        assert {(package.name, package.version) for package in python_lock(ROOT / lock, ROOT)} <= names
    assert {(package.name, package.version) for package in npm_lock(ROOT / "package-lock.json", ROOT)} <= names
    assert "aws-cdk-lib" in {name for name, _ in names}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("attrs>=26\n", "line 1 is 'attrs>=26'"),
        ("# a comment\nattrs==26.1.0\n", "line 2 is 'attrs==26.1.0'"),
    ],
)
def test_a_lock_without_pin_or_hash_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    with pytest.raises(InvalidInput, match=complaint):
        python_lock(tmp_path / "requirements.txt", tmp_path)


def test_an_npm_package_without_integrity_is_refused(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": {"": {}, "node_modules/left": {"version": "1.0.0"}}}))
    with pytest.raises(InvalidInput, match="allowed is a SHA-512"):
        npm_lock(tmp_path / "package-lock.json", tmp_path)
