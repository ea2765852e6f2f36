"""Given the deployed environment, what a run needs comes back after it was deleted, and the next run works with it."""

from __future__ import annotations

import json

import pytest
from contracts import names

pytestmark = pytest.mark.cloud


def test_a_deleted_dataset_version_comes_back_as_it_was(dev, first_run, version):
    bucket = dev.parameter(names.PARAM_DATASETS_BUCKET)
    for split in (names.SPLIT_TRAIN, names.SPLIT_HELDOUT):
        dev.s3.delete_object(Bucket=bucket, Key=names.split_key("word-problems", version, split))
    assert dev.rft("backup", "check", code=1)["damaged"] == 1
    assert len(dev.rft("backup", "restore", "dataset", "word-problems")["restored"]) == 2
    assert dev.rft("backup", "check")["damaged"] == 0


def test_a_lost_pointer_is_written_again_from_the_lineage(dev, first_run):
    before = dev.parameter(names.PARAM_RELEASED_MODEL)
    dev.ssm.delete_parameter(Name=names.parameter("dev", names.PARAM_RELEASED_MODEL))
    assert dev.rft("backup", "restore", "pointer", "--run", json.loads(before)["run_id"])["written"] is False
    assert dev.rft("backup", "restore", "pointer", "--run", json.loads(before)["run_id"], "--yes")["written"] is True
    assert json.loads(dev.parameter(names.PARAM_RELEASED_MODEL)) == json.loads(before)
