"""What a chat channel shows of a message of ours: the form it must have there, and how text is made harmless in it.

Amazon Q Developer in chat applications shows notices of AWS's own services, and custom notifications of this form; anything else it drops
without a word (chat applications administrator guide, custom-notifs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

INERT = {"`": "'", "<": "[", ">": "]", "@": "(at)"}
"""Characters that would end a block of code, make a link or call people, and what stands for them."""

FACTS_CHARACTERS = 2400
"""With what is put around them they stay below the 3000 that Slack takes in one block of text."""

BLOCK = ("```\n", "\n```")
"""Around what happened: a block of code keeps its lines, and no markdown in it counts."""

SHORTENED = "\n... The e-mail has all of it."


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a person can do next: why, in a word or two, and the command."""

    what: str
    command: str


def letter(facts: str, steps: Sequence[Step]) -> str:
    """The message in plain text, for e-mail and queues."""
    return "\n".join([facts, *(f"{step.what}: {step.command}" for step in steps)])


def notification(*, title: str, facts: str, steps: Sequence[Step], runbook: str, keywords: Sequence[str]) -> dict[str, Any]:
    """The message for a channel; `runbook` is where its page is, empty for none."""
    return form(
        title=inert(title),
        description=_shortened(inert(facts)).join(BLOCK),
        next_steps=[*(f"{step.what}: `{step.command}`" for step in steps), *([f"Runbook: {runbook}"] if runbook else [])],
        keywords=list(keywords),
    )


def form(*, title: str, description: str, next_steps: Sequence[str], keywords: Sequence[str]) -> dict[str, Any]:
    """The form itself, of text that is harmless already.

    There is no `threadId`: what is said in a thread, a question that waits among it, does not show in the channel.
    """
    content = {
        "textType": "client-markdown",
        "title": title,
        "description": description,
        "nextSteps": next_steps,
        "keywords": keywords,
    }
    return {"version": "1.0", "source": "custom", "content": content}


def inert(text: str) -> str:
    """The text without what chat would act on: it holds names that people chose and reasons that services gave."""
    for character, instead in INERT.items():
        text = text.replace(character, instead)
    return text


def _shortened(text: str) -> str:
    """The text, or as many whole lines of it as a channel shows."""
    if len(text) <= FACTS_CHARACTERS:
        return text
    shown = text[:FACTS_CHARACTERS]
    return (shown.rpartition("\n")[0] or shown) + SHORTENED
