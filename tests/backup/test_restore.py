"""Restore, tried: what versions bring back, what only the backup does, and what neither does. Every file is proved by its hash."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contracts import names
from contracts.settings import DatasetSettings
from pipeline.dataset_reading import read
from pipeline.dataset_version import manifest, version_of

from local.cloud import Endpoint
from rft import target
from rft.cli import invoke
from rft.exits import Exit

DATASET = "word-problems"
SHIPPED = Path(__file__).resolve().parents[2] / "datasets" / f"{DATASET}.jsonl"
Rft = Callable[..., tuple[int, Any]]


class Storage:
    """The deployed buckets, with a registered dataset and a run's records in them."""

    def __init__(self, endpoint: Endpoint, outputs: dict[str, str]) -> None:
        self.s3 = endpoint.client("s3")
        self.endpoint, self.datasets, self.runs, self.copies = endpoint, outputs["Datasets"], outputs["Runs"], outputs["Copies"]
        self.version = ""

    def register(self, dataset: str) -> dict[str, str]:
        """Writes a version as registration does; key -> SHA-256."""
        version = version_of(read(iter([SHIPPED.read_bytes()])).entries, DatasetSettings())
        described = manifest(dataset, version, source={}, forms={}, settings=DatasetSettings(), registered_at="2026-11-30T12:00:00+00:00")
        bodies = {names.split_key(dataset, version.version, split): body for split, body in version.splits.items()}
        bodies[names.manifest_key(dataset, version.version)] = json.dumps(described).encode()
        bodies[names.latest_key(dataset)] = json.dumps(
            {"dataset": dataset, "version": version.version, "registered_at": described["registered_at"]}
        ).encode()
        for key, body in bodies.items():
            self.s3.put_object(Bucket=self.datasets, Key=key, Body=body)
        self.version = version.version
        return {key: hashlib.sha256(body).hexdigest() for key, body in bodies.items()}

    def hashes(self, bucket: str, keys: Any) -> dict[str, str]:
        return {key: hashlib.sha256(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()).hexdigest() for key in keys}

    def wipe(self, bucket: str, prefix: str, **how: Any) -> None:
        """Deletes every version under a prefix, as someone with all rights of the account would."""
        found = self.s3.list_object_versions(Bucket=bucket, Prefix=prefix)
        for each in found.get("Versions", []) + found.get("DeleteMarkers", []):
            self.s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"], **how)


@pytest.fixture(scope="module")
def storage(bare_cloud: Endpoint, storage_template: dict[str, Any]) -> Storage:
    cloudformation = bare_cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName="rft-storage", TemplateBody=json.dumps(storage_template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
    )
    deadline = time.monotonic() + 300
    while (stack := cloudformation.describe_stacks(StackName="rft-storage")["Stacks"][0])["StackStatus"] == "CREATE_IN_PROGRESS":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    made = Storage(bare_cloud, {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]})
    parameters = {
        names.PARAM_DATASETS_BUCKET: made.datasets,
        names.PARAM_RUNS_BUCKET: made.runs,
        names.PARAM_STATE_MACHINE: "arn:aws:states:us-east-1:000000000000:stateMachine:none",
        names.PARAM_BACKUP_BUCKET: made.copies,
    }
    for name, value in parameters.items():
        bare_cloud.client("ssm").put_parameter(Name=names.parameter("stage", name), Value=value, Type="String")
    return made


