"""Assets: the same input gives the same hash, wherever and whenever it is built."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from contracts.errors import InvalidInput

from stacks import packaging


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small copy of the project's functions, to be changed at will."""
    root = tmp_path / "project"
    for folder in ("lambda/reward", "lambda/contracts", "lambda/pipeline", "datasets/probes"):
        (root / folder).mkdir(parents=True)
        (root / folder / "one.py").write_text(f"WHERE = {folder!r}\n")
    monkeypatch.setattr(packaging, "ROOT", root)
    monkeypatch.setattr(packaging, "LAMBDA", root / "lambda")
    return root


def test_the_same_source_gives_the_same_hash_whatever_its_dates_and_caches(source: Path, tmp_path: Path) -> None:
    first = packaging.tree_hash(packaging.pipeline_tree(tmp_path / "one"))
    os.utime(source / "lambda/pipeline/one.py", (1, 1))
    (source / "lambda/pipeline/__pycache__").mkdir()
    (source / "lambda/pipeline/__pycache__/one.cpython-311.pyc").write_bytes(b"cache")
    (source / "lambda/pipeline/one.py").chmod(0o600)
    assert packaging.tree_hash(packaging.pipeline_tree(tmp_path / "two")) == first


def test_every_change_of_the_source_gives_another_hash(source: Path, tmp_path: Path) -> None:
    hashes = [packaging.tree_hash(packaging.reward_tree(tmp_path / "build"))]
    (source / "lambda/contracts/one.py").write_text("WHERE = 'elsewhere'\n")
    hashes.append(packaging.tree_hash(packaging.reward_tree(tmp_path / "build")))
    (source / "lambda/reward/one.py").rename(source / "lambda/reward/two.py")
    hashes.append(packaging.tree_hash(packaging.reward_tree(tmp_path / "build")))
    assert len(set(hashes)) == 3


def test_a_change_of_the_pipeline_leaves_the_published_reward_alone(source: Path, tmp_path: Path) -> None:
    before = packaging.reward_tree(tmp_path / "build")
    (source / "lambda/pipeline/one.py").write_text("WHERE = 'changed'\n")
    assert packaging.reward_tree(tmp_path / "build") == before


def test_the_trees_hold_what_the_functions_import_and_nothing_else(tmp_path: Path) -> None:
    reward, pipeline = packaging.reward_tree(tmp_path), packaging.pipeline_tree(tmp_path)
    assert {entry.name for entry in reward.iterdir()} == {"reward", "contracts"}
    assert {entry.name for entry in pipeline.iterdir()} == {"pipeline", "contracts", "probes"}
    assert (reward / "reward" / "handler.py").is_file()
    for path in [*reward.rglob("*"), *pipeline.rglob("*")]:
        assert path.name not in {"__pycache__", "tests"} and path.suffix != ".pyc"
        assert path.stat().st_mtime == 315_532_800


def test_a_missing_folder_is_named(source: Path, tmp_path: Path) -> None:
    shutil.rmtree(source / "datasets/probes")
    with pytest.raises(InvalidInput, match=r"datasets/probes: is missing"):
        packaging.pipeline_tree(tmp_path / "build")


def test_an_interrupted_build_leaves_nothing_that_a_later_one_would_take(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", stop)
        with pytest.raises(KeyboardInterrupt):
            packaging.reward_tree(tmp_path / "build")
    assert not list((tmp_path / "build").iterdir())
    assert (packaging.reward_tree(tmp_path / "build") / "reward" / "one.py").is_file()


def test_a_lock_that_cannot_be_installed_as_pure_python_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("attrs==26.1.0\n")  # no hash
    with pytest.raises(InvalidInput, match="hash"):
        packaging.sdk_layer_tree(tmp_path / "build", lock)
    assert not list((tmp_path / "build").iterdir())


def test_the_layer_is_pure_python_small_and_knows_reinforcement_fine_tuning() -> None:
    layer = packaging.sdk_layer_tree()
    files = [path for path in layer.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".so", ".pyd", ".pyc"} or path.name in {"RECORD", "direct_url.json"}]
    assert sum(path.stat().st_size for path in files) < 15_000_000
    data = layer / "python" / "botocore" / "data"
    assert {entry.name for entry in data.iterdir() if entry.is_dir()} == set(packaging.SDK_SERVICES)
    model = json.loads(gzip.decompress(next((data / "bedrock").rglob("service-2.json.gz")).read_bytes()))
    assert "REINFORCEMENT_FINE_TUNING" in model["shapes"]["CustomizationType"]["enum"]


def test_the_layer_built_elsewhere_has_the_same_hash(tmp_path: Path) -> None:
    elsewhere = packaging.sdk_layer_tree(tmp_path)
    assert elsewhere != packaging.sdk_layer_tree()
    assert packaging.tree_hash(elsewhere) == packaging.tree_hash(packaging.sdk_layer_tree())


def test_every_service_the_functions_call_is_in_the_layer() -> None:
    spec = importlib.util.find_spec("pipeline")
    assert spec and spec.submodule_search_locations
    source = "".join(path.read_text() for path in Path(next(iter(spec.submodule_search_locations))).glob("*.py"))
    called = {part.split('"', 1)[0] for part in source.split('boto3.client("')[1:]}
    assert called and called <= set(packaging.SDK_SERVICES)


def imported(tree: Path) -> set[str]:
    """The top-level modules that a tree's code imports when it runs, wherever in a file."""
    found: set[str] = set()
    for path in tree.rglob("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for_types = [node for node in ast.walk(module) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
        unused = {inner for node in for_types for inner in ast.walk(node)}
        for node in ast.walk(module):
            if isinstance(node, ast.Import) and node not in unused:
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node not in unused:
                found.add(str(node.module).partition(".")[0])
    return found


def third_party(tree: Path) -> set[str]:
    return imported(tree) - sys.stdlib_module_names - {tree.name, *(entry.name for entry in tree.iterdir())}


def test_the_functions_import_their_own_code_and_their_layers_and_nothing_of_the_tools(tmp_path: Path) -> None:
    assert third_party(packaging.pipeline_tree(tmp_path)) <= {"boto3", "botocore", "attrs", "attr", "cattrs"}
    # Each only where settings name the grader that needs it, from its layer or the runtime's own SDK.
    assert third_party(packaging.reward_tree(tmp_path) / "reward") - {"contracts"} == {
        "boto3",
        "botocore",
        "latex2sympy2_extended",
        "sympy",
    }


def test_an_import_of_a_tool_would_be_seen(source: Path, tmp_path: Path) -> None:
    (source / "lambda/reward/one.py").write_text("def late():\n    from hypothesis import given\n    import pytest.mark as m\n")
    assert third_party(packaging.reward_tree(tmp_path / "build")) == {"hypothesis", "pytest"}


@pytest.mark.parametrize(
    ("layer", "lock"),
    [(packaging.sdk_layer_tree, packaging.SDK_LOCK), (packaging.symbolic_layer_tree, packaging.SYMBOLIC_LOCK)],
    ids=["sdk", "symbolic"],
)
def test_a_layer_holds_the_locked_packages_and_no_tests_or_commands(layer: Callable[[], Path], lock: Path) -> None:
    python = layer() / "python"
    held = {entry.name.removesuffix(".dist-info").rpartition("-")[0].replace("_", "-").lower() for entry in python.glob("*.dist-info")}
    assert held == set(re.findall(r"(?m)^([a-z0-9-]+)==", lock.read_text()))
    assert not [path for path in python.rglob("*") if path.name in {"tests", "__pycache__", "bin", "conftest.py"}]
