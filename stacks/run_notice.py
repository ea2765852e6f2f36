"""What people are told at a run's end: the arguments of the state `Notify`, in JSONata."""

from __future__ import annotations

import json
from typing import Any

from contracts.chat import BLOCK, FACTS_CHARACTERS, INERT, form
from contracts.runbooks import RUNBOOK_OF_OUTCOME, link


class _Expression(str):
    """JSONata, among texts that stand for themselves."""

    __slots__ = ()


def arguments(environment: str, topic_arn: str, *, chat_runbooks: str) -> dict[str, Any]:
    """The message, and beside it the form of chat.

    Args:
        environment: dev, stage or prod.
        topic_arn: the topic that people are told through.
        chat_runbooks: what stands in front of a runbook's name in chat; empty where no channel shows the message.
    """
    subject = f"$substring('[{environment}] run ' & $runId & ': ' & $outcome.code, 0, 99)"
    # A choice without its second half gives nothing, and leaves no line.
    lines = [
        f"'Run ' & $runId & ' in {environment} ended: ' & $outcome.code",
        "'State: ' & $outcome.state",
        "'Why: ' & $outcome.reason",
        "$count($cleaned.problems) > 0 ? 'Not cleaned up, look now: ' & $join($cleaned.problems, '; ')",
        "$unrecorded != null ? 'Its record could not be written yet; it will be tried again.'",
    ]
    facts = f"$join([{', '.join(lines)}], '\\n')"
    look = f"'rft report ' & $runId & ' --env {environment}'"
    told = {"TopicArn": topic_arn, "Subject": f"{{% {subject} %}}"}
    if not chat_runbooks:
        return {**told, "Message": f"{{% {facts} & '\\nLook: ' & {look} %}}"}
    shown = form(
        title=_Expression(_inert(subject)),
        description=_Expression(f"{_text(BLOCK[0])} & $shown & {_text(BLOCK[1])}"),
        # Two whole arrays: JSONata makes one element of an array of one in most other ways.
        next_steps=_Expression("$page ? [$step, 'Runbook: ' & $page] : [$step]"),
        keywords=[environment, _Expression("$runId")],
    )
    pages = {str(outcome): link(chat_runbooks, page) for outcome, page in RUNBOOK_OF_OUTCOME.items()}
    message = (
        f"($facts := {facts};"
        f" $shown := $substring({_inert('$facts')}, 0, {FACTS_CHARACTERS});"
        f" $step := 'Look: `' & {look} & '`';"
        f" $page := $lookup({json.dumps(pages)}, $outcome.code);"
        f" $string({{'default': $facts & '\\nLook: ' & {look}, 'https': $string({_literal(shown)})}}))"
    )
    return {**told, "Message": f"{{% {message} %}}", "MessageStructure": "json"}


def _inert(text: str) -> str:
    for character, instead in INERT.items():
        text = f"$replace({text}, {_text(character)}, {_text(instead)})"
    return text


def _literal(value: Any) -> str:
    """A JSONata literal of objects, arrays, texts and expressions."""
    if isinstance(value, _Expression):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return _text(value)


def _text(value: str) -> str:
    return json.dumps(value)
