"""The local cloud's own life: start, find, end, restart, reset, and what a kill leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import cloud
from local.emulator import selftest

ALLOW_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def processes_naming(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-wweo", "pid=,stat=,command="], capture_output=True, text=True, check=True).stdout  # noqa: S607
    return [line for line in listed.splitlines() if text in line and " Z" not in line[:16]]


def with_running_function(endpoint: cloud.Endpoint, code: bytes) -> None:
    role = endpoint.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [ALLOW_LAMBDA]}))["Role"][
        "Arn"
    ]
    functions = endpoint.client("lambda")
    functions.create_function(FunctionName="f", Role=role, Runtime="python3.14", Handler="index.handler", Code={"ZipFile": code})
    assert functions.invoke(FunctionName="f", Payload="{}")["Payload"].read() == b'"here"'


def test_up_is_idempotent_and_down_keeps_the_state(tmp_path: Path) -> None:
    first = cloud.up(state_dir=tmp_path)
    try:
        assert cloud.up(state_dir=tmp_path) == first
        first.client("s3").create_bucket(Bucket="kept")
        first.client("s3").put_object(Bucket="kept", Key="a", Body=b"1")
        first.client("ssm").put_parameter(Name="/kept", Value="v", Type="String")
        assert cloud.down(state_dir=tmp_path)
        assert not cloud.status(state_dir=tmp_path)["running"]
        again = cloud.up(state_dir=tmp_path)
        assert again.url == first.url
        assert again.client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"1"
        assert again.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "v"
        cloud.reset(state_dir=tmp_path)
        assert again.client("s3").list_buckets()["Buckets"] == []
    finally:
        cloud.down(state_dir=tmp_path)
    assert not cloud.down(state_dir=tmp_path)


def test_status_lists_what_is_recorded_and_not_emulated(bare_cloud: cloud.Endpoint) -> None:
    shown = cloud.status(state_dir=bare_cloud.state_dir)
    assert shown["running"]
    assert {"what", "why"} == set(shown["not_emulated"][0])
    assert "aws:SecureTransport" in {each["what"] for each in shown["not_emulated"]}


def test_a_killed_server_leaves_no_process_and_the_next_start_works(tmp_path: Path, zipping: Callable[..., bytes]) -> None:
    endpoint = cloud.up(state_dir=tmp_path)
    try:
        with_running_function(endpoint, zipping({"index.py": "def handler(event, context):\n    return 'here'\n"}))
        assert len(processes_naming(str(tmp_path))) >= 2
        endpoint.client("s3").create_bucket(Bucket="after-the-checkpoint")
        endpoint.client("s3").put_object(Bucket="after-the-checkpoint", Key="a", Body=b"1")
        os.kill(endpoint.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while processes_naming(str(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes_naming(str(tmp_path)) == []
        again = cloud.up(state_dir=tmp_path)
        assert again.pid != endpoint.pid
        assert again.client("s3").list_buckets()["Buckets"] == []
    finally:
        cloud.down(state_dir=tmp_path)
    assert processes_naming(str(tmp_path)) == []


def test_a_killed_server_keeps_what_had_ended_and_ends_what_had_not(tmp_path: Path, waiting: Callable[..., Any]) -> None:
    endpoint = cloud.up(state_dir=tmp_path)
    try:
        trust = json.dumps({"Statement": [{**ALLOW_LAMBDA, "Principal": {"Service": "states.amazonaws.com"}}]})
        role = endpoint.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        states = endpoint.client("stepfunctions")
        started = {}
        for name, state in (("short", {"Type": "Succeed"}), ("long", {"Type": "Wait", "Seconds": 6000, "End": True})):
            definition = json.dumps({"StartAt": "A", "States": {"A": state}})
            machine = states.create_state_machine(name=name, roleArn=role, definition=definition)["stateMachineArn"]
            started[name] = states.start_execution(stateMachineArn=machine)["executionArn"]
        saved = tmp_path / "services"
        waiting(lambda: any("SUCCEEDED" in each.read_text() for each in saved.glob("*.json")))
        os.kill(endpoint.pid, signal.SIGKILL)
        states = cloud.up(state_dir=tmp_path).client("stepfunctions")
        assert states.describe_execution(executionArn=started["short"])["status"] == "SUCCEEDED"
        assert states.describe_execution(executionArn=started["long"])["status"] == "FAILED"
    finally:
        cloud.down(state_dir=tmp_path)


def test_a_running_cloud_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom local import cloud\n"
        "with cloud.running(state_dir=Path(sys.argv[1])):\n    print('up', flush=True)\n    time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=cloud.ROOT)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 60
    while processes_naming(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_naming(str(tmp_path)) == []


def test_a_second_cloud_on_the_same_directory_is_refused(bare_cloud: cloud.Endpoint) -> None:
    with pytest.raises(cloud.CloudError, match="already"), cloud.running(state_dir=bare_cloud.state_dir):
        pass


def test_a_taken_port_is_named(bare_cloud: cloud.Endpoint, tmp_path: Path) -> None:
    taken = int(bare_cloud.url.rsplit(":", 1)[1])
    with pytest.raises(cloud.CloudError, match=str(taken)):
        cloud.up(state_dir=tmp_path, port=taken)


def test_changing_state_over_the_admin_endpoint_needs_the_token(bare_cloud: cloud.Endpoint) -> None:
    for path in ("/_rft/reset", "/_ministack/reset"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(urllib.request.Request(bare_cloud.url + path, method="POST"))  # noqa: S310


def test_a_wrong_secret_is_refused(bare_cloud: cloud.Endpoint) -> None:
    stranger = boto3.client(
        "s3", endpoint_url=bare_cloud.url, aws_access_key_id="000000000000", aws_secret_access_key="test", region_name="us-east-1"
    )
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.list_buckets()


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://example.com"}, {"Host": "rebound.example.com"}])
def test_unsigned_requests_and_web_pages_are_refused(bare_cloud: cloud.Endpoint, headers: dict[str, str]) -> None:
    request = urllib.request.Request(f"{bare_cloud.url}/?Action=ListRoles&Version=2010-05-08", headers=headers)  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)  # noqa: S310


def test_accounts_do_not_see_each_other(bare_cloud: cloud.Endpoint) -> None:
    bare_cloud.client("ssm", account="111111111111").put_parameter(Name="/only-here", Value="v", Type="String")
    assert bare_cloud.client("ssm", account="222222222222").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize("account", ["123", "abcdefabcdef", ""])
def test_an_account_is_twelve_digits(bare_cloud: cloud.Endpoint, account: str) -> None:
    with pytest.raises(ValueError, match="12 digits"):
        bare_cloud.environ(account=account)


def test_the_installed_ministack_has_every_patch_point() -> None:
    selftest.require()


def test_a_missing_patch_point_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    points: dict[str, Any] = {"ministack.services.stepfunctions": ("_gone_in_the_next_release",), "ministack.no_such_module": ("x",)}
    monkeypatch.setattr(selftest, "PATCH_POINTS", points)
    with pytest.raises(selftest.PatchPointMissing, match=r"stepfunctions\._gone_in_the_next_release, ministack\.no_such_module"):
        selftest.require()
