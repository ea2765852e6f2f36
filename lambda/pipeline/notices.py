"""Tells other systems (events on the bus) and people (messages through the topic). Neither ever carries a prompt or an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts import names
from contracts.errors import TransientFault
from contracts.events import RunEvent

from pipeline import aws, config

SUBJECT_CHARACTERS = 99
"""SNS allows fewer than 100, all of them ASCII."""


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


def tell(subject: str, message: str) -> None:
    """Publishes a message for people."""
    head = f"[{config.environment()}] {subject}".encode("ascii", "replace").decode()[:SUBJECT_CHARACTERS]
    aws.sns().publish(TopicArn=config.variable(names.ENV_TOPIC), Subject=head, Message=message)
