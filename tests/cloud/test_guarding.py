"""Guard rails and places for jobs, on the deployed pipeline: rewards are graded by the deployed function, the faults are the stand-in's."""

from __future__ import annotations

import json

import pytest
from contracts import names
from contracts.events import Outcome

from local import cloud
from local.bedrock import faults_client
from tests.cloud.test_endings import check_ending

pytestmark = pytest.mark.cloud


PACE_SECONDS = 0.2
"""Slow enough for the rails to tell steps apart in metrics of one second."""


@pytest.fixture(autouse=True)
def pace(dev):
    dev.pace(PACE_SECONDS)
    yield
    dev.pace()


def misbehave(dev, run_id, *, strategy, from_step, until):
    """From one step on the model gives one kind of answer, and before another it stalls, so that the rails have time to look."""
    job = names.job_name("dev", run_id)
    dev.fault("fixed_answers", strategy=strategy, step=from_step, job=job)
    dev.fault("stall", step=until, job=job)


def test_a_collapse_stops_the_job_and_the_record_says_why(dev, first_run):
    misbehave(dev, "collapses", strategy="no_marker", from_step=20, until=30)
    ended = dev.ended(dev.start("collapses"))
    check_ending(dev, ended, Outcome.TRAINING_STOPPED)
    assert "the reward collapsed" in ended.reason
    assert ended.lineage["outcome"]["reason"] == ended.reason
    trend = dev.record("collapses", "trend.json")
    assert trend["guard"]["stopped"] == ended.reason
    assert trend["steps"], "the trend is kept"
    dev.raised("RewardCollapsed")
    dev.told("collapses", "the reward collapsed")


def asked(dev, run_id):
    return dev.eventually(lambda: dev.keys(names.PARAM_RUNS_BUCKET, names.token_key(run_id, "continue")) or None, "the question")


def test_a_person_can_stop_a_job_that_learns_nothing(dev, first_run):
    misbehave(dev, "learns-nothing", strategy="no_marker", from_step=0, until=13)
    dev.start("learns-nothing")
    assert asked(dev, "learns-nothing")
    (job,) = dev.jobs("learns-nothing")
    assert job["status"] == "InProgress", "the job runs on while a person thinks"
    # Half an hour to answer is half a minute here.
    dev.rft("run", "reject", "learns-nothing", "--reason", "the marker is never learnt")
    dev.raised("NoSpread")
    ended = dev.ended("learns-nothing")
    check_ending(dev, ended, Outcome.TRAINING_STOPPED)
    assert "nothing is being learnt" in ended.reason
    assert "the marker is never learnt" in json.dumps(ended.lineage["approvals"])


def test_a_no_that_comes_after_the_job_has_completed_is_heard(dev, first_run):
    """The job runs on while a person thinks, and ends by itself before they answer."""
    misbehave(dev, "no-too-late", strategy="no_marker", from_step=0, until=13)
    dev.start("no-too-late", hyperparameters={"epoch_count": 1})
    assert asked(dev, "no-too-late")
    faults_client.clear(dev.endpoint, "stall", job=names.job_name("dev", "no-too-late"))
    dev.eventually(lambda: dev.jobs("no-too-late")[0]["status"] == "Completed" or None, "the job to complete", 120)
    dev.rft("run", "reject", "no-too-late", "--reason", "the marker is never learnt")
    ended = dev.ended("no-too-late")
    check_ending(dev, ended, Outcome.TRAINING_STOPPED)
    assert "nothing is being learnt" in ended.reason and "the marker is never learnt" in ended.reason
    assert ended.lineage["stopped_by"]["reason"] == "the marker is never learnt"
    assert ended.lineage["stopped_by"]["principal"]["arn"] == f"arn:aws:iam::{cloud.ACCOUNT}:root"
    assert ended.lineage["job"]["status"] == "Completed"


def test_of_two_runs_at_once_one_waits_for_the_other(dev, first_run):
    dev.fault("stall", step=3, job=names.job_name("dev", "in-the-way"))
    dev.start("in-the-way")
    dev.eventually(lambda: dev.jobs("in-the-way") or None, "the first job")
    dev.start("in-line", hyperparameters={"learning_rate": 1e-7, "epoch_count": 1})
    dev.eventually(lambda: dev.state("in-line") == "AwaitTurn" or None, "the second run to wait for its turn")
    assert dev.jobs("in-line") == []
    dev.rft("run", "stop", "in-the-way")
    check_ending(dev, dev.ended("in-the-way"), Outcome.TRAINING_STOPPED)
    check_ending(dev, dev.ended("in-line"), Outcome.CANDIDATE_REJECTED)
    dev.cleared("RewardCollapsed")
