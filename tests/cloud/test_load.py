"""Uploads, run requests and grader calls at once, a few of each: nothing is lost, done twice or left behind.

How long it takes is the benchmark's to say (docs/load.md).
"""

from __future__ import annotations

import json
from functools import partial

import pytest
from contracts import names

from benchmarks.load import grader, runs, uploads
from benchmarks.load.environment import Environment, together
from benchmarks.responses import events

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def env(endpoint, dev):
    """The environment with nothing started by what is registered here: other tests want the place for a job."""
    loaded = Environment(endpoint)
    loaded.rule("DatasetRegistered", on=False)
    yield loaded
    loaded.rule("DatasetRegistered", on=True)
    loaded.close()


def test_uploads_at_once_each_get_one_verdict(env):
    result = uploads.different(env, 8, 4)
    assert result.problems == []
    assert (result.figures["registered"], result.figures["refused"]) == (4, 4)


def test_of_versions_uploaded_at_once_the_last_is_the_latest(env):
    result = uploads.versions(env, 6)
    assert result.problems == []
    assert result.figures["versions"] == 6


def test_requests_at_once_are_each_refused_once_with_record_and_notice(env):
    result = runs.requests(env, runs.asks("any", [], direct=0, refused=6, twice=2), allowed=1)
    assert result.problems == []
    assert (result.figures["runs"], result.figures["ended RequestRefused"], result.figures["jobs"]) == (6, 6, 0)
    assert env.keys(env.runs, names.TOKENS + "load-bad") == []


def test_grader_calls_above_the_reserved_concurrency_are_throttled_and_every_sample_is_graded_once(env):
    # What called just before, with nothing reserved yet, is not to be counted.
    call = partial(
        env.lambda_.invoke, FunctionName=env.parameter(names.PARAM_REWARD_FUNCTION), Payload=json.dumps(events(count=1, batch=8)[0])
    )
    assert all("FunctionError" not in answer for answer in together([call] * 4))
    result = grader.calls(env, count=60, batch=8, reserved=2, at_once=8, retries=10)
    assert result.problems == []
    assert result.figures["throttled attempts"] > 0
    assert (result.figures["graded once"], result.figures["most at the same time"]) == (480, 2)
