"""What people are told: a letter to every subscriber, and beside it the form of chat where settings have a channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from contracts import names, runbooks
from contracts.chat import FACTS_CHARACTERS, Step
from ministack.services import sns
from pipeline import aws, notices, request_approval

from audit.assembly import ROOT
from tests.pipeline.chat_form import content

MOST_BYTES = 262_144
STOP = Step(what="Stop it", command="rft run stop r-1 --env dev")
Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """`notices.tell`, and what it publishes; `runbooks` is where chat finds them, empty without a channel."""
    published: list[dict[str, Any]] = []

    class Topic:
        def publish(self, **message: Any) -> None:
            published.append(message)

    monkeypatch.setattr(aws, "sns", Topic)
    monkeypatch.setenv(names.ENV_ENVIRONMENT, "dev")
    monkeypatch.setenv(names.ENV_TOPIC, "arn:aws:sns:us-east-1:111122223333:people")

    def told(subject: str, facts: str, *, where: str = "https://example.com/runbooks/", **more: Any) -> dict[str, Any]:
        monkeypatch.setenv(names.ENV_CHAT_RUNBOOKS, where)
        notices.tell(subject, facts, **more)
        assert len(published[-1]["Message"].encode()) <= MOST_BYTES
        return published.pop()

    return told


def got(message: dict[str, Any], protocol: str) -> str:
    """What a subscriber of this protocol gets, by the local cloud's reading of SNS."""
    text: str = sns._resolve_message_for_protocol(message["Message"], message.get("MessageStructure", ""), protocol)
    return text


def test_without_a_channel_a_message_is_plain_text(tell: Tell) -> None:
    message = tell("run r-1: floor", "It is low.", steps=[STOP], where="")
    assert "MessageStructure" not in message
    assert message["Subject"] == "[dev] run r-1: floor"
    assert message["Message"] == "It is low.\nStop it: rft run stop r-1 --env dev"


@pytest.mark.parametrize("protocol", ["email", "sqs", "lambda"])
def test_with_one_every_other_subscriber_gets_the_same_letter(tell: Tell, protocol: str) -> None:
    plain = tell("run r-1: floor", "It is low.", steps=[STOP], where="")
    both = tell("run r-1: floor", "It is low.", steps=[STOP], page="plateau", run_id="r-1")
    assert got(both, protocol) == plain["Message"]
    assert both["Subject"] == plain["Subject"]


def test_a_channel_gets_the_form_with_steps_and_runbook(tell: Tell) -> None:
    message = tell("run r-1: floor", "It is low.", steps=[STOP], page="plateau", run_id="r-1")
    shown = content(json.loads(got(message, "https")))
    assert shown["title"] == "[dev] run r-1: floor"
    assert shown["description"] == "```\nIt is low.\n```"
    assert shown["nextSteps"] == ["Stop it: `rft run stop r-1 --env dev`", "Runbook: https://example.com/runbooks/plateau.md"]
    assert shown["keywords"] == ["dev", "r-1"]


def test_text_of_others_neither_calls_people_nor_makes_links_nor_ends_the_block(tell: Tell) -> None:
    facts = "<!channel> @here ```\n*look* <https://example.com|here>"
    shown = content(json.loads(got(tell("dataset @all rejected", facts), "https")))
    inside = shown["description"].removeprefix("```\n").removesuffix("\n```")
    assert not set("`<>@") & set(inside + shown["title"])
    assert "[!channel] (at)here '''\n*look*" in inside


def test_a_long_message_is_cut_between_lines_in_chat_and_whole_in_the_letter(tell: Tell) -> None:
    facts = "\n".join(f"line {number} of what happened" for number in range(500))
    message = tell("much", facts, steps=[STOP])
    shown = content(json.loads(got(message, "https")))["description"]
    assert len(shown) < FACTS_CHARACTERS + 100
    assert shown.endswith("of what happened\n... The e-mail has all of it.\n```")
    assert facts in got(message, "email")
    assert got(message, "email").endswith("rft run stop r-1 --env dev")


@pytest.mark.parametrize("filling", ["\x01", '"', "€", "\\"])
def test_whatever_is_in_it_a_message_is_never_too_long_for_the_topic(tell: Tell, filling: str) -> None:
    message = tell("much", filling * 200_000, steps=[STOP])
    assert got(message, "email").startswith(filling * 1000) and STOP.command in got(message, "email")
    assert content(json.loads(got(message, "https")))["nextSteps"]


def test_a_line_without_an_end_is_cut_all_the_same(tell: Tell) -> None:
    shown = content(json.loads(got(tell("much", "x" * 10_000), "https")))["description"]
    assert shown.count("x") == FACTS_CHARACTERS


def test_what_stands_for_a_character_counts_towards_the_length(tell: Tell) -> None:
    assert len(content(json.loads(got(tell("much", "@" * 2000), "https")))["description"]) < FACTS_CHARACTERS + 100


def test_an_approval_can_be_answered_from_what_is_shown(tell: Tell) -> None:
    request = {
        "run_id": "r-1",
        "environment": "dev",
        "kind": "spend",
        "what": "Train it?",
        "figures": {"usd": 12.5},
        "expires_at": "2026-11-27T03:00:00+00:00",
        "token": "kept-to-itself",
    }
    message = tell(
        "approve?", request_approval.facts(request), steps=request_approval.answers("r-1", "dev"), page=runbooks.APPROVAL_WAITING
    )
    shown = content(json.loads(got(message, "https")))
    assert shown["nextSteps"][0] == 'Yes: `rft run approve r-1 --env dev --reason "..."`'
    assert "usd: 12.5" in shown["description"] and "2026-11-27T03:00:00" in shown["description"]
    assert "kept-to-itself" not in message["Message"]


def test_every_page_a_message_points_at_is_there() -> None:
    pages = {
        *runbooks.RUNBOOK_OF_OUTCOME.values(),
        *runbooks.RUNBOOK_OF_RAIL.values(),
        *(runbooks.DATASET_REJECTED, runbooks.APPROVAL_WAITING, runbooks.ORPHANS_FOUND, runbooks.FOREIGN_JOBS),
    }
    assert not [page for page in pages if not (ROOT / "docs/runbooks" / f"{page}.md").is_file()]
