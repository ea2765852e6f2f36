"""What is uploaded for the functions: built without Docker, and the same input always gives the same asset hash.

Trees are assembled under `.build/`, each in a directory named by the hash of its content, and reused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from contracts.errors import InvalidInput

ROOT = Path(__file__).resolve().parent.parent
LAMBDA = ROOT / "lambda"
BUILD = ROOT / ".build"
SDK_LOCK = LAMBDA / "sdk" / "requirements.txt"
SYMBOLIC_LOCK = LAMBDA / "symbolic" / "requirements.txt"
SYMBOLIC_GRADER = "symbolic"

PYTHON_OF_FUNCTIONS = "3.14"

SDK_SERVICES = ("bedrock", "bedrock-runtime", "events", "kms", "lambda", "logs", "s3", "sns", "ssm", "stepfunctions", "sts")
"""Services the functions call; the models of the other four hundred would only slow the cold start."""

_SDK_COMMON = ("endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json")
_SKIPPED_DIRECTORIES = {"__pycache__", "tests", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
_SKIPPED_SUFFIXES = {".pyc", ".pyo"}
_TEST_FILES = {"conftest.py"}
_MACHINE_SPECIFIC = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
_LAYER_FORMAT = "4"
_FIXED_TIME = 315_532_800  # 1980-01-01, the earliest a zip archive can hold


def reward_tree(build: Path = BUILD) -> Path:
    """The directory uploaded for the reward function: `reward/` and `contracts/`."""
    return _assembled("reward", {"reward": LAMBDA / "reward", "contracts": LAMBDA / "contracts"}, build)


def pipeline_tree(build: Path = BUILD) -> Path:
    """The directory uploaded for the pipeline's functions: `pipeline/`, `contracts/` and `probes/`."""
    sources = {"pipeline": LAMBDA / "pipeline", "contracts": LAMBDA / "contracts", "probes": ROOT / "datasets" / "probes"}
    return _assembled("pipeline", sources, build)


def sdk_layer_tree(build: Path = BUILD, lock: Path = SDK_LOCK) -> Path:
    """The directory uploaded as the layer: what `lambda/sdk/requirements.txt` locks, pure Python, under `python/`.

    Raises:
        InvalidInput: if pip cannot install exactly the locked wheels, or one of them holds machine code.
    """
    # The lock pins every wheel by hash, so its bytes and this recipe decide the result.
    recipe = "\n".join([_LAYER_FORMAT, PYTHON_OF_FUNCTIONS, *SDK_SERVICES, *_SDK_COMMON])
    key = hashlib.sha256(lock.read_bytes() + recipe.encode()).hexdigest()[:16]
    return _once(build / f"sdk-{key}", lambda target: _install(lock, target))


def symbolic_layer_tree(build: Path = BUILD, lock: Path = SYMBOLIC_LOCK) -> Path:
    """The directory uploaded as the reward function's second layer, where settings name the grader that reads LaTeX.

    Raises:
        InvalidInput: as `sdk_layer_tree`.
    """
    key = hashlib.sha256(lock.read_bytes() + f"{_LAYER_FORMAT}\n{PYTHON_OF_FUNCTIONS}".encode()).hexdigest()[:16]
    return _once(build / f"symbolic-{key}", lambda target: _install(lock, target))


def needs_symbolic_layer(grader: str, options: object) -> bool:
    """Whether a grader, or one anywhere in its options, is the one that reads LaTeX."""
    if grader == SYMBOLIC_GRADER:
        return True
    if isinstance(options, Mapping):
        return needs_symbolic_layer(str(options.get("grader", "")), list(options.values()))
    return isinstance(options, (list, tuple)) and any(needs_symbolic_layer("", option) for option in options)


def tree_hash(tree: Path) -> str:
    """SHA-256 over the relative path and bytes of every file, in order; the asset hash."""
    digest = hashlib.sha256()
    for path in sorted(_files(tree), key=lambda found: found.relative_to(tree).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(tree).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(tree: Path) -> Iterator[Path]:
    for path in tree.rglob("*"):
        relative = path.relative_to(tree)
        if path.is_file() and not _SKIPPED_DIRECTORIES.intersection(relative.parts) and path.suffix not in _SKIPPED_SUFFIXES:
            yield path


def _assembled(name: str, sources: dict[str, Path], build: Path) -> Path:
    digest = hashlib.sha256()
    for folder, source in sorted(sources.items()):
        if not source.is_dir():
            raise InvalidInput(str(source.relative_to(ROOT)), ["is missing; allowed is the directory that ships with the repository"])
        digest.update(f"{folder}={tree_hash(source)};".encode())

    def fill(target: Path) -> None:
        for folder, source in sources.items():
            for path in _files(source):
                copy = target / folder / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)

    return _once(build / f"{name}-{digest.hexdigest()[:16]}", fill)


def _once(target: Path, fill: Callable[[Path], None]) -> Path:
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Built aside and moved into place, so that neither an interrupted build nor two at once leave half a tree.
    aside = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        fill(aside)
        _settle(aside)
        try:
            aside.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _settle(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_FIXED_TIME, _FIXED_TIME))


def _install(lock: Path, target: Path) -> None:
    python = target / "python"
    # Platform "any" takes wheels without machine code only, so one layer serves arm64, x86 and a laptop.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]
    command += [f"--python-version={PYTHON_OF_FUNCTIONS}", f"--target={python}", f"--requirement={lock}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments, no shell
    if done.returncode:
        raise InvalidInput(str(lock), [f"pip could not install it as pure-Python wheels: {done.stderr.strip()[-800:]}"])
    _trim(python)
    compiled = [path.name for path in python.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}]
    if compiled:
        raise InvalidInput(str(lock), [f"holds machine code ({', '.join(compiled[:5])}); allowed are pure-Python wheels"])


def _trim(python: Path) -> None:
    shutil.rmtree(python / "bin", ignore_errors=True)
    for data in (python / "botocore" / "data", python / "boto3" / "data"):
        for entry in list(data.iterdir()) if data.is_dir() else ():
            if entry.is_dir() and entry.name not in SDK_SERVICES:
                shutil.rmtree(entry)
            elif entry.is_file() and entry.name not in _SDK_COMMON:
                entry.unlink()
    shutil.rmtree(python / "boto3" / "examples", ignore_errors=True)
    for path in list(python.rglob("*")):
        if path.is_dir() and path.name in _SKIPPED_DIRECTORIES:
            shutil.rmtree(path)
        elif path.name in _TEST_FILES or (path.name in _MACHINE_SPECIFIC and path.parent.suffix == ".dist-info"):
            path.unlink()
