"""Given a run that ended, its signed records verify; once one is altered, verification fails and names it."""

from __future__ import annotations

import json

import boto3
import pytest
from contracts import names

from local import cloud
from rft.exits import Exit

pytestmark = pytest.mark.cloud


def tampered(answer):
    return [check["subject"] for check in answer["checks"] if check["finding"] == "tampered"]


@pytest.fixture
def records(dev, first_run):
    """Keys of the first run's records; whatever a test does to them is undone."""
    bucket = dev.parameter(names.PARAM_RUNS_BUCKET)
    before = {
        key: dev.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in dev.keys(names.PARAM_RUNS_BUCKET, names.record_key(first_run.run_id, ""))
    }
    yield bucket, before
    for key in set(dev.keys(names.PARAM_RUNS_BUCKET, names.record_key(first_run.run_id, ""))) - set(before):
        dev.s3.delete_object(Bucket=bucket, Key=key)
    for key, body in before.items():
        dev.s3.put_object(Bucket=bucket, Key=key, Body=body)


def test_an_untouched_run_verifies_through_kms_and_offline(dev, first_run, tmp_path):
    answer = dev.rft("audit", "verify", first_run.run_id)
    assert answer["intact"] is True
    assert {check["finding"] for check in answer["checks"]} == {"ok"}
    assert {"plan.json", "rehearsal.json", "trend.json", "gate.json", "lineage.json", "job"} <= {c["subject"] for c in answer["checks"]}
    dev.rft("audit", "key", "--out", str(tmp_path / "key.pem"))
    offline = dev.rft("audit", "verify", first_run.run_id, "--public-key", str(tmp_path / "key.pem"))
    assert "on this machine" in offline["checks"][0]["detail"]


@pytest.mark.parametrize("file", ["gate.json", "lineage.json"])
def test_an_altered_record_fails_and_is_named(dev, first_run, records, file):
    bucket, before = records
    key = names.record_key(first_run.run_id, file)
    changed = {**json.loads(before[key]), "difference": 0.9}
    dev.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(changed).encode())
    assert tampered(dev.rft("audit", "verify", first_run.run_id, code=Exit.TAMPERED)) == [file]


def test_an_altered_statement_fails_by_its_signature(dev, first_run, records):
    bucket, before = records
    key = names.record_key(first_run.run_id, names.ATTESTATION)
    envelope = json.loads(before[key])
    middle = len(envelope["payload"]) // 2
    flipped = "A" if envelope["payload"][middle] != "A" else "B"
    envelope["payload"] = envelope["payload"][:middle] + flipped + envelope["payload"][middle + 1 :]
    dev.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(envelope).encode())
    assert tampered(dev.rft("audit", "verify", first_run.run_id, code=Exit.TAMPERED)) == ["signature"]


def test_not_even_an_administrator_may_sign(dev, first_run):
    # The local cloud asks its root user no policy at all, so an administrator stands for everybody who may do everything.
    iam, account = dev.endpoint.client("iam"), cloud.ACCOUNT
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = iam.create_role(RoleName="administrator", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName="administrator", PolicyName="everything", PolicyDocument=document)
    given = dev.endpoint.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="admin")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], cloud.REGION)
    kms, key = session.client("kms", endpoint_url=dev.endpoint.url), dev.parameter(names.PARAM_LINEAGE_KEYS)
    asked = {"KeyId": key, "Message": b"0" * 48, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_384"}
    with pytest.raises(kms.exceptions.ClientError, match="AccessDenied"):
        kms.sign(**asked)
    with pytest.raises(kms.exceptions.ClientError, match="KMSInvalidSignature"):
        kms.verify(**asked, Signature=b"0" * 96)
