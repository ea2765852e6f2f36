"""A bad upload is refused with a report and an event (its alarm: test_alarms.py); it stays where it was and starts nothing."""

from __future__ import annotations

import json

import pytest
from contracts import names
from contracts.events import RunEvent

pytestmark = pytest.mark.cloud


def rows(count, **changes):
    return [{"question": f"What is {n} + 1?", "answer": f"{n}+1=<<{n}+1={n + 1}>>{n + 1}\n#### {n + 1}", **changes} for n in range(count)]


def jsonl(records):
    return "".join(json.dumps(record) + "\n" for record in records)


BAD = {
    "broken-line": jsonl(rows(150)) + "{not json\n",
    "no-reference": jsonl([{"messages": [{"role": "user", "content": f"q{n}"}]} for n in range(150)]),
    "wrong-field": jsonl([{"prompt": f"q{n}", "completion": "x"} for n in range(150)]),
    "duplicates": jsonl(rows(150) + rows(1)),
    "too-few": jsonl(rows(99)),
    "too-many": jsonl(rows(20_001)),
}


@pytest.mark.parametrize("dataset", sorted(BAD))
def test_a_bad_upload_is_refused_and_kept(dev, first_run, tmp_path, dataset):
    file = tmp_path / f"{dataset}.jsonl"
    file.write_text(BAD[dataset])
    before = dev.runs()
    dev.rft("dataset", "add", str(file), "--name", dataset, code=1)
    assert dev.keys(names.PARAM_DATASETS_BUCKET, f"{names.INCOMING}{dataset}/") == [f"{names.INCOMING}{dataset}/{file.name}"]
    assert dev.keys(names.PARAM_DATASETS_BUCKET, f"{names.DATASETS}{dataset}/") == []
    (report,) = dev.keys(names.PARAM_DATASETS_BUCKET, f"{names.REJECTED}{dataset}/")
    assert dev.read(names.PARAM_DATASETS_BUCKET, report)["shown"]
    dev.heard(RunEvent.DATASET_REJECTED, dataset=dataset)
    assert dev.runs() == before