@pytest.fixture
def rft(storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rft:
    """Runs `rft backup …`; the exit code and what stdout held."""
    monkeypatch.setattr(target, "running_cloud", lambda: storage.endpoint)

    def call(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = invoke(["backup", *arguments, "--env", "stage", "--local", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


def test_given_deleted_files_then_their_versions_bring_them_back(storage: Storage, rft: Rft) -> None:
    registered = storage.register("deleted")
    assert rft("check", "--dataset", "deleted")[0] == Exit.OK
    for key in registered:
        storage.s3.delete_object(Bucket=storage.datasets, Key=key)
    code, found = rft("check", "--dataset", "deleted")
    assert (code, found["versions"][0]["problems"]) == (Exit.FAILED, ["manifest.json is missing"])

    code, found = rft("restore", "dataset", "deleted")
    assert code == Exit.OK and set(found["restored"]) == set(registered)
    assert all(where.startswith("version ") for where in found["restored"].values())
    assert storage.hashes(storage.datasets, registered) == registered
    assert rft("check", "--dataset", "deleted")[0] == Exit.OK


def test_given_an_overwritten_file_then_the_one_whose_hash_was_registered_comes_back(storage: Storage, rft: Rft) -> None:
    registered = storage.register("overwritten")
    train = names.split_key("overwritten", storage.version, names.SPLIT_TRAIN)
    storage.s3.put_object(Bucket=storage.datasets, Key=train, Body=b'{"poisoned": true}\n')
    assert rft("check", "--dataset", "overwritten")[1]["versions"][0]["problems"] == ["train.jsonl is not what was registered"]
    code, found = rft("restore", "dataset", "overwritten", "--version", storage.version)
    assert code == Exit.OK and list(found["restored"]) == [train] and len(found["intact"]) == 3
    assert storage.hashes(storage.datasets, registered) == registered


def test_given_file_and_manifest_replaced_together_then_the_versions_name_gives_it_away(storage: Storage, rft: Rft) -> None:
    registered = storage.register("forged")
    train, described = names.split_key("forged", storage.version, names.SPLIT_TRAIN), names.manifest_key("forged", storage.version)
    poison = b'{"poisoned": true}\n'
    forged = json.loads(storage.s3.get_object(Bucket=storage.datasets, Key=described)["Body"].read())
    forged["files"]["train"]["sha256"] = hashlib.sha256(poison).hexdigest()
    storage.s3.put_object(Bucket=storage.datasets, Key=train, Body=poison)
    storage.s3.put_object(Bucket=storage.datasets, Key=described, Body=json.dumps(forged))
    (problem,) = rft("check", "--dataset", "forged")[1]["versions"][0]["problems"]
    assert "replaced together" in problem
    assert rft("restore", "dataset", "forged")[0] == Exit.OK
    assert storage.hashes(storage.datasets, registered) == registered


def test_given_a_lock_then_no_version_can_be_removed_without_bypassing_it(storage: Storage) -> None:
    storage.register("locked")
    with pytest.raises(ClientError, match="object lock"):
        storage.wipe(storage.datasets, f"{names.DATASETS}locked/")


def test_given_all_versions_gone_then_only_the_backup_brings_them_back(storage: Storage, rft: Rft) -> None:
    registered = storage.register("wiped")
    storage.wipe(storage.datasets, f"{names.DATASETS}wiped/", BypassGovernanceRetention=True)
    assert "Versions" not in storage.s3.list_object_versions(Bucket=storage.datasets, Prefix=f"{names.DATASETS}wiped/")
    code, found = rft("restore", "dataset", "wiped")
    assert code == Exit.OK and all(where.startswith("the backup ") for where in found["restored"].values())
    assert storage.hashes(storage.datasets, registered) == registered


def test_given_originals_and_copies_gone_then_it_says_so_and_what_is_left_to_do(storage: Storage, rft: Rft) -> None:
    storage.register("lost")
    latest, prefix = names.latest_key("lost"), f"{names.DATASETS}lost/{storage.version}/"
    for bucket in (storage.datasets, storage.copies):
        storage.wipe(bucket, prefix, BypassGovernanceRetention=True)
    assert storage.s3.head_object(Bucket=storage.datasets, Key=latest)
    code, found = rft("restore", "dataset", "lost")
    assert code == Exit.NOT_FOUND and "add it again" in found["error"]["next"]


def test_records_come_back_deleted_overwritten_and_from_the_backup(storage: Storage, rft: Rft) -> None:
    keys = [names.record_key("run-1", file) for file in ("plan.json", "gate.json", "lineage.json")]
    for key in keys:
        storage.s3.put_object(Bucket=storage.runs, Key=key, Body=json.dumps({"true": key}).encode())
    before = storage.hashes(storage.runs, keys)
    time.sleep(1.1)  # S3 tells times to the second
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    storage.s3.delete_object(Bucket=storage.runs, Key=keys[0])
    storage.s3.put_object(Bucket=storage.runs, Key=keys[1], Body=b'{"passed": true}')
    storage.wipe(storage.runs, keys[2])

    code, found = rft("restore", "run", "run-1")
    assert code == Exit.OK and set(found["restored"]) == {keys[0], keys[2]} and found["intact"] == [keys[1]]
    assert found["restored"][keys[2]].startswith("the backup ")
    code, found = rft("restore", "run", "run-1", "--at", moment)
    assert code == Exit.OK and set(found["restored"]) == {keys[1]}
    assert storage.hashes(storage.runs, keys) == before


def test_staged_data_is_neither_locked_nor_copied(storage: Storage) -> None:
    key = names.staged_key("run-1", names.SPLIT_TRAIN)
    storage.s3.put_object(Bucket=storage.runs, Key=key, Body=b"{}\n")
    storage.wipe(storage.runs, names.STAGED)
    assert "Versions" not in storage.s3.list_object_versions(Bucket=storage.runs, Prefix=names.STAGED)
    assert "Versions" not in storage.s3.list_object_versions(Bucket=storage.copies, Prefix=names.STAGED)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("restore", "dataset", "Not A Name"), Exit.USAGE),
        (("restore", "dataset", "unheard-of"), Exit.NOT_FOUND),
        (("restore", "run", "unheard-of"), Exit.NOT_FOUND),
        (("restore", "run", "run-1", "--at", "yesterday"), Exit.USAGE),
        (("restore", "pointer", "--run", "unheard-of"), Exit.NOT_FOUND),
    ],
)
def test_what_cannot_be_restored_says_why(rft: Rft, arguments: tuple[str, ...], code: Exit) -> None:
    assert rft(*arguments)[0] == code
