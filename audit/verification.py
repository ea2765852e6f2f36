"""Checks a run's signed records: the signature, the digest of every record, the dataset they name, the job Bedrock still knows.

Reads only; where the records come from and who verifies the signature is up to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Protocol

import attrs
from contracts import names
from contracts.errors import InvalidInput
from pipeline import attestation, jobs
from pipeline.attestation import Attestation


class Finding(StrEnum):
    """What a check found. Only `TAMPERED` says that something is not what was signed."""

    OK = "ok"
    TAMPERED = "tampered"
    UNCHECKED = "not checked"


@attrs.frozen
class Check:
    """One line of the verdict.

    Attributes:
        subject: what was looked at: `signature`, `records`, a file of the run, `dataset …`, `job`.
        detail: why, in a sentence; digests are shortened.
    """

    subject: str
    finding: Finding
    detail: str


class Records(Protocol):
    """Where records are read from."""

    def read(self, uri: str) -> bytes | None:
        """The object's content, None when there is none."""

    def listed(self, prefix_uri: str) -> Iterable[str]:
        """URIs of the objects below a prefix."""


Verifier = Callable[[Attestation], str]
"""Says in a sentence which key verified the signature; raises `NotVerified`."""


class NotVerified(Exception):
    """The signature does not stand; the message says why."""


@attrs.frozen(kw_only=True)
class Verdict:
    """What is known of a run's records.

    Attributes:
        signed_at: when, as the statement says; empty when there is none that can be read.
    """

    run_id: str
    signed_at: str
    checks: tuple[Check, ...]

    @property
    def tampered(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.finding is Finding.TAMPERED)

    @property
    def intact(self) -> bool:
        return not self.tampered


def verify(
    run_id: str, *, environment: str, bucket: str, records: Records, verifier: Verifier, job: Callable[[str], Mapping[str, Any] | None]
) -> Verdict:
    """Every check of a run.

    Args:
        bucket: the runs bucket.
        job: the customization job of an ARN, None when it cannot be looked up.
    """
    base = f"s3://{bucket}/{names.record_key(run_id, '')}"
    sealed = records.read(base + names.ATTESTATION)
    if sealed is None:
        return Verdict(run_id=run_id, signed_at="", checks=(Check("signature", Finding.TAMPERED, "the run's records are not signed"),))
    try:
        signed = attestation.parse(sealed)
        detail = verifier(signed)
    except (InvalidInput, NotVerified) as fault:
        return Verdict(run_id=run_id, signed_at="", checks=(Check("signature", Finding.TAMPERED, str(fault)),))
    lineage = _json(records.read(base + names.LINEAGE))
    return Verdict(
        run_id=run_id,
        signed_at=str(signed.predicate["signed_at"]),
        checks=(
            Check("signature", Finding.OK, detail),
            _belongs(signed, run_id, environment, base),
            *_digests(signed, base, records),
            *_unsigned(signed, base, records),
            *_carried(lineage),
            *_dataset(lineage, records),
            *_job(lineage, _json(records.read(base + "plan.json")), job),
        ),
    )


def _belongs(signed: Attestation, run_id: str, environment: str, base: str) -> Check:
    # A statement that is genuine but of another run, copied over this one's.
    stated = (signed.predicate["run_id"], signed.predicate["environment"])
    if stated != (run_id, environment) or base + names.LINEAGE not in signed.digests:
        return Check("statement", Finding.TAMPERED, f"is about run {stated[0]} in {stated[1]}, not about {run_id} in {environment}")
    return Check("statement", Finding.OK, f"is about this run; it names {len(signed.digests)} records")


def _digests(signed: Attestation, base: str, records: Records) -> Iterable[Check]:
    for uri, wanted in signed.digests.items():
        body = records.read(uri)
        if body is None:
            yield Check(_short(uri, base), Finding.TAMPERED, "was signed and is gone")
        elif (found := attestation.sha256(body)) != wanted:
            yield Check(_short(uri, base), Finding.TAMPERED, f"is not what was signed: SHA-256 {found[:12]}…, signed was {wanted[:12]}…")
        else:
            yield Check(_short(uri, base), Finding.OK, f"SHA-256 {found[:12]}…")


def _unsigned(signed: Attestation, base: str, records: Records) -> Iterable[Check]:
    for uri in sorted(set(records.listed(base)) - set(signed.digests) - {base + names.ATTESTATION}):
        if signed.predicate.get("cut_short") is True:
            yield Check(
                _short(uri, base), Finding.UNCHECKED, "not signed: the run was aborted, and a function in flight may have written it"
            )
        else:
            yield Check(_short(uri, base), Finding.TAMPERED, "was added after the records were signed")


def _carried(lineage: Mapping[str, Any]) -> Iterable[Check]:
    for file in lineage.get("altered") or []:
        yield Check(str(file), Finding.TAMPERED, "was altered before it was signed: the run itself carried other content")


def _dataset(lineage: Mapping[str, Any], records: Records) -> Iterable[Check]:
    dataset = lineage.get("dataset")
    if not dataset:
        return
    subject = f"dataset {dataset['name']} {dataset['version']}"
    manifest = _json(records.read(f"{dataset['uri']}manifest.json"))
    if manifest.get("sha256") != dataset["sha256"]:
        yield Check(subject, Finding.TAMPERED, "the registered version's hash is not the one the run was made with")
        return
    for split, file in sorted(manifest.get("files", {}).items()):
        body = records.read(f"{dataset['uri']}{file['file']}")
        if body is None or attestation.sha256(body) != file["sha256"]:
            yield Check(f"{subject} {split}", Finding.TAMPERED, "is gone" if body is None else "is not what was registered")
        else:
            yield Check(f"{subject} {split}", Finding.OK, f"as registered, SHA-256 {file['sha256'][:12]}…")


def _job(lineage: Mapping[str, Any], plan: Mapping[str, Any], look: Callable[[str], Mapping[str, Any] | None]) -> Iterable[Check]:
    arn = (lineage.get("job") or {}).get("job_arn")
    if not arn:
        return
    job = look(str(arn))
    if job is None:
        yield Check("job", Finding.UNCHECKED, "Bedrock no longer knows it, or it may not be looked at")
        return
    model = (lineage.get("model") or {}).get("model_arn")
    pairs = [("model", model, job.get("outputModelArn"))] if model else []
    pairs += [(name, plan.get(key), jobs.echo(job, *path)) for name, key, path in _ECHOES]
    wrong = [f"{name} {shown!r}, recorded was {wanted!r}" for name, wanted, shown in pairs if shown != wanted]
    if wrong:
        yield Check("job", Finding.TAMPERED, f"Bedrock's job has {'; '.join(wrong)}")
    else:
        yield Check("job", Finding.OK, f"Bedrock's job agrees: {', '.join(name for name, _, _ in pairs)}")


_ECHOES = (
    ("name", "job_name", ("jobName",)),
    ("training data", "train_uri", ("trainingDataConfig", "s3Uri")),
    ("output", "output_uri", ("outputDataConfig", "s3Uri")),
    ("grader", "reward_arn", ("customizationConfig", "rftConfig", "graderConfig", "lambdaGrader", "lambdaArn")),
)
"""What Bedrock repeats of a job, and where the plan says it."""


def _json(body: bytes | None) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}  # its digest has been found wrong already
    return found if isinstance(found, dict) else {}


def _short(uri: str, base: str) -> str:
    return uri.removeprefix(base) if uri.startswith(base) else uri.split("/", 3)[-1]
