"""Alarms on the deployed pipeline: what a bad upload, a healthy run and a failing grader raise, who is told, and that it clears."""

from __future__ import annotations

import json

import pytest
from contracts import names

pytestmark = pytest.mark.cloud


def raised(dev):
    """Names of the alarms that went off since the deployment."""
    pages = dev.cloudwatch.get_paginator("describe_alarm_history").paginate(HistoryItemType="StateUpdate")
    items = [item for page in pages for item in page["AlarmHistoryItems"]]
    return {item["AlarmName"] for item in items if item["HistorySummary"].endswith("to ALARM")}


def test_a_bad_upload_raises_its_alarm_and_a_healthy_run_raises_none(dev, tmp_path, request):
    file = tmp_path / "empty.jsonl"
    file.write_text("")
    dev.rft("dataset", "add", str(file), "--name", "empty", code=1)
    dev.raised("DatasetRejected")
    told = dev.told("dataset empty rejected")
    assert "the file is empty" in told["Message"]

    request.getfixturevalue("first_run")
    dev.cleared("DatasetRejected")
    assert raised(dev) == {dev.alarm("DatasetRejected")}


def test_a_grader_that_fails_is_told_in_a_message_that_says_what_to_do(dev, failed_grader):
    for alarm in ("RewardErrors", "GraderFaults"):
        dev.raised(alarm)
        told = dev.told(f'ALARM: "{dev.alarm(alarm)}" in US East (N. Virginia)')
        message = json.loads(told["Message"])
        assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
        assert "First: " in message["AlarmDescription"] and "Runbook: " in message["AlarmDescription"]
    paged = json.loads(dev.told("ALARM: ", dev.alarm("NeedsPerson"), topic=names.PARAM_ON_CALL)["Message"])
    assert {dev.alarm("RewardErrors"), dev.alarm("GraderFaults")} & {
        child["Arn"].rpartition(":")[2] for child in paged["TriggeringChildren"]
    }
