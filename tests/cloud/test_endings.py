"""Every way a run can end but by a fault: the outcome is stated, nothing that costs money is left, the record and the notice are there.

Those that end by a fault, or in spite of one, are in test_faults.py.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import pytest
from contracts import names
from contracts.events import EVENT_OF_OUTCOME, Outcome

from local import cloud

pytestmark = pytest.mark.cloud

PAYS_LENGTH = """
def handler(event, context):
    return [{"id": s["id"], "aggregate_reward_score": min(1.0, len(str(s["messages"][-1]["content"])) / 400)} for s in event]
"""


def check_ending(dev, ended, outcome):
    assert ended.code == outcome, ended.reason
    assert ended.lineage["outcome"]["code"] == outcome
    assert not [job for job in dev.jobs(ended.run_id) if job["status"] in ("InProgress", "Stopping")]
    assert dev.deployments(ended.run_id) == []
    assert dev.keys(names.PARAM_RUNS_BUCKET, f"{names.STAGED}{ended.run_id}/") == []
    dev.heard(EVENT_OF_OUTCOME[outcome], run_id=ended.run_id)


@pytest.fixture(scope="module")
def exploitable_version(dev):
    """A version of the reward function that pays for length, published as a user's mistake would be."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("reward/__init__.py", "")
        archive.writestr("reward/handler.py", PAYS_LENGTH)
    name = dev.parameter(names.PARAM_REWARD_FUNCTION)
    before = dev.lambda_.get_function(FunctionName=name)["Configuration"]["CodeSha256"]
    assert dev.lambda_.update_function_code(FunctionName=name, ZipFile=package.getvalue())["CodeSha256"] != before
    return dev.lambda_.publish_version(FunctionName=name)["Version"]


def test_an_exploitable_reward_is_stopped_before_any_money_is_spent(dev, first_run, exploitable_version):
    ended = dev.ended(dev.start("exploitable-reward", reward_version=exploitable_version))
    check_ending(dev, ended, Outcome.REWARD_REJECTED)
    assert dev.jobs(ended.run_id) == []
    assert "padding" in ended.reason


def test_a_candidate_that_is_no_better_is_not_released(dev, first_run):
    released = dev.parameter(names.PARAM_RELEASED_MODEL)
    ended = dev.ended(dev.start("no-better", hyperparameters={"learning_rate": 1e-7, "epoch_count": 1}))
    check_ending(dev, ended, Outcome.CANDIDATE_REJECTED)
    assert dev.parameter(names.PARAM_RELEASED_MODEL) == released


def test_a_candidate_that_grew_unsafe_is_not_released(dev, first_run):
    dev.fault("unsafe_candidate", job=names.job_name("dev", "unsafe"))
    ended = dev.ended(dev.start("unsafe"))
    check_ending(dev, ended, Outcome.CANDIDATE_REJECTED)
    assert "safety" in ended.reason


def test_a_job_that_fails_ends_the_run_with_bedrocks_reason(dev, first_run):
    dev.fault("job_failure", step=2, message="The reward function returned an error.", job=names.job_name("dev", "job-fails"))
    ended = dev.ended(dev.start("job-fails"))
    check_ending(dev, ended, Outcome.TRAINING_FAILED)
    assert "The reward function returned an error." in ended.reason
    dev.told("job-fails", "The reward function returned an error.")
    dev.raised("RunFailed")


def test_the_alarms_of_what_failed_are_over_when_nothing_fails_any_more(dev, first_run, failed_grader):
    for alarm in ("RewardErrors", "RunFailed", "NeedsPerson"):
        dev.cleared(alarm)
    dev.told("OK: ", dev.alarm("RewardErrors"))
    dev.told("OK: ", dev.alarm("NeedsPerson"), topic=names.PARAM_ON_CALL)


@pytest.mark.parametrize(
    ("run_id", "request_", "named"),
    [
        ("above-cap", {"hyperparameters": {"epoch_count": 50}}, "epoch_count"),
        ("unknown-dataset", {"dataset": "nowhere"}, "nowhere"),
        ("unknown-key", {"budget": 5}, "budget"),
        ("unknown-version", {"reward_version": "999"}, "999"),
    ],
)
def test_a_request_outside_the_rules_starts_nothing(dev, first_run, run_id, request_, named):
    ended = dev.ended(dev.start(run_id, **request_))
    check_ending(dev, ended, Outcome.REQUEST_REFUSED)
    assert named in ended.reason
    assert dev.jobs(run_id) == []


