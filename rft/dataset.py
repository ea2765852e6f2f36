"""`rft dataset`: add a dataset and see what is registered."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from botocore.exceptions import ClientError
from contracts import names

from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import facts, table

if TYPE_CHECKING:
    from rft.output import Progress
    from rft.target import Target

FOLLOW_SECONDS = 300.0
"""Registration takes seconds; a silence this long means that the event or the function is broken."""

SHOWN_FAULTS = 20


@attrs.frozen(kw_only=True)
class Registration:
    """What became of an upload.

    Attributes:
        version: 12 hexadecimal digits, or None when it was rejected.
        faults: how many were found; `shown` has the first of them in words.
        report: S3 URI of the manifest or of the rejection report.
    """

    dataset: str
    version: str | None
    faults: int = 0
    shown: tuple[str, ...] = ()
    report: str = ""
    upload: str = ""
    prompts: dict[str, int] = attrs.field(factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"status": "registered" if self.version else "rejected", **attrs.asdict(self), "shown": list(self.shown)}


@click.group()
def dataset() -> None:
    """Add datasets and see what is registered."""


@dataset.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--name", help="The dataset's name; by default made from the file's.")
@cloud_options
def add(call: Invocation, file: Path, name: str | None) -> None:
    """Upload FILE (JSON Lines) and wait until it is registered or rejected."""
    target = call.target()
    with call.output.progress(f"uploading {file.name}") as progress:
        found = register(target, file, name=name, progress=progress)
    if found.version:
        prompts = ", ".join(f"{count} {split}" for split, count in found.prompts.items())
        call.output.result(
            found.as_json(),
            facts({"dataset": found.dataset, "version": found.version, "prompts": prompts, "manifest": found.report}),
        )
        call.output.say(f"next: rft run start --dataset {found.dataset}")
        return
    shown = found.shown[:SHOWN_FAULTS]
    more = found.faults - len(shown)
    text = "\n".join(
        [f"rejected: {found.faults} problems", *(f"  - {fault}" for fault in shown), *([f"  … and {more} more"] if more > 0 else [])]
    )
    call.output.result(found.as_json(), f"{text}\nreport:  {found.report}\nupload stays at {found.upload}")
    call.output.say("next: mend the lines and add the file again")
    raise click.exceptions.Exit(Exit.FAILED)


@dataset.command("list")
@cloud_options
def list_datasets(call: Invocation) -> None:
    """The registered datasets and their latest versions."""
    target = call.target()
    bucket = target.parts.datasets_bucket
    found = []
    with call.output.progress("reading the datasets", only_live=True):
        for page in target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=names.DATASETS, Delimiter="/"):
            for prefix in page.get("CommonPrefixes", []):
                name = prefix["Prefix"].removeprefix(names.DATASETS).rstrip("/")
                latest = target.read_json(bucket, names.latest_key(name))
                if latest:
                    found.append({"dataset": name, "version": latest["version"], "registered_at": latest["registered_at"]})
    rows = [(item["dataset"], item["version"], item["registered_at"]) for item in found]
    call.output.result(
        found, table(("DATASET", "LATEST VERSION", "REGISTERED"), rows, empty="no dataset is registered; add one: rft dataset add FILE")
    )


@dataset.command("show")
@click.argument("name")
@click.option("--version", "version", help="12 hexadecimal digits; by default the latest.")
@cloud_options
def show(call: Invocation, name: str, version: str | None) -> None:
    """One version of a dataset: its counts, hashes and source."""
    target = call.target()
    bucket = target.parts.datasets_bucket
    chosen = version or latest_version(target, name)
    manifest = target.read_json(bucket, names.manifest_key(name, chosen))
    if manifest is None:
        raise Failure(f"dataset {name} has no version {chosen}", hint="rft dataset list", code=Exit.NOT_FOUND)
    flat = {key: value for key, value in manifest.items() if not isinstance(value, dict | list)}
    nested = {
        f"{key}.{inner}": value
        for key, table_ in manifest.items()
        if isinstance(table_, dict)
        for inner, value in table_.items()
        if not isinstance(value, dict | list)
    }
    call.output.result(manifest, facts({**flat, **nested}))


def latest_version(target: Target, name: str) -> str:
    """The version that was registered last.

    Raises:
        Failure: usage for a name that cannot be one, not found for one that is not registered.
    """
    latest = target.read_json(target.parts.datasets_bucket, names.latest_key(checked_name(name)))
    if latest is None:
        raise Failure(
            f"no dataset {name} is registered in {target.environment}",
            where=target.place,
            hint="rft dataset list, or rft dataset add FILE",
            code=Exit.NOT_FOUND,
        )
    return str(latest["version"])


def checked_name(name: str) -> str:
    """The name, when a dataset may have it.

    Raises:
        Failure: usage, saying what is allowed.
    """
    if len(name) > 32 or not names.DATASET_NAME_PATTERN.fullmatch(name):
        raise Failure(
            f"dataset name {name[:60]!r} is not allowed",
            hint="allowed are lower-case letters, digits and single hyphens, at most 32; give one with --name",
            code=Exit.USAGE,
        )
    return name


def register(target: Target, file: Path, *, name: str | None, progress: Progress | None = None) -> Registration:
    """Uploads a file and waits for the pipeline's verdict.

    Raises:
        Failure: for a bad name or file, and when no verdict comes within five minutes.
    """
    if file.suffix != ".jsonl":
        raise Failure("the file's name does not end in .jsonl", where=str(file), hint="allowed is one JSON object a line", code=Exit.USAGE)
    dataset_name = checked_name(name or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:32].rstrip("-"))
    bucket = target.parts.datasets_bucket
    file_name = re.sub(r"[^A-Za-z0-9_.-]+", "-", file.name).lstrip(".-")
    key = f"{names.INCOMING}{dataset_name}/{file_name}"
    latest = names.latest_key(dataset_name)
    before = _marks(target, bucket, latest)
    rejections = _rejections(target, bucket, dataset_name)
    with file.open("rb") as body:
        uploaded = target.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/jsonl").get("VersionId", "")
    if progress is not None:
        progress.update("waiting for registration: every line is checked, the set is split and hashed")
    deadline = time.monotonic() + FOLLOW_SECONDS
    while time.monotonic() < deadline:
        changed = _marks(target, bucket, latest) != before
        if changed and (version := _version_of(target, bucket, dataset_name, uploaded)):
            return _registered(target, bucket, dataset_name, version)
        fresh = {mark for mark in _rejections(target, bucket, dataset_name) if mark not in rejections and f"/{file_name}." in mark[0]}
        if fresh:
            report_key = fresh.pop()[0]
            report = target.read_json(bucket, report_key) or {}
            return Registration(
                dataset=dataset_name,
                version=None,
                faults=int(report.get("faults", 0)),
                shown=tuple(report.get("shown", ())),
                report=f"s3://{bucket}/{report_key}",
                upload=f"s3://{bucket}/{key}",
            )
        time.sleep(target.poll_seconds / 2)
    raise Failure(
        f"{file.name} was uploaded, and after {FOLLOW_SECONDS / 60:.0f} minutes it is neither registered nor rejected",
        where=f"s3://{bucket}/{key}",
        hint="look at the log of the register_dataset function and the dead-letter queue of its rule",
    )


def _version_of(target: Target, bucket: str, name: str, uploaded: str) -> str | None:
    """The version that an upload became, or None: what was registered meanwhile may be somebody else's."""
    latest = target.read_json(bucket, names.latest_key(name)) or {}
    upload = (latest.get("upload") or {}).get("version_id")
    if upload in (None, uploaded):
        return str(latest["version"]) if latest else None
    # Another upload came after it, and is the latest.
    for page in target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{names.DATASETS}{name}/", Delimiter="/"):
        for prefix in page.get("CommonPrefixes", []):
            version = prefix["Prefix"].rstrip("/").rpartition("/")[2]
            manifest = target.read_json(bucket, names.manifest_key(name, version)) or {}
            if manifest.get("source", {}).get("version_id") == uploaded:
                return version
    return None


def _registered(target: Target, bucket: str, name: str, version: str) -> Registration:
    manifest_key = names.manifest_key(name, version)
    manifest = target.read_json(bucket, manifest_key) or {}
    prompts = {str(split): int(count) for split, count in (manifest.get("prompts") or {}).items()}
    return Registration(dataset=name, version=version, report=f"s3://{bucket}/{manifest_key}", prompts=prompts)


def _marks(target: Target, bucket: str, key: str) -> tuple[str, str] | None:
    """What changes each time an object is written, also with equal content."""
    try:
        head = target.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"].get("Code") in ("404", "NoSuchKey"):
            return None
        raise
    return str(head.get("VersionId", "")), head["LastModified"].isoformat()


def _rejections(target: Target, bucket: str, name: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for page in target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{names.REJECTED}{name}/"):
        # A file rejected twice has one report, written twice.
        found |= {(item["Key"], item["LastModified"].isoformat()) for item in page.get("Contents", [])}
    return found
