"""Whether a registered dataset version is what its name says, and putting it back when it is not.

A version is named by the hash of its content, so the name alone proves it: a manifest that was replaced together with its files
does not pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
from contracts import names
from pipeline.dataset_version import VERSION_DIGITS, content_sha256

from rft.backup_objects import Copy, bring_back, copies, read
from rft.exits import Exit, Failure

if TYPE_CHECKING:
    from rft.target import Target

SPLITS = (names.SPLIT_TRAIN, names.SPLIT_VALIDATION, names.SPLIT_HELDOUT)


@attrs.frozen(kw_only=True)
class Restored:
    """What was put back.

    Attributes:
        files: key -> where it came from; empty when nothing was damaged.
        intact: keys that were as they should be.
    """

    files: dict[str, str]
    intact: tuple[str, ...]


def registered(target: Target, dataset: str | None = None) -> list[tuple[str, str]]:
    """Dataset and version of everything that was ever registered, deleted ones included."""
    prefix = f"{names.DATASETS}{dataset}/" if dataset else names.DATASETS
    found = copies(target, target.parts.datasets_bucket, prefix)
    places = {tuple(key.removeprefix(names.DATASETS).split("/")[:2]) for key in found if key.count("/") == 3}
    return sorted((name, version) for name, version in places)


def problems(target: Target, dataset: str, version: str) -> list[str]:
    """What is wrong with a version as it is now, one line each; nothing when its content proves its name."""
    bucket = target.parts.datasets_bucket
    manifest = target.read_json(bucket, names.manifest_key(dataset, version))
    if manifest is None:
        return ["manifest.json is missing"]
    bodies = {split: target.read_bytes(bucket, names.split_key(dataset, version, split)) for split in SPLITS}
    missing = [f"{split}.jsonl is missing" for split, body in bodies.items() if body is None]
    if missing:
        return missing
    held = {split: body for split, body in bodies.items() if body is not None}
    changed = [f"{split}.jsonl is not what was registered" for split, body in held.items() if _sha256(body) != _listed(manifest, split)]
    if not changed and not proves(manifest, held, version):
        return ["manifest.json and files agree with each other, and not with the version's name: they were replaced together"]
    return changed


def restore(target: Target, dataset: str, version: str) -> Restored:
    """Finds, among all versions and copies, the files whose content proves the version's name, and makes them current.

    Raises:
        Failure: when no such set of files is left anywhere.
    """
    bucket = target.parts.datasets_bucket
    held = copies(target, bucket, names.dataset_key(dataset, version, ""))
    bodies: dict[Copy, bytes] = {}

    def body(copy: Copy) -> bytes:
        if copy not in bodies:
            bodies[copy] = read(target, copy)
        return bodies[copy]

    for manifest_copy in held.get(names.manifest_key(dataset, version), []):
        manifest = _json(body(manifest_copy))
        chosen = {
            split: _matching(held.get(names.split_key(dataset, version, split), []), _listed(manifest, split), body) for split in SPLITS
        }
        files = {split: copy for split, copy in chosen.items() if copy is not None}
        if len(files) == len(SPLITS) and proves(manifest, {split: body(copy) for split, copy in files.items()}, version):
            return _put_back(target, bucket, [manifest_copy, *files.values()])
    raise Failure(
        f"dataset {dataset}: no versions or copies are left whose content is version {version}",
        where=f"s3://{bucket}/{names.dataset_key(dataset, version, '')}",
        hint="if the upload still exists, add it again: equal content becomes the same version",
        code=Exit.NOT_FOUND,
    )


def proves(manifest: Any, bodies: Mapping[str, bytes], version: str) -> bool:
    """Whether files and manifest are the version of this name."""
    try:
        sha256 = content_sha256(bodies, manifest["split"])
    except (KeyError, TypeError):
        return False
    return bool(sha256 == manifest.get("sha256") and sha256[:VERSION_DIGITS] == version)


def _put_back(target: Target, bucket: str, chosen: list[Copy]) -> Restored:
    files: dict[str, str] = {}
    for copy in chosen:
        if not copy.current:
            bring_back(target, copy, bucket)
            files[copy.key] = copy.describe()
    return Restored(files=files, intact=tuple(copy.key for copy in chosen if copy.current))


def _matching(candidates: list[Copy], sha256: str | None, body: Callable[[Copy], bytes]) -> Copy | None:
    return next((copy for copy in candidates if sha256 and _sha256(body(copy)) == sha256), None)


def _listed(manifest: Any, split: str) -> str | None:
    try:
        return str(manifest["files"][split]["sha256"])
    except (KeyError, TypeError):
        return None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