def test_a_stopped_run_leaves_no_job_behind(dev, first_run):
    dev.fault("stall", step=3, job=names.job_name("dev", "stopped-by-hand"))
    dev.start("stopped-by-hand")
    dev.eventually(lambda: dev.jobs("stopped-by-hand") or None, "the job")
    dev.rft("run", "stop", "stopped-by-hand", "--reason", "too slow")
    ended = dev.ended("stopped-by-hand")
    check_ending(dev, ended, Outcome.TRAINING_STOPPED)
    assert ended.lineage["stopped_by"]["principal"]["arn"] == f"arn:aws:iam::{cloud.ACCOUNT}:root"
    assert ended.lineage["stopped_by"]["reason"] == "too slow"


def test_a_run_stopped_while_its_candidate_is_deployed_is_not_released(dev, first_run):
    released = dev.parameter(names.PARAM_RELEASED_MODEL)
    dev.fault("slow_deployment", seconds=60, job=names.job_name("dev", "stopped-deploying"))
    dev.start("stopped-deploying", hyperparameters={"epoch_count": 1})
    dev.eventually(lambda: dev.deployments("stopped-deploying") or None, "the deployment")
    said = dev.rft("run", "stop", "stopped-deploying", "--reason", "wrong dataset")
    assert (said["how"], said["outcome"]["code"]) == ("execution stopped", Outcome.TRAINING_STOPPED)
    ended = dev.ended("stopped-deploying")
    # An execution that was cut off has its outcome in its record.
    check_ending(dev, dataclasses.replace(ended, code=ended.lineage["outcome"]["code"]), Outcome.TRAINING_STOPPED)
    assert ended.lineage["stopped_by"]["principal"]["arn"] == f"arn:aws:iam::{cloud.ACCOUNT}:root"
    assert ended.lineage["stopped_by"]["reason"] == "wrong dataset"
    assert dev.parameter(names.PARAM_RELEASED_MODEL) == released


@pytest.mark.parametrize(("answer", "outcome"), [("reject", Outcome.SPEND_REJECTED), ("approve", Outcome.CANDIDATE_REJECTED)])
def test_an_expensive_run_waits_for_a_person(dev, first_run, answer, outcome):
    run_id = f"spend-{answer}"
    dev.start(run_id, approve_spend=True, hyperparameters={"learning_rate": 1e-7, "epoch_count": 1})
    waiting = dev.eventually(lambda: dev.keys(names.PARAM_RUNS_BUCKET, names.token_key(run_id, "spend")) or None, "the question")
    assert waiting and dev.jobs(run_id) == []
    dev.rft("run", answer, run_id, "--reason", "a test says so")
    ended = dev.ended(run_id)
    check_ending(dev, ended, outcome)
    given = ended.lineage["approvals"]["spend"]
    assert given["reason"] == "a test says so"
    assert given["principal"]["arn"] == given["by"] == f"arn:aws:iam::{cloud.ACCOUNT}:root"
    assert "authorization" not in json.dumps(ended.lineage)


def test_a_yes_that_proves_nobody_is_a_no(dev, first_run):
    dev.start("spend-forged", approve_spend=True)
    key = names.token_key("spend-forged", "spend")
    dev.eventually(lambda: dev.keys(names.PARAM_RUNS_BUCKET, key) or None, "the question")
    token = dev.read(names.PARAM_RUNS_BUCKET, key)["token"]
    answer = {"approved": True, "by": "arn:aws:iam::000000000000:root", "reason": "trust me", "at": "2026-11-20T19:00:00+00:00"}
    dev.states.send_task_success(taskToken=token, output=json.dumps(answer))
    ended = dev.ended("spend-forged")
    check_ending(dev, ended, Outcome.SPEND_REJECTED)
    assert "carries no signed proof" in ended.reason
    assert dev.jobs("spend-forged") == []


def test_a_release_can_be_refused_by_a_person(dev, first_run):
    released = dev.parameter(names.PARAM_RELEASED_MODEL)
    dev.start("release-refused", approve_release=True)
    dev.eventually(lambda: dev.keys(names.PARAM_RUNS_BUCKET, names.token_key("release-refused", "release")) or None, "the question")
    dev.rft("run", "reject", "release-refused", "--reason", "not this week")
    check_ending(dev, dev.ended("release-refused"), Outcome.RELEASE_REJECTED)
    assert dev.parameter(names.PARAM_RELEASED_MODEL) == released
