"""Given signed records, any change to any of them is found and named; a signature proves nothing but what it is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from contracts.errors import InvalidInput
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pipeline import attestation

from audit.verification import Finding, Verdict, verify
from rft.audit_verify import offline
from rft.exits import Failure

RUN, RUNS, DATASETS = "plums-1", "runs", "datasets"
BASE, DATASET = f"s3://{RUNS}/records/{RUN}/", f"s3://{DATASETS}/datasets/plums/0123456789ab/"
GRADER = "arn:aws:lambda:us-east-1:111122223333:function:reward:7"
PLAN = {"job_name": "rft-dev-plums-1", "train_uri": "s3://runs/staged/t", "output_uri": "s3://runs/output/", "reward_arn": GRADER}
JOB = {
    "jobName": "rft-dev-plums-1",
    "outputModelArn": "arn:model",
    "trainingDataConfig": {"s3Uri": "s3://runs/staged/t"},
    "outputDataConfig": {"s3Uri": "s3://runs/output/"},
    "customizationConfig": {"rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}}}},
}


class Memory(dict[str, bytes]):
    """Records that need no cloud."""

    def read(self, uri: str) -> bytes | None:
        return self.get(uri)

    def listed(self, prefix_uri: str) -> Iterable[str]:
        return [uri for uri in self if uri.startswith(prefix_uri)]


def seal(records: Memory, key: ec.EllipticCurvePrivateKey, *, run_id: str = RUN, environment: str = "dev", cut_short: bool = False) -> None:
    signed = [*records.listed(BASE), DATASET + "manifest.json"]
    digests = {uri: attestation.sha256(records[uri]) for uri in signed if not uri.endswith("lineage.dsse.json")}
    payload = attestation.statement(
        digests=digests, run_id=run_id, environment=environment, signed_at="2026-11-20T19:00:00+00:00", cut_short=cut_short
    )
    signature = key.sign(attestation.signed_bytes(payload), ec.ECDSA(hashes.SHA384()))
    records[BASE + "lineage.dsse.json"] = json.dumps(attestation.envelope(payload, key_id="arn:key", signature=signature)).encode()


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


@pytest.fixture
def public_key(key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture
def records(key: ec.EllipticCurvePrivateKey) -> Memory:
    train = b'{"id": "a"}\n'
    manifest = {"sha256": "d" * 64, "files": {"train": {"file": "train.jsonl", "sha256": attestation.sha256(train)}}}
    lineage = {
        "altered": [],
        "dataset": {"name": "plums", "version": "0123456789ab", "uri": DATASET, "sha256": "d" * 64},
        "job": {"job_arn": "arn:job"},
        "model": {"model_arn": "arn:model"},
    }
    made = Memory({DATASET + "train.jsonl": train, DATASET + "manifest.json": json.dumps(manifest).encode()})
    for file, value in {
        "plan.json": PLAN,
        "gate.json": {"passed": True},
        "evaluation/base-heldout-0.json": [],
        "lineage.json": lineage,
    }.items():
        made[BASE + file] = json.dumps(value).encode()
    seal(made, key)
    return made


@pytest.fixture
def verdict(records: Memory, public_key: Path) -> Callable[..., Verdict]:
    def look(**more: Any) -> Verdict:
        given: dict[str, Any] = {"environment": "dev", "bucket": RUNS, "records": records, "job": lambda _arn: JOB, **more}
        return verify(RUN, verifier=offline(public_key), **given)

    return look


def subjects(verdict: Verdict) -> list[str]:
    return [check.subject for check in verdict.tampered]


def test_what_was_not_touched_is_intact(verdict: Callable[..., Verdict]) -> None:
    found = verdict()
    assert found.intact, found.tampered
    assert {check.finding for check in found.checks} == {Finding.OK}
    assert {"signature", "plan.json", "lineage.json", "dataset plums 0123456789ab train", "job"} <= {
        check.subject for check in found.checks
    }


@pytest.mark.parametrize("file", ["plan.json", "gate.json", "lineage.json", "evaluation/base-heldout-0.json"])
def test_one_changed_byte_in_any_record_is_named(records: Memory, verdict: Callable[..., Verdict], file: str) -> None:
    records[BASE + file] += b" "
    assert subjects(verdict()) == [file]


def test_a_record_that_is_gone_or_was_added_is_named(records: Memory, verdict: Callable[..., Verdict]) -> None:
    del records[BASE + "gate.json"]
    records[BASE + "evaluation/candidate-heldout-0.json"] = b"[]"
    assert subjects(verdict()) == ["gate.json", "evaluation/candidate-heldout-0.json"]


def test_what_a_function_in_flight_added_to_an_aborted_run_is_no_tampering(
    records: Memory, key: ec.EllipticCurvePrivateKey, verdict: Callable[..., Verdict]
) -> None:
    seal(records, key, cut_short=True)
    records[BASE + "trend.json"] = b"{}"
    found = verdict()
    assert found.intact
    assert [check.subject for check in found.checks if check.finding is Finding.UNCHECKED] == ["trend.json"]
    records[BASE + "gate.json"] += b" "
    assert subjects(verdict()) == ["gate.json"]


def test_a_dataset_changed_after_the_run_is_named(records: Memory, verdict: Callable[..., Verdict]) -> None:
    records[DATASET + "train.jsonl"] = b'{"id": "b"}\n'
    assert subjects(verdict()) == ["dataset plums 0123456789ab train"]


def test_a_record_that_was_altered_before_it_was_signed_is_named(
    records: Memory, key: ec.EllipticCurvePrivateKey, verdict: Callable[..., Verdict]
) -> None:
    lineage = json.loads(records[BASE + "lineage.json"])
    records[BASE + "lineage.json"] = json.dumps({**lineage, "altered": ["gate.json"]}).encode()
    seal(records, key)
    assert subjects(verdict()) == ["gate.json"]


def test_records_without_a_signature_are_not_trusted(records: Memory, verdict: Callable[..., Verdict]) -> None:
    del records[BASE + "lineage.dsse.json"]
    assert subjects(verdict()) == ["signature"]


def test_records_signed_again_with_another_key_are_not_trusted(records: Memory, verdict: Callable[..., Verdict]) -> None:
    records[BASE + "gate.json"] = b'{"passed": true, "forged": true}'
    seal(records, ec.generate_private_key(ec.SECP384R1()))
    assert subjects(verdict()) == ["signature"]


def test_a_changed_statement_breaks_its_signature(records: Memory, verdict: Callable[..., Verdict]) -> None:
    envelope = json.loads(records[BASE + "lineage.dsse.json"])
    signed = attestation.parse(json.dumps(envelope).encode())
    changed = {**signed.statement, "predicate": {**signed.predicate, "signed_at": "2020-01-01T00:00:00+00:00"}}
    again = attestation.envelope(json.dumps(changed).encode(), key_id=signed.key_id, signature=signed.signature)
    records[BASE + "lineage.dsse.json"] = json.dumps(again).encode()
    assert subjects(verdict()) == ["signature"]


@pytest.mark.parametrize("other", [{"run_id": "plums-2"}, {"environment": "prod"}])
def test_a_genuine_statement_of_another_run_does_not_serve(
    records: Memory, key: ec.EllipticCurvePrivateKey, verdict: Callable[..., Verdict], other: dict[str, Any]
) -> None:
    seal(records, key, **other)
    assert subjects(verdict()) == ["statement"]


def test_a_job_that_says_something_else_is_named_and_one_out_of_reach_is_not(verdict: Callable[..., Verdict]) -> None:
    assert "arn:other" in verdict(job=lambda _arn: {**JOB, "outputModelArn": "arn:other"}).tampered[0].detail
    unreached = verdict(job=lambda _arn: None)
    assert unreached.intact
    assert [check.finding for check in unreached.checks if check.subject == "job"] == [Finding.UNCHECKED]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payloadType": "text/plain", "payload": "", "signatures": []}',
        b'{"payloadType": "%s", "payload": "e30=", "signatures": [{"keyid": "k", "sig": "AA=="}]}' % attestation.PAYLOAD_TYPE.encode(),
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="the signed statement"):
        attestation.parse(body)


def test_the_encoding_that_is_signed_is_dsses_own() -> None:
    # The protocol's own example, with its type: "DSSEv1 29 http://example.com/HelloWorld 11 hello world".
    assert attestation.signed_bytes(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_a_file_without_a_p384_key_is_refused(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    (tmp_path / "p256.pem").write_bytes(other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "none.pem").write_text("nothing")
    for file in ("p256.pem", "none.pem"):
        with pytest.raises(Failure, match="P-384"):
            offline(tmp_path / file)
