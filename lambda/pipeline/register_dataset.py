"""Registers an uploaded dataset: checks every line, splits, hashes, and writes the version. A bad upload is reported and stays where it is.

Event: EventBridge `Object Created` from S3 for `incoming/<dataset>/<file>.jsonl` in the datasets bucket.

Permissions:
  s3:GetObject, s3:GetObjectVersion on <datasets bucket>/incoming/*; s3:ListBucket on the datasets bucket, s3:prefix incoming/*, datasets/*
  s3:GetObject, s3:PutObject on <datasets bucket>/datasets/*; s3:PutObject on <datasets bucket>/rejected/*
  kms:Decrypt, kms:GenerateDataKey on the data key
  events:PutEvents on the bus; sns:Publish on the topic, with kms:Decrypt and kms:GenerateDataKey on the topic's key
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_DATASETS_BUCKET, RFT_BUS, RFT_TOPIC_ARN.
Memory: three times `dataset.max_megabytes`, and not under 512 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs
from botocore.exceptions import ClientError
from contracts import names, runbooks
from contracts.chat import Step
from contracts.emf import emit
from contracts.events import RunEvent
from contracts.metrics import Metric

from pipeline import aws, config, latest_version, notices, store
from pipeline.dataset_reading import Faults, count_faults, read
from pipeline.dataset_version import Version, manifest, version_of
from pipeline.task import Event, Result, log, now, task

_KEY = re.compile(rf"{re.escape(names.INCOMING)}(?P<dataset>[^/]+)/(?P<file>[\w.+-]+\.jsonl)")
CHUNK_BYTES = 1 << 20


@attrs.frozen(kw_only=True)
class Upload:
    """The object an event speaks of, in exactly the version it speaks of.

    Attributes:
        at: when it was uploaded, by S3's clock: UTC, ISO 8601, whole seconds.
        sequencer: hexadecimal digits that grow with each upload of the same key.
    """

    bucket: str
    key: str
    etag: str
    size: int
    version_id: str | None
    at: str
    sequencer: str

    @classmethod
    def of(cls, event: Event) -> Upload:
        detail = event["detail"]
        found = detail["object"]
        return cls(
            bucket=str(detail["bucket"]["name"]),
            key=str(found["key"]),
            etag=str(found.get("etag", "")).strip('"'),
            size=int(found.get("size", 0)),
            version_id=found.get("version-id") or None,
            at=str(event["time"]),
            sequencer=str(found.get("sequencer", "")),
        )


@task
def handler(event: Event) -> Result:
    upload = Upload.of(event)
    if upload.bucket != config.variable(names.ENV_DATASETS_BUCKET) or not upload.key.startswith(names.INCOMING):
        return {"status": "ignored", "why": f"not an upload under {names.INCOMING} of the datasets bucket"}
    faults = Faults()
    for fault in key_faults(upload.key) + size_faults(upload.size, config.settings().dataset.max_megabytes):
        faults.add(fault)
    if faults.total:
        return _reject(upload, faults, prompts=0)
    try:
        reading = read(_chunks(upload))
    except ClientError as error:
        if aws.code_of(error) in {"NoSuchKey", "NoSuchVersion"}:
            return {"status": "gone", "why": "the upload was deleted before it could be read"}
        raise
    # The counts are said first: they are the fault to mend when a file is simply too small.
    for fault in reversed(count_faults(reading.prompts, config.settings().dataset)):
        reading.faults.total += 1
        reading.faults.shown.insert(0, fault)
    if reading.faults.total:
        return _reject(upload, reading.faults, prompts=reading.prompts)
    return _register(upload, version_of(reading.entries, config.settings().dataset), reading.forms)


def key_faults(key: str) -> list[str]:
    """A line if the key names no dataset and file."""
    found = _KEY.fullmatch(key)
    if found is None:
        return ["the key is not incoming/<dataset>/<file>.jsonl; allowed in the file's name are letters, digits and . _ + -"]
    if not names.DATASET_NAME_PATTERN.fullmatch(found["dataset"]) or len(found["dataset"]) > 32:
        return [f"the dataset's name {found['dataset'][:60]!r} is not allowed: lower-case letters, digits and single hyphens, at most 32"]
    return []


def size_faults(size: int, max_megabytes: int) -> list[str]:
    """A line if the object is empty or too large."""
    if size > max_megabytes * 1_000_000:
        return [f"the file holds {size / 1e6:,.1f} MB; allowed are at most {max_megabytes} MB (dataset.max_megabytes)"]
    return [] if size else ["the file is empty; allowed is one JSON object a line"]


def _chunks(upload: Upload) -> Iterator[bytes]:
    version = {"VersionId": upload.version_id} if upload.version_id else {}
    body = aws.s3().get_object(Bucket=upload.bucket, Key=upload.key, **version)["Body"]  # type: ignore[arg-type]
    return iter(body.iter_chunks(CHUNK_BYTES))


def _register(upload: Upload, version: Version, forms: dict[str, int]) -> Result:
    dataset, settings = _dataset(upload.key), config.settings().dataset
    for split, body in version.splits.items():
        store.write_bytes(upload.bucket, names.split_key(dataset, version.version, split), body, "application/jsonl")
    source = {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id, "etag": upload.etag, "size": upload.size}
    described = manifest(dataset, version, source=source, forms=forms, settings=settings, registered_at=now())
    key = names.manifest_key(dataset, version.version)
    # The first registration of a version is its record; the same content uploaded again adds nothing to it.
    if not store.write_once(upload.bucket, key, described):
        described = store.read_json(upload.bucket, key)
    latest_version.put(
        upload.bucket,
        dataset,
        {
            "version": version.version,
            "manifest": store.uri(upload.bucket, key),
            "registered_at": described["registered_at"],
            "upload": {"key": upload.key, "version_id": upload.version_id, "at": upload.at, "sequencer": upload.sequencer},
        },
    )
    detail = {
        "dataset": dataset,
        "dataset_version": version.version,
        "sha256": version.sha256,
        "prompts": version.prompts,
        "manifest": store.uri(upload.bucket, key),
        "source": {"key": upload.key, "version_id": upload.version_id},
    }
    notices.announce(RunEvent.DATASET_REGISTERED, detail)
    emit({Metric.DATASET_REGISTERED: 1}, environment=config.environment(), run_id=None)
    log("dataset registered", dataset=dataset, version=version.version, prompts=sum(version.prompts.values()))
    return {"status": "registered", **detail}


def _reject(upload: Upload, faults: Faults, *, prompts: int) -> Result:
    dataset = _dataset(upload.key)
    # All of the key that the dataset's name does not say, so that no two uploads share a report.
    file = re.sub(r"[^\w.+-]", "-", upload.key.removeprefix(names.INCOMING).removeprefix(f"{dataset}/"))[-200:] or "file"
    key = names.rejection_key(dataset, file, upload.etag or "no-etag")
    report = {
        "dataset": dataset,
        "source": {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id, "size": upload.size},
        "prompts": prompts,
        "faults": faults.total,
        "shown": faults.shown,
        "rejected_at": now(),
    }
    store.write_json(upload.bucket, key, report)
    detail = {
        "dataset": dataset,
        "source": {"key": upload.key, "version_id": upload.version_id},
        "faults": faults.total,
        "reasons": faults.shown[:10],
        "report": store.uri(upload.bucket, key),
    }
    notices.announce(RunEvent.DATASET_REJECTED, detail)
    emit({Metric.DATASET_REJECTED: 1}, environment=config.environment(), run_id=None)
    more = f"\n… and {faults.total - 10} more" if faults.total > 10 else ""
    notices.tell(
        f"dataset {dataset} rejected",
        f"{store.uri(upload.bucket, upload.key)} was not registered. It stays where it is.\n"
        + "\n".join(f"- {fault}" for fault in faults.shown[:10])
        + f"{more}\nReport: {store.uri(upload.bucket, key)}",
        steps=[Step(what="Mend it and upload it again", command=f"rft dataset add FILE --env {config.environment()}")],
        page=runbooks.DATASET_REJECTED,
    )
    log("dataset rejected", dataset=dataset, faults=faults.total)
    return {"status": "rejected", **detail}


def _dataset(key: str) -> str:
    name = key.removeprefix(names.INCOMING).partition("/")[0]
    return name if names.DATASET_NAME_PATTERN.fullmatch(name) and len(name) <= 32 else "unnamed"
