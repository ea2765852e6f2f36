"""Given a fault in a state, then the run ends as stated, nothing is left, nothing is done twice, all is recorded, and its end is told.

By default a few runs that meet every class of faults; all take some six minutes. With RFT_FAULTS=all it is all of them, or those that
it names, separated by commas; what they came to is then written into the tables of docs/faults.md (`make faults`,
`make faults ONLY=job-stalls,aborted`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from contracts import names

from local.bedrock import faults_client
from tests.faults import aftermath, table
from tests.faults.aftermath import Aftermath
from tests.faults.cases import ENDS, KILLED_AT, SLICE, Case, cases, in_turn
from tests.faults.leading import WAYS
from tests.faults.watching import ROOM, Watcher

pytestmark = pytest.mark.cloud

ASKED = os.environ.get("RFT_FAULTS", "")
CHOSEN = [case for case in cases() if ASKED == "all" or case.run in (ASKED.split(",") if ASKED else SLICE)]
PACE_SECONDS = 0.2
"""Slow enough for the guard rails to tell steps apart in metrics of one second."""

RUN_SECONDS = 900
AT_ONCE = 8


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
            return aftermath.of(watcher, case.run, case.told, RUN_SECONDS)
        except Exception as problem:  # told by the case's own test
            return problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip([case.run for case in CHOSEN], pool.map(lead, CHOSEN), strict=True))
    if ASKED:
        whole = {run: came for run, came in found.items() if isinstance(came, Aftermath)}
        table.write({**table.committed(), **table.results(whole)})
    return found


@pytest.fixture(scope="module")
def struck(watcher, aftermaths) -> list[dict[str, str]]:
    """The calls that met a fault."""
    return list(faults_client.faults(watcher.endpoint)["met"])


@pytest.mark.parametrize("case", CHOSEN, ids=[case.run for case in CHOSEN])
def test_whatever_fails_the_run_ends_as_stated_and_leaves_nothing(watcher, aftermaths, struck, case):
    found = aftermaths[case.run]
    if isinstance(found, Exception):
        raise found
    assert found.outcome == case.outcome, found.reason
    assert found.left == []
    assert found.gaps == []
    assert set(found.told) == set(case.told)
    assert found.jobs <= 1
    assert found.releases == table.releases_wanted(case)
    met = [call for call in struck if call["run"] == case.run]
    assert not case.strikes or met, "the fault was never met"
    if case.run in FURTHER:
        FURTHER[case.run](watcher, found, met)


Further = Callable[[Watcher, Aftermath, list[dict[str, str]]], None]


def met_in_every_state(watcher, found, met):
    """And every question was answered with a yes that is on the record."""
    wanted = set(KILLED_AT) if found.run == "passing-killed" else set(ENDS)
    assert {state for state in wanted if table.recorded_as(state) not in found.errors} == set()
    approvals = watcher.record(found.run, names.LINEAGE)["approvals"]
    assert {kind: given["approved"] for kind, given in approvals.items()} == {"spend": True, "continue": True, "release": True}


def met_in_turn(watcher, found, met):
    met_in_every_state(watcher, found, met)
    for name, strike in in_turn():
        of_this = [call for call in met if call["name"] == name and strike["caller"] in call["caller"]]
        assert len(of_this) >= strike["count"], f"{name} {strike['caller']}"


def clean_up_announced(watcher, found, met):
    (message,) = watcher.messages_about(found.run)
    assert "Not cleaned up, look now" in message


def record_announced(watcher, found, met):
    (message,) = watcher.messages_about(found.run)
    assert "Its record could not be written yet" in message


def signed(watcher, found, met):
    assert watcher.rft("audit", "verify", found.run)["intact"] is True


def too_late(watcher, found, met):
    """Record, message and pointer say the same, and the record is signed."""
    signed(watcher, found, met)
    lineage = watcher.record(found.run, names.LINEAGE)
    assert "the model was released; too late came: by hand" in lineage["outcome"]["reason"]
    assert lineage["model"]["released"]["run_id"] == found.run
    assert any("ended: Released" in message for message in watcher.messages_about(found.run))


def no_answer(watcher, found, met):
    assert "needs the continue approval and has none" in found.reason


FURTHER: dict[str, Further] = {
    "passing-throttled": met_in_every_state,
    "passing-failing": met_in_every_state,
    "passing-lost": met_in_every_state,
    "passing-killed": met_in_every_state,
    "passing-in-turn": met_in_turn,
    "denied-clean-up": clean_up_announced,
    "denied-record-lineage": record_announced,
    "continue-unanswered": no_answer,
    "aborted": signed,
    "stopped-releasing": too_late,
    "stopped-before-pointer": too_late,
}
"""What is asked of one run more than of the others."""
