"""The message at a run's end, sent by the real state through the local cloud's SNS: chat gets its form, everybody else the letter."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from stacks.run_notice import arguments
from tests.pipeline.chat_form import content


@pytest.fixture
def channel() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Stands where the chat service listens: its address, and what it was sent."""
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", heard
    server.shutdown()
    server.server_close()


def test_the_end_of_a_run_is_told_in_both_forms(
    bench: Any, waiting: Callable[..., Any], allowing: Callable[..., dict[str, Any]], channel: tuple[str, list[dict[str, Any]]]
) -> None:
    sns, (address, heard) = bench.client("sns"), channel
    topic = sns.create_topic(Name=bench.name("people"))["TopicArn"]
    url, queue = bench.queue("sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint=address)
    sns.confirm_subscription(TopicArn=topic, Token=waiting(lambda: heard)[0]["Token"])

    ended = {
        "runId": "r-1",
        "outcome": {"code": "TrainingFailed", "reason": 'no "space" <left>', "state": "TrackTraining"},
        "cleaned": {"problems": []},
        "unrecorded": "{% null %}",
    }
    notify = arguments("dev", topic, chat_runbooks="docs/runbooks")
    states = {
        "Ended": {"Type": "Pass", "Assign": ended, "Next": "Notify"},
        "Notify": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": notify, "End": True},
    }
    done = bench.run({"StartAt": "Ended", "States": states}, bench.role("states.amazonaws.com", allowing("sns:Publish", resource=topic)))
    assert done["status"] == "SUCCEEDED", done

    letter = json.loads(bench.received(url)["Body"])
    assert letter["Subject"] == "[dev] run r-1: TrainingFailed"
    lines = ["Run r-1 in dev ended: TrainingFailed", "State: TrackTraining", 'Why: no "space" <left>', "Look: rft report r-1 --env dev"]
    assert letter["Message"].split("\n") == lines
    shown = content(json.loads(waiting(lambda: heard[1:])[0]["Message"]))
    assert 'Why: no "space" [left]' in shown["description"]
    assert shown["nextSteps"] == ["Look: `rft report r-1 --env dev`", "Runbook: docs/runbooks/run-failed.md"]
