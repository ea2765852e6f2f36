"""Tells other systems (events on the bus) and people (messages through the topic). Neither ever carries a prompt or an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from contracts import chat, names, runbooks
from contracts.errors import TransientFault
from contracts.events import RunEvent

from pipeline import aws, config

SUBJECT_CHARACTERS = 99
"""SNS allows fewer than 100, all of them ASCII."""

FACTS_BYTES = 32_000
"""Escaped sixfold and with the form of chat beside it, still within the 262,144 bytes of a message."""


def announce(kind: RunEvent, detail: Mapping[str, Any]) -> None:
    """Puts an event on the bus `rft-<environment>`.

    Raises:
        TransientFault: if the bus did not take it; PutEvents reports that without an error of its own.
    """
    entry = {
        "Source": names.EVENT_SOURCE,
        "DetailType": str(kind),
        "EventBusName": config.variable(names.ENV_BUS),
        "Detail": json.dumps({"environment": config.environment(), **detail}),
    }
    answer = aws.events().put_events(Entries=[entry])  # type: ignore[list-item]
    if answer.get("FailedEntryCount"):
        raise TransientFault(f"the bus did not take the event {kind}: {answer['Entries'][0].get('ErrorCode', 'no code')}")


def tell(subject: str, facts: str, *, steps: Sequence[chat.Step] = (), page: str = "", run_id: str = "") -> None:
    """Publishes a message for people: plain text, and beside it the form of chat where settings have a channel.

    Args:
        subject: of the letter, and the title in chat.
        facts: what happened.
        steps: what to do next.
        page: name of the runbook to read, if there is one.
        run_id: of the run it is about, if it is about one.
    """
    environment = config.environment()
    head = f"[{environment}] {subject}".encode("ascii", "replace").decode()[:SUBJECT_CHARACTERS]
    facts = facts.encode()[:FACTS_BYTES].decode(errors="ignore")
    letter = chat.letter(facts, steps)
    topic, where = config.variable(names.ENV_TOPIC), config.chosen(names.ENV_CHAT_RUNBOOKS)
    if not where:
        aws.sns().publish(TopicArn=topic, Subject=head, Message=letter)
        return
    shown = chat.notification(
        title=head,
        facts=facts,
        steps=steps,
        runbook=runbooks.link(where, page) if page else "",
        keywords=[environment, *([run_id] if run_id else [])],
    )
    # The chat service subscribes by https; every other kind of subscriber goes on getting the letter.
    by_protocol = {"default": letter, "https": json.dumps(shown, ensure_ascii=False)}
    aws.sns().publish(TopicArn=topic, Subject=head, Message=json.dumps(by_protocol, ensure_ascii=False), MessageStructure="json")
