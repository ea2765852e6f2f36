"""`rft reward rehearse` and `calibrate` against versions of a reward function deployed in the local cloud."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contracts import names
from pipeline import calibration

from local.cloud import Endpoint
from rft import target
from rft.cli import invoke
from rft.exits import Exit
from rft.reward_data import DEFAULT_DATA, read_records
from tests.pipeline.conftest import reward_package, zipped

ENVIRONMENT, DATASET, VERSION = "prod", "plums", "0123456789ab"
BUCKET, RUNS, FUNCTION = "reward-cli-datasets", "reward-cli-runs", "reward-cli"
SECRET = "violet-heron"

GENEROUS = "def handler(event, _):\n    return [{'id': s['id'], 'aggregate_reward_score': 0.7} for s in event]\n"
FALLS = "def handler(event, _):\n    raise KeyError(event[0]['messages'][-1]['content'])\n"

Rft = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def prod(bare_cloud: Endpoint) -> Endpoint:
    """Version 1 is the maths grader and live; 2 pays everything 0.7; 3 raises. A dataset is registered."""
    s3, iam, functions, ssm = (bare_cloud.client(service) for service in ("s3", "iam", "lambda", "ssm"))
    for bucket in (BUCKET, RUNS):
        s3.create_bucket(Bucket=bucket)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="reward-cli", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    functions.create_function(
        FunctionName=FUNCTION,
        Role=role,
        Runtime="python3.14",
        Handler="reward.handler.handler",
        Code={"ZipFile": reward_package()},
        Environment={"Variables": {names.ENV_ENVIRONMENT: ENVIRONMENT, names.ENV_GRADER: "math"}},
        Timeout=60,
        MemorySize=512,
    )
    live = functions.publish_version(FunctionName=FUNCTION)["Version"]
    functions.create_alias(FunctionName=FUNCTION, Name=names.REWARD_ALIAS, FunctionVersion=live)
    functions.update_function_configuration(FunctionName=FUNCTION, Handler="index.handler")
    for code in (GENEROUS, FALLS):
        functions.update_function_code(FunctionName=FUNCTION, ZipFile=zipped({"index.py": code.encode()}))
        functions.publish_version(FunctionName=FUNCTION)
    parameters = {
        names.PARAM_DATASETS_BUCKET: BUCKET,
        names.PARAM_RUNS_BUCKET: RUNS,
        names.PARAM_STATE_MACHINE: "arn:aws:states:us-east-1:000000000000:stateMachine:none",
        names.PARAM_REWARD_FUNCTION: FUNCTION,
    }
    for name, value in parameters.items():
        ssm.put_parameter(Name=names.parameter(ENVIRONMENT, name), Value=value, Type="String")
    latest = {"dataset": DATASET, "version": VERSION, "registered_at": "2026-03-01T09:00:00+00:00"}
    for key in (names.latest_key(DATASET), names.manifest_key(DATASET, VERSION)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(latest))
    train = "".join(json.dumps(record) + "\n" for record in read_records(DEFAULT_DATA, count=120))
    s3.put_object(Bucket=BUCKET, Key=names.split_key(DATASET, VERSION, names.SPLIT_TRAIN), Body=train)
    return bare_cloud


@pytest.fixture
def rft(prod: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rft:
    """Runs `rft reward …` against that environment; the exit code and what stdout held."""
    monkeypatch.setattr(target, "running_cloud", lambda: prod)

    def call(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = invoke(["reward", *arguments, "--env", ENVIRONMENT, "--local", "--json"])
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err
        return code, json.loads(captured.out)

    return call


def feedback(path: Path, *, right: int, wrong: int = 0) -> Path:
    """Pairs in which people chose the right answer, and pairs in which they chose the wrong one."""
    pairs = [
        {"prompt": f"{SECRET} {number}?", "chosen": f"#### {number}", "rejected": "#### 9999", "reference_answer": str(number)}
        for number in range(right)
    ]
    pairs += [
        {"prompt": f"{SECRET} {number}?", "chosen": "#### 9999", "rejected": f"#### {number}", "reference_answer": str(number)}
        for number in range(right, right + wrong)
    ]
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    return path


def stored(prod: Endpoint, key: str) -> bytes | None:
    s3 = prod.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents", [])]
    return bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) if key in keys else None


def test_rehearse_asks_the_deployed_live_version(rft: Rft) -> None:
    code, found = rft("rehearse", "--dataset", DATASET)
    assert (code, found["reasons"]) == (Exit.OK, [])
    assert found["trusted"]
    assert found["reward"].endswith(f":{FUNCTION}:1")
    assert (found["reward_version"], found["dataset_version"]) == ("1", VERSION)
    assert found["gold"]["checked"] > 16


def test_rehearse_refuses_a_version_that_pays_everything_alike(rft: Rft) -> None:
    code, found = rft("rehearse", "--dataset", DATASET, "--reward-version", "2")
    assert code == Exit.FAILED
    assert any("no learning signal" in reason for reason in found["reasons"])


def test_rehearse_tells_of_a_version_that_raises_and_not_of_what(rft: Rft) -> None:
    code, found = rft("rehearse", "--dataset", DATASET, "--reward-version", "3")
    assert code == Exit.FAILED
    assert "KeyError" in found["reasons"][0]


def test_a_grader_of_this_folder_is_rehearsed_on_the_registered_dataset(rft: Rft) -> None:
    code, found = rft("rehearse", "--dataset", DATASET, "--version", VERSION, "--grader", "math")
    assert (code, found["trusted"], found["grader"]) == (Exit.OK, True, "math")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--dataset", "absent"), Exit.NOT_FOUND),
        (("--dataset", "Not A Name"), Exit.USAGE),
        (("--dataset", "Not A Name", "--version", VERSION), Exit.USAGE),
        (("--dataset", DATASET, "--version", "ba9876543210"), Exit.NOT_FOUND),
        (("--dataset", DATASET, "--reward-version", "99"), Exit.NOT_FOUND),
        (("--dataset", DATASET, "--reward-version", "$LATEST"), Exit.USAGE),
    ],
)
def test_rehearse_refuses_what_is_not_there(arguments: tuple[str, ...], code: Exit, rft: Rft) -> None:
    given, found = rft("rehearse", *arguments)
    assert given == code
    assert found["error"]["what"] and found["error"]["next"]


def test_calibrate_stores_figures_that_a_run_accepts_for_this_version_alone(rft: Rft, prod: Endpoint, tmp_path: Path) -> None:
    file = feedback(tmp_path / "people.jsonl", right=40)
    code, found = rft("calibrate", str(file), "--dataset", DATASET)
    assert (code, found["passed"], found["reasons"]) == (Exit.OK, True, [])
    assert found["calibration"]["overall"]["agreement"]["share"] == 1.0
    assert stored(prod, names.feedback_key(DATASET, "people.jsonl")) == file.read_bytes()
    body = stored(prod, names.calibration_key(DATASET, "1"))
    assert body is not None and SECRET.encode() not in body
    record = json.loads(body)
    version = prod.client("lambda").get_function_configuration(FunctionName=FUNCTION, Qualifier="1")
    read = calibration.of_record(record, "stored", reward_arn=version["FunctionArn"], reward_sha256=version["CodeSha256"])
    assert read.overall.agreement is not None and read.overall.agreement.pairs == 40
    assert record["feedback_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert record["calibrated_by"].startswith("arn:")


def test_calibrate_below_the_floor_says_by_how_much_and_stores_it_all_the_same(rft: Rft, prod: Endpoint, tmp_path: Path) -> None:
    code, found = rft("calibrate", str(feedback(tmp_path / "split.jsonl", right=20, wrong=20)), "--dataset", DATASET)
    assert code == Exit.FAILED
    assert "agrees with 0.50 of 40 pairs" in found["reasons"][0]
    body = stored(prod, names.calibration_key(DATASET, "1"))
    assert body is not None and json.loads(body)["calibration"]["overall"]["agreement"]["share"] == 0.5


def test_calibrate_of_a_version_that_raises_stores_nothing(rft: Rft, prod: Endpoint, tmp_path: Path) -> None:
    code, found = rft("calibrate", str(feedback(tmp_path / "f.jsonl", right=40)), "--dataset", DATASET, "--reward-version", "3")
    assert code == Exit.FAILED
    assert "KeyError" in found["error"]["what"]
    assert stored(prod, names.calibration_key(DATASET, "3")) is None


def test_answers_graded_for_calibration_do_not_count_as_training(
    prod: Endpoint, rft: Rft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import grading  # noqa: PLC0415 - patched where the command finds it

    sent: list[Any] = []
    before = grading.grade_parts

    def spied(arn: str, samples: Any, **options: Any) -> Any:
        sent.extend(samples)
        return before(arn, samples, **options)

    monkeypatch.setattr(grading, "grade_parts", spied)
    rft("calibrate", str(feedback(tmp_path / "f.jsonl", right=30)), "--dataset", DATASET)
    assert len(sent) == 60
    assert {sample["metadata"][names.META_SPLIT] for sample in sent} == {names.SPLIT_REHEARSAL}


def test_a_bad_feedback_file_is_refused_before_anything_is_uploaded(rft: Rft, prod: Endpoint, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"prompt": SECRET, "response": SECRET, "rating": 7}) + "\n")
    code, found = rft("calibrate", str(bad), "--dataset", DATASET)
    assert code == Exit.USAGE
    assert "line 1: rating = 7" in found["error"]["what"]
    assert stored(prod, names.feedback_key(DATASET, "bad.jsonl")) is None


@pytest.mark.parametrize(
    ("dataset", "version", "code"), [("absent", "live", Exit.NOT_FOUND), (DATASET, "99", Exit.NOT_FOUND), (DATASET, "0", Exit.USAGE)]
)
def test_calibrate_refuses_an_unknown_dataset_or_version(dataset: str, version: str, code: Exit, rft: Rft, tmp_path: Path) -> None:
    file = feedback(tmp_path / "refused.jsonl", right=30)
    assert rft("calibrate", str(file), "--dataset", dataset, "--reward-version", version)[0] == code


def test_the_table_names_interval_floor_and_place(
    prod: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "running_cloud", lambda: prod)
    file = feedback(tmp_path / "split.jsonl", right=20, wrong=20)
    assert invoke(["reward", "calibrate", str(file), "--dataset", DATASET, "--env", ENVIRONMENT, "--local"]) == Exit.FAILED
    shown = capsys.readouterr()
    assert "0.50 (0.35 to 0.65)" in shown.out
    assert "below the floor:" in shown.out
    assert f"s3://{BUCKET}/{names.calibration_key(DATASET, '1')}" in shown.out
    assert SECRET not in shown.out + shown.err
