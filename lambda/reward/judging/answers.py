"""What counts as the judge's answer: a whole number on its scale for every criterion, and nothing else.

Anything short of that is a fault of the judge and never a score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reward.judging.criteria import SCALES, Criterion

TOOL = "record_scores"
PAIR_TOOL = "record_choice"
CHOICES = ("first", "second", "tie")

_FINAL_STOPS = frozenset({"content_filtered", "guardrail_intervened", "model_context_window_exceeded"})
_USABLE_STOPS = frozenset({"tool_use", "end_turn", "stop_sequence"})
_REASON_MAX = 4000


class Unusable(ValueError):
    """The judge's answer is no verdict. The message says what was wrong, never what was written.

    Attributes:
        final: whether asking again would meet the same end.
    """

    def __init__(self, problem: str, *, final: bool = False) -> None:
        super().__init__(problem)
        self.final = final


def scores_schema(criteria: Sequence[Criterion], *, reasons: bool) -> dict[str, Any]:
    """The JSON schema of the tool's input: one entry for each criterion."""
    entries = {each.name: _entry(each, reasons) for each in criteria}
    return {"type": "object", "properties": entries, "required": list(entries), "additionalProperties": False}


def choice_schema() -> dict[str, Any]:
    """The JSON schema of a choice between two candidates."""
    properties = {"choice": {"type": "string", "enum": list(CHOICES)}}
    return {"type": "object", "properties": properties, "required": ["choice"], "additionalProperties": False}


def forced(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Converse's `toolConfig` for a model that must call this tool."""
    spec = {"name": name, "description": description, "inputSchema": {"json": dict(schema)}}
    return {"tools": [{"toolSpec": spec}], "toolChoice": {"tool": {"name": name}}}


def content_of(answer: Mapping[str, Any], *, tool: str) -> Mapping[str, Any]:
    """The object the judge answered with.

    Args:
        answer: what Converse returned.
        tool: the tool it was made to call; empty when it was asked for JSON text.

    Raises:
        Unusable: for an answer that was cut off or withheld, or is not exactly one object.
    """
    stop = answer.get("stopReason")
    if stop in _FINAL_STOPS:
        raise Unusable("the answer was withheld or the prompt does not fit", final=True)
    if stop not in _USABLE_STOPS:
        raise Unusable("the answer was cut off or malformed")
    try:
        blocks = answer["output"]["message"]["content"]
        uses = [block["toolUse"] for block in blocks if "toolUse" in block]
        texts = [block["text"] for block in blocks if "text" in block]
    except (KeyError, TypeError):
        raise Unusable("the answer has no content") from None
    if not tool:
        return _object("".join(texts))
    # Words beside the tool call are the model's own and are not read.
    if len(uses) != 1 or uses[0].get("name") != tool or not isinstance(uses[0].get("input"), Mapping):
        raise Unusable("the answer is not one call of the tool")
    found: Mapping[str, Any] = uses[0]["input"]
    return found


def scores(content: Mapping[str, Any], criteria: Sequence[Criterion]) -> tuple[int, ...]:
    """The score of each criterion, in order, on the criterion's own scale.

    Raises:
        Unusable: for a missing or further criterion, or a score that is not on its scale.
    """
    if set(content) != {each.name for each in criteria}:
        raise Unusable("the answer's criteria are not the ones asked for")
    return tuple(_score(content[each.name], each) for each in criteria)


def choice(content: Mapping[str, Any]) -> str:
    """``first``, ``second`` or ``tie``.

    Raises:
        Unusable: for anything else.
    """
    chosen = content.get("choice")
    if set(content) != {"choice"} or not isinstance(chosen, str) or chosen not in CHOICES:
        raise Unusable("the answer is no choice")
    return chosen


def _entry(criterion: Criterion, reasons: bool) -> dict[str, Any]:
    score = {"type": "integer", "enum": list(SCALES[criterion.scale]), "description": criterion.description}
    # The reason stands first, so that the score comes of it and not the other way round.
    properties = {"reason": {"type": "string", "description": "one sentence"}, "score": score} if reasons else {"score": score}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _score(entry: object, criterion: Criterion) -> int:
    if not isinstance(entry, Mapping) or "score" not in entry or set(entry) - {"score", "reason"}:
        raise Unusable("an entry of the answer is not a score with its reason")
    reason = entry.get("reason", "")
    if not isinstance(reason, str) or len(reason) > _REASON_MAX:
        raise Unusable("a reason in the answer is no short text")
    value = entry["score"]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or value not in SCALES[criterion.scale]:
        raise Unusable("a score in the answer is not on its scale")
    return value


def _object(text: str) -> Mapping[str, Any]:
    try:
        # The whole text: an object somewhere within it might be the candidate's own words, quoted.
        found = json.loads(text, object_pairs_hook=_no_twice, parse_constant=_not_finite)
    except (ValueError, RecursionError):
        raise Unusable("the answer is not one JSON object") from None
    if not isinstance(found, dict):
        raise Unusable("the answer is not one JSON object")
    return found


def _no_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _not_finite(_text: str) -> Any:
    raise ValueError("not finite")
