"""Given a fault in a state, then the run ends as stated, nothing is left, nothing is done twice, all is recorded, and its end is told.

None by default: all take a quarter of an hour. With RFT_FAULTS=all it is all of them, or those that it names, separated by commas;
what they came to is written into the tables of docs/faults.md (`make faults`, `make faults ONLY=job-stalls,aborted`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from contracts import names

from local.bedrock import faults_client
from tests.faults import aftermath, table
from tests.faults.aftermath import Aftermath
from tests.faults.cases import ENDS, FUNCTION_OF_STATE, KILLED_AT, PASSING, Case, Fault, cases
from tests.faults.leading import WAYS
from tests.faults.watching import ROOM, Watcher

pytestmark = pytest.mark.cloud

ASKED = os.environ.get("RFT_FAULTS", "").split(",")
CHOSEN = [case for case in cases() if ASKED == ["all"] or case.run in ASKED]
NAMES = {case.run for case in CHOSEN}
PACE_SECONDS = 0.2
"""Slow enough for the guard rails to tell steps apart in metrics of one second."""

RUN_SECONDS = 900
AT_ONCE = 8


def led(run: str) -> pytest.MarkDecorator:
    """For what is asked of one run more than of the others."""
    return pytest.mark.skipif(run not in NAMES, reason=f"{run} is not among the chosen")


@pytest.fixture(scope="module")
def watcher(dev, version, tmp_path_factory) -> Iterator[Watcher]:
    sqs, sns = dev.endpoint.client("sqs"), dev.endpoint.client("sns")
    found = []
    for queue, service in (("events-of-faults", "events"), ("messages-of-faults", "sns")):
        url = sqs.create_queue(QueueName=queue)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        send = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [send]})})
        found.append((url, arn))
    (events, events_arn), (messages, messages_arn) = found
    bus = names.bus("dev")
    dev.endpoint.client("events").put_targets(Rule="everything", EventBusName=bus, Targets=[{"Id": "faults", "Arn": events_arn}])
    sns.subscribe(TopicArn=dev.parameter(names.PARAM_TOPIC), Protocol="sqs", Endpoint=messages_arn)
    watching = Watcher(dev.endpoint, events, messages, Path(tmp_path_factory.mktemp("faults")))
    undo = watching.make_room(ROOM)
    watching.pace(PACE_SECONDS)
    yield watching
    watching.no_more_faults()
    watching.pace()
    undo()


@pytest.fixture(scope="module")
def aftermaths(watcher) -> dict[str, Aftermath | Exception]:
    """What all runs came to; many go on at once, and each fault is for one run."""

    def lead(case: Case) -> Aftermath | Exception:
        for name, parameters in case.strikes:
            watcher.fault(name, **parameters, run=case.run)
        for name, parameters in case.faults:
            watcher.fault(name, **parameters, job=names.job_name("dev", case.run))
        try:
            WAYS[case.way](watcher, case.run)
            return aftermath.of(watcher, case.run, RUN_SECONDS)
        except Exception as problem:  # told by the case's own test
            return problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip([case.run for case in CHOSEN], pool.map(lead, CHOSEN), strict=True))
    whole = {run: came for run, came in found.items() if isinstance(came, Aftermath)}
    table.write({**table.committed(), **table.results(whole)})
    return found


@pytest.fixture(scope="module")
def struck(watcher, aftermaths) -> set[str]:
    """The runs that met their faults."""
    return {met["run"] for met in faults_client.faults(watcher.endpoint)["met"]}


@pytest.mark.parametrize("case", CHOSEN, ids=[case.run for case in CHOSEN])
def test_whatever_fails_the_run_ends_as_stated_and_leaves_nothing(aftermaths, struck, case):
    found = aftermaths[case.run]
    if isinstance(found, Exception):
        raise found
    assert found.outcome == case.outcome, found.reason
    assert found.left == []
    assert found.gaps == []
    assert set(found.told) == set(case.told)
    assert found.jobs <= 1
    assert found.releases == table.releases_wanted(case)
    assert not case.strikes or case.run in struck, "the fault was never met"


@pytest.mark.parametrize("fault", [fault for fault in PASSING if f"passing-{fault.name.lower()}" in NAMES])
def test_a_fault_that_passes_was_met_in_every_state(aftermaths, fault):
    found = aftermaths[f"passing-{fault.name.lower()}"]
    if isinstance(found, Exception):
        raise found
    wanted = set(KILLED_AT) if fault is Fault.KILLED else set(ENDS)
    assert {state for state in wanted if table.recorded_as(state) not in found.errors} == set()
    assert set(FUNCTION_OF_STATE) <= set(ENDS)


@led("denied-clean-up")
def test_the_clean_up_that_failed_was_announced(watcher, aftermaths):
    (message,) = watcher.messages_about("denied-clean-up")
    assert "Not cleaned up, look now" in message


@led("denied-record-lineage")
def test_the_record_that_failed_was_announced(watcher, aftermaths):
    (message,) = watcher.messages_about("denied-record-lineage")
    assert "Its record could not be written yet" in message


@led("aborted")
def test_the_record_of_an_aborted_run_is_signed(watcher, aftermaths):
    assert watcher.rft("audit", "verify", "aborted")["intact"] is True
