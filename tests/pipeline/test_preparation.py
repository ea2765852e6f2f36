"""PrepareRun in the local cloud: what it refuses, and what it pins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from contracts import names
from contracts.errors import InvalidInput
from pipeline import prepare_run, register_dataset


@pytest.fixture
def registered(house: Any, problems: Callable[..., bytes]) -> dict[str, Any]:
    result: dict[str, Any] = register_dataset.handler(house.upload("apples", problems(200)), None)
    return result


def prepare(run_id: str, **request: Any) -> dict[str, Any]:
    plan: dict[str, Any] = prepare_run.handler({"run_id": run_id, "request": {"dataset": "apples", **request}}, None)
    return plan


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("run_id", "request_", "said"),
    [
        ("Run_1", {}, "cannot be a run id"),
        ("x" * 49, {}, "cannot be a run id"),
        ("refused", {"colour": "red"}, "colour is not a known key"),
        ("refused", {"hyperparameters": {"batch_size": 256}}, "hyperparameters.batch_size = 256: allowed is at most 128"),
        ("refused", {"hyperparameters": {"epoch_count": "3"}}, "hyperparameters.epoch_count = '3': allowed is a whole number"),
        ("refused", {"dataset": "pears"}, "dataset = 'pears': no version of it is registered"),
        ("refused", {"dataset_version": "0" * 12}, "not a registered version of 'apples'"),
        ("refused", {"reward_version": "999"}, "reward_version = '999': not a published version"),
        ("refused", {"hyperparameters": {"max_prompt_length": 16}}, "150 of 150 training prompts are longer"),
    ],
)
def test_a_request_that_may_not_run_is_refused_and_counted(
    house: Any, run_id: str, request_: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput, match="run request") as refused:
        prepare(run_id, **request_)

    assert said in str(refused.value)
    assert '"RunRefused":1' in capsys.readouterr().out
    assert house.keys(house.runs, f"{names.RECORDS}refused/") == []


def test_a_run_dearer_than_the_cap_is_refused(house: Any, registered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = json.loads(house.variables()[names.ENV_SETTINGS])
    settings["training"]["caps"]["usd"] = 1.0
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(settings))
    with pytest.raises(InvalidInput, match=r"is estimated at \$[\d.]+; allowed is at most \$1\.00"):
        prepare("too-dear")


def test_the_model_cannot_be_trained_elsewhere(house: Any, registered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with pytest.raises(InvalidInput, match="cannot be trained in eu-west-1; allowed is us-east-1"):
        prepare("elsewhere")


def test_what_latest_and_live_meant_first_holds_for_every_retry(
    house: Any, registered: dict[str, Any], problems: Callable[..., bytes]
) -> None:
    first = prepare("pinned")
    register_dataset.handler(house.upload("apples", problems(220, first=500)), None)

    assert prepare("pinned") == first
    assert prepare("later")["dataset_version"] != first["dataset_version"] == registered["dataset_version"]


def test_data_changed_since_registration_are_not_trained_on(house: Any, problems: Callable[..., bytes]) -> None:
    version = register_dataset.handler(house.upload("tampered", problems(200)), None)["dataset_version"]
    key = names.split_key("tampered", version, names.SPLIT_TRAIN)
    body = house.s3.get_object(Bucket=house.datasets, Key=key)["Body"].read()
    house.s3.put_object(Bucket=house.datasets, Key=key, Body=body.replace(b"#### 1", b"#### 2"))

    with pytest.raises(InvalidInput, match="is not what was registered"):
        prepare("tampered", dataset="tampered")


def test_an_approval_can_be_asked_for_but_never_waived(house: Any, registered: dict[str, Any]) -> None:
    plan = prepare("careful", approve_spend=True)
    assert (plan["needs_spend_approval"], plan["needs_release_approval"]) == (True, True)
    assert prepare("waived", approve_release=False)["needs_release_approval"] is True
