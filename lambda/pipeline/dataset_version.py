"""Splits a dataset and names the result by its content: the same records under the same split are the same version. No AWS calls here."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from contracts import names
from contracts.settings import DatasetSettings

from pipeline.dataset_reading import Entry, sizes

VERSION_DIGITS = 12


@attrs.frozen
class Version:
    """A dataset version.

    Attributes:
        version: the first 12 hexadecimal digits of `sha256`.
        sha256: over every record in order of its prompt's hash, then the split settings.
        splits: the bytes of each split's file.
        prompts: how many records each split holds.
        prompt_characters: p50, p99 and max over all prompts.
    """

    version: str
    sha256: str
    splits: dict[str, bytes]
    prompts: dict[str, int]
    prompt_characters: dict[str, int]


def version_of(entries: Sequence[Entry], settings: DatasetSettings) -> Version:
    """Sorts by the hash of the prompt, cuts by the fractions, and names the result.

    A hash has nothing to do with the order of the upload, so the splits are a fair draw, and the same draw every time.
    """
    ordered = sorted(entries, key=lambda entry: entry.prompt_sha256)
    cut = sizes(len(ordered), settings)
    parts = {
        names.SPLIT_HELDOUT: ordered[: cut.heldout],
        names.SPLIT_VALIDATION: ordered[cut.heldout : cut.heldout + cut.validation],
        names.SPLIT_TRAIN: ordered[cut.heldout + cut.validation :],
    }
    splits = {split: b"".join(entry.line for entry in part) for split, part in parts.items()}
    sha256 = content_sha256(splits, split_settings(settings))
    return Version(
        version=sha256[:VERSION_DIGITS],
        sha256=sha256,
        splits=splits,
        prompts={split: len(part) for split, part in parts.items()},
        prompt_characters=_lengths([entry.prompt_characters for entry in ordered]),
    )


def content_sha256(splits: Mapping[str, bytes], fractions: Mapping[str, float]) -> str:
    """What a version is named by, from the bytes of its splits and the settings that cut them.

    Held-out, validation and train, in this order, are the records in order of their prompts' hashes: so content proves its own name.
    """
    digest = hashlib.sha256()
    for split in (names.SPLIT_HELDOUT, names.SPLIT_VALIDATION, names.SPLIT_TRAIN):
        digest.update(splits[split])
    digest.update(json.dumps(dict(fractions), sort_keys=True).encode())
    return digest.hexdigest()


def split_settings(settings: DatasetSettings) -> dict[str, float]:
    return {"validation_fraction": settings.validation_fraction, "heldout_fraction": settings.heldout_fraction}


def manifest(
    dataset: str, version: Version, *, source: Mapping[str, Any], forms: Mapping[str, int], settings: DatasetSettings, registered_at: str
) -> dict[str, Any]:
    """`manifest.json`: what the version holds, where it came from, and the hash of every file."""
    return {
        "dataset": dataset,
        "version": version.version,
        "sha256": version.sha256,
        "prompts": version.prompts,
        "files": {
            split: {"file": f"{split}.jsonl", "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
            for split, body in version.splits.items()
        },
        "prompt_characters": version.prompt_characters,
        "forms": dict(forms),
        "split": split_settings(settings),
        "source": dict(source),
        "registered_at": registered_at,
    }


def _lengths(lengths: Sequence[int]) -> dict[str, int]:
    centiles = statistics.quantiles(lengths, n=100, method="inclusive")
    return {"p50": round(centiles[49]), "p99": round(centiles[98]), "max": max(lengths)}
