"""`rft audit verify`: checks a run's signed records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from botocore.exceptions import ClientError
from contracts import names
from pipeline import attestation
from pipeline.attestation import Attestation

from audit.verification import Finding, NotVerified, Records, Verdict, Verifier
from audit.verification import verify as verify_records
from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import table
from rft.run_view import checked_run_id

if TYPE_CHECKING:
    from rft.target import Target

_MARKS = {Finding.OK: "+", Finding.TAMPERED: "x", Finding.UNCHECKED: "?"}


@click.command("verify")
@click.argument("run_id")
@click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Verify the signature on this machine with this PEM file, not through KMS.",
)
@cloud_options
def verify(call: Invocation, run_id: str, public_key: Path | None) -> None:
    """Check that no record of RUN_ID was altered since it was signed. Exit code 5 when one was."""
    target = call.target()
    with call.output.progress("verifying", only_live=True):
        verdict = verdict_on(target, run_id, public_key=public_key)
    call.output.result(as_json(verdict), shown(verdict))
    if not verdict.intact:
        raise click.exceptions.Exit(Exit.TAMPERED)


def verdict_on(target: Target, run_id: str, *, public_key: Path | None = None) -> Verdict:
    """What the records of a run are worth.

    Raises:
        Failure: not found, for a run that left no record; usage, for a file that holds no P-384 public key.
    """
    bucket, records = target.parts.runs_bucket, Stored(target)
    prefix = f"s3://{bucket}/{names.record_key(checked_run_id(run_id), '')}"
    if next(iter(records.listed(prefix)), None) is None:
        raise Failure(f"run {run_id} has left no record", where=prefix, hint="rft run list", code=Exit.NOT_FOUND)
    verifier: Verifier = offline(public_key) if public_key is not None else through_kms(target)
    return verify_records(run_id, environment=target.environment, bucket=bucket, records=records, verifier=verifier, job=_job_of(target))


@attrs.frozen
class Stored(Records):
    """The records as they are in the target's buckets now."""

    target: Target

    def read(self, uri: str) -> bytes | None:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        try:
            return self.target.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
                return None
            raise

    def listed(self, prefix_uri: str) -> Iterator[str]:
        bucket, prefix = prefix_uri.removeprefix("s3://").split("/", 1)
        for page in self.target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (f"s3://{bucket}/{item['Key']}" for item in page.get("Contents", []))


def through_kms(target: Target) -> Verifier:
    """Asks KMS, for a signature by one of the environment's own keys; what key an envelope claims to be of proves nothing."""

    def check(signed: Attestation) -> str:
        trusted = target.lineage_keys()
        if signed.key_id not in trusted:
            raise NotVerified(f"signed by {signed.key_id}, which is none of this environment's signing keys: {', '.join(trusted)}")
        try:
            target.kms.verify(
                KeyId=signed.key_id,
                Message=attestation.digest(signed.signed),
                MessageType="DIGEST",
                Signature=signed.signature,
                SigningAlgorithm=attestation.ALGORITHM,
            )
        except ClientError as error:
            if error.response["Error"].get("Code") == "KMSInvalidSignatureException":
                raise NotVerified("the signature is not over this statement, or not by this key") from None
            raise
        return f"verified by KMS with {signed.key_id}"

    return check


def offline(public_key: Path) -> Verifier:
    """Verifies here, with a public key that was kept somewhere an attacker of the account does not reach.

    Raises:
        Failure: usage, when the file holds no P-384 public key.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - loads slower than every other command runs
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    allowed = "allowed is a PEM file with a NIST P-384 public key"
    try:
        key = serialization.load_pem_public_key(public_key.read_bytes())
    except ValueError:
        raise Failure(f"holds no public key; {allowed}", where=str(public_key), hint="rft audit key", code=Exit.USAGE) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise Failure(f"holds another kind of key; {allowed}", where=str(public_key), hint="rft audit key", code=Exit.USAGE)

    def check(signed: Attestation) -> str:
        try:
            key.verify(signed.signature, signed.signed, ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            raise NotVerified(f"the signature is not over this statement, or not by the key in {public_key}") from None
        return f"verified on this machine with {public_key}"

    return check


def _job_of(target: Target) -> Callable[[str], Mapping[str, Any] | None]:
    def look(arn: str) -> Mapping[str, Any] | None:
        try:
            return target.bedrock.get_model_customization_job(jobIdentifier=arn)
        except ClientError as error:
            if error.response["Error"].get("Code") in ("ResourceNotFoundException", "AccessDeniedException", "ValidationException"):
                return None
            raise

    return look


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The documented output of ``rft audit verify --json``."""
    return {
        "run_id": verdict.run_id,
        "intact": verdict.intact,
        "signed_at": verdict.signed_at or None,
        "checks": [{"subject": check.subject, "finding": str(check.finding), "detail": check.detail} for check in verdict.checks],
    }


def shown(verdict: Verdict) -> str:
    """The verdict as a table, and in one sentence."""
    rows = [(f"{_MARKS[check.finding]} {check.subject}", check.finding, check.detail) for check in verdict.checks]
    return "\n".join([table(("CHECK", "FINDING", "DETAIL"), rows, empty=""), "", sentence(verdict)])


def sentence(verdict: Verdict) -> str:
    if verdict.intact:
        return f"Run {verdict.run_id}: every record is as it was signed at {verdict.signed_at}."
    return f"Run {verdict.run_id}: TAMPERED WITH, or never signed: {', '.join(check.subject for check in verdict.tampered)}."
