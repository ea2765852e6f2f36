"""Registering an upload in the local cloud: what is written, what is announced, and that a bad upload loses nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from contracts import names
from pipeline import register_dataset


def test_a_good_upload_is_registered_announced_and_the_latest(house: Any, problems: Callable[..., bytes]) -> None:
    result = register_dataset.handler(house.upload("coins", problems(200)), None)

    version = result["dataset_version"]
    latest = house.read(house.datasets, names.latest_key("coins"))
    manifest = house.read(house.datasets, names.manifest_key("coins", version))
    assert latest["version"] == version == manifest["sha256"][:12]
    assert manifest["prompts"] == {"heldout": 30, "validation": 20, "train": 150}
    assert house.heard(version)["detail-type"] == "Dataset Registered"


def test_the_same_content_uploaded_again_is_the_same_version_with_its_first_record(house: Any, problems: Callable[..., bytes]) -> None:
    first = register_dataset.handler(house.upload("stamps", problems(200)), None)
    record = house.read(house.datasets, names.manifest_key("stamps", first["dataset_version"]))
    second = register_dataset.handler(house.upload("stamps", problems(200), "copy.jsonl"), None)

    assert second["dataset_version"] == first["dataset_version"]
    assert house.read(house.datasets, names.manifest_key("stamps", first["dataset_version"])) == record


def test_a_registration_that_was_held_up_does_not_put_an_older_upload_in_front(house: Any, problems: Callable[..., bytes]) -> None:
    older, newer = house.upload("shells", problems(200), "a.jsonl"), house.upload("shells", problems(220), "b.jsonl")
    last = register_dataset.handler(newer, None)["dataset_version"]
    late = register_dataset.handler(older, None)

    assert late["status"] == "registered"
    assert house.keys(house.datasets, names.manifest_key("shells", late["dataset_version"]))
    assert house.read(house.datasets, names.latest_key("shells"))["version"] == last, "whoever trains on latest means the last upload"
    register_dataset.handler(house.upload("shells", problems(200)), None)
    assert house.read(house.datasets, names.latest_key("shells"))["version"] == late["dataset_version"], "uploading it again chooses it"


def test_of_many_uploads_at_once_the_last_one_is_the_latest(house: Any, problems: Callable[..., bytes]) -> None:
    events = [house.upload("crowd", problems(140, first=1000 * number), f"part-{number}.jsonl") for number in range(12)]
    random.Random(7).shuffle(events)
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda event: register_dataset.handler(event, None), events))

    assert len({result["dataset_version"] for result in results}) == 12
    last = next(result for result in results if result["source"]["key"].endswith("part-11.jsonl"))
    assert house.read(house.datasets, names.latest_key("crowd"))["version"] == last["dataset_version"]


def test_two_uploads_under_names_that_are_not_allowed_leave_two_reports(house: Any) -> None:
    events = [house.upload(name, b"the same", "file.jsonl") for name in ("Not Allowed", "Neither This")]
    reports = [register_dataset.handler(event, None)["report"] for event in events]
    sources = [house.read(house.datasets, report.split("/", 3)[3])["source"]["key"] for report in reports]
    assert sources == [event["detail"]["object"]["key"] for event in events]


def test_a_bad_upload_stays_and_is_reported_to_systems_and_people_without_its_text(
    house: Any, problems: Callable[..., bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    body = problems(200) + b'{"question": "a secret", "answer": ""}\n' + problems(1)
    event = house.upload("badly", body)
    result = register_dataset.handler(event, None)

    upload = event["detail"]["object"]
    report = house.read(house.datasets, names.rejection_key("badly", "problems.jsonl", upload["etag"]))
    assert report["faults"] == result["faults"] == 2
    assert report["shown"][0].startswith("line 201: answer is empty text")
    assert report["shown"][1].startswith("line 202: has the same prompt as line 1")
    assert house.keys(house.datasets, f"{names.INCOMING}badly/") == [upload["key"]]
    assert house.keys(house.datasets, f"{names.DATASETS}badly/") == []
    heard = [house.heard("badly"), house.heard("badly")]
    assert "secret" not in str([result, report, heard, capsys.readouterr().out])
    assert sorted(str(item.get("detail-type", "message")) for item in heard) == ["Dataset Rejected", "message"]


@pytest.mark.parametrize(
    ("dataset", "size", "said"),
    [
        ("Not Allowed", 100, "the dataset's name 'Not Allowed' is not allowed"),
        ("x" * 33, 100, "lower-case letters, digits and single hyphens, at most 32"),
        ("fine/deeper", 100, "the key is not incoming/<dataset>/<file>.jsonl"),
        ("fine", 200_000_000, "the file holds 200.0 MB; allowed are at most 100 MB"),
        ("fine", 0, "the file is empty"),
    ],
)
def test_a_wrong_key_or_size_is_refused_before_a_byte_is_read(house: Any, dataset: str, size: int, said: str) -> None:
    event = house.upload("unread", b"x")
    event["detail"]["object"].update(key=f"{names.INCOMING}{dataset}/file.jsonl", size=size)
    result = register_dataset.handler(event, None)

    assert result["status"] == "rejected"
    assert said in result["reasons"][0]
    assert house.read(house.datasets, result["report"].split("/", 3)[3])["faults"] == 1


def test_too_small_a_dataset_says_how_many_prompts_are_missing(house: Any, problems: Callable[..., bytes]) -> None:
    assert "34 more are needed" in register_dataset.handler(house.upload("few", problems(99)), None)["reasons"][0]


def test_an_upload_deleted_meanwhile_and_an_object_elsewhere_are_no_error(house: Any) -> None:
    event = house.upload("gone", b"x")
    house.s3.delete_object(Bucket=house.datasets, Key=event["detail"]["object"]["key"])
    assert register_dataset.handler(event, None)["status"] == "gone"

    event["detail"]["object"]["key"] = f"{names.DATASETS}gone/0123456789ab/train.jsonl"
    assert register_dataset.handler(event, None)["status"] == "ignored"
