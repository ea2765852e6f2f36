"""The message at a run's end, evaluated: the letter, and the form of chat where a channel shows it."""

from __future__ import annotations

import json
from typing import Any

import jsonata
import pytest
from contracts.chat import FACTS_CHARACTERS
from contracts.events import Outcome

from stacks.run_notice import arguments
from tests.pipeline.chat_form import content

TOPIC = "arn:aws:sns:us-east-1:111122223333:people"
ENDED = "Run r-1 in dev ended: TrainingFailed\nState: TrackTraining\nWhy: no space left"
LOOK = "\nLook: rft report r-1 --env dev"


def told(where: str, *, code: str = Outcome.TRAINING_FAILED, reason: str = "no space left", **more: Any) -> dict[str, Any]:
    """The arguments as the state machine would give them to SNS."""
    outcome = {"code": str(code), "reason": reason, "state": "TrackTraining"}
    cleaned = {"problems": more.pop("problems", [])}
    variables = {"runId": "r-1", "outcome": outcome, "cleaned": cleaned, "unrecorded": jsonata.Utils.NULL_VALUE, **more}

    def evaluated(text: str) -> Any:
        return jsonata.Jsonata.jsonata(text[2:-2].strip()).evaluate(None, dict(variables)) if text.startswith("{%") else text

    return {key: evaluated(value) for key, value in arguments("dev", TOPIC, chat_runbooks=where).items()}


def shown(**more: Any) -> dict[str, Any]:
    message = told("docs/runbooks", **more)
    assert message["MessageStructure"] == "json"
    return content(json.loads(json.loads(message["Message"])["https"]))


def test_without_a_channel_it_is_plain_text() -> None:
    message = told("")
    assert message == {"TopicArn": TOPIC, "Subject": "[dev] run r-1: TrainingFailed", "Message": ENDED + LOOK}


@pytest.mark.parametrize(
    "more", [{}, {"problems": ["a deployment is left"]}, {"unrecorded": {"run_id": "r-1"}}, {"reason": 'said "no" \\ <b>'}]
)
def test_with_one_the_letter_stays_word_for_word(more: dict[str, Any]) -> None:
    assert json.loads(told("docs/runbooks", **more)["Message"])["default"] == told("", **more)["Message"]


def test_a_channel_gets_what_happened_what_to_do_and_the_runbook() -> None:
    assert shown() == {
        "textType": "client-markdown",
        "title": "[dev] run r-1: TrainingFailed",
        "description": f"```\n{ENDED}\n```",
        "nextSteps": ["Look: `rft report r-1 --env dev`", "Runbook: docs/runbooks/run-failed.md"],
        "keywords": ["dev", "r-1"],
    }


def test_what_was_left_behind_and_not_recorded_is_said() -> None:
    description = shown(problems=["a deployment is left", "a job runs"], unrecorded={"run_id": "r-1"})["description"]
    assert "\nNot cleaned up, look now: a deployment is left; a job runs\nIts record could not be written yet;" in description


def test_a_release_needs_no_runbook() -> None:
    assert shown(code=Outcome.RELEASED)["nextSteps"] == ["Look: `rft report r-1 --env dev`"]


def test_a_reason_that_bedrock_gave_calls_nobody_and_is_cut() -> None:
    description = shown(reason="```<!channel> @here" + "x" * 5000)["description"]
    assert "'''[!channel] (at)here" in description
    assert len(description) == FACTS_CHARACTERS + len("```\n\n```")
