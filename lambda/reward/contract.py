"""The event Bedrock sends to a grader, in every variation seen, as samples; and the element sent back for each.

Source: Bedrock user guide, reward-functions and reward-functions-open-weight; the variations are those of AWS's own samples,
whose handlers disagree with each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from contracts.errors import InvalidInput

WHERE = "grader event"
MAX_SAMPLES = 10_000
"""Samples in one event. A synchronous invocation carries 6 MB, so more than this cannot be real responses."""

GENERATED_ROLES = frozenset({"assistant", "nova_assistant"})
"""Roles of the generated turn: the first is documented, the second is what Nova's samples receive."""

_MAX_ID_BITS = 256
_TEXT_PARTS = frozenset({None, "text", "output_text"})
_SAMPLE_KEYS = ("messages", "id", "task_id")
_SHAPE = 'allowed is a list of samples, {"trajectories": [samples]} or one sample with "messages"'


class Sample(NamedTuple):
    """One response to grade.

    Attributes:
        id: as received; what the score is returned under.
        response: the text of the generated turn; its reasoning parts, where they came apart from the text, are left out.
        reference: `reference_answer` as the training record gave it, or None. ``{"text": "..."}`` is unwrapped.
        messages: the prompt's turns and the generated one, as received.
        metadata: everything else of the training record.
    """

    id: str
    response: str
    reference: object
    messages: Sequence[Any]
    metadata: Mapping[str, Any]


_new_tuple = tuple.__new__


class BadSample(ValueError):
    """One item has the wrong shape. It is scored 0 under its own outcome; the rest of the batch is graded."""


def items(event: object) -> list[Any]:
    """The samples of an event, unread.

    Raises:
        InvalidInput: for an event nothing can be answered to: of the wrong type, empty, or over `MAX_SAMPLES`.
    """
    found: object = event
    if isinstance(event, dict):
        if "trajectories" in event:
            found = event["trajectories"]
        elif any(key in event for key in _SAMPLE_KEYS):
            found = [event]
        else:
            raise InvalidInput(WHERE, [f"is an object without samples; {_SHAPE}"])
    if not isinstance(found, list):
        raise InvalidInput(WHERE, [f"holds {_kind(found)} where the samples belong; {_SHAPE}"])
    if not 1 <= len(found) <= MAX_SAMPLES:
        raise InvalidInput(WHERE, [f"holds {len(found)} samples; allowed are 1 to {MAX_SAMPLES}"])
    return found


def identity(item: object, position: int) -> str:
    """The id a score is returned under: `id`, else `task_id`, else one made from the position in the batch."""
    if isinstance(item, dict):
        for key in ("id", "task_id"):
            value: object = item.get(key)
            # An integer is echoed as it came: a caller that matches by id compares it with what it sent. Python refuses to write
            # one of thousands of digits, which would cost the whole batch.
            if isinstance(value, str) or (type(value) is int and value.bit_length() <= _MAX_ID_BITS):
                return value  # type: ignore[return-value]
    return f"sample-{position}"


def sample(item: Any, position: int) -> Sample:
    """Reads the item at `position` of a batch.

    Raises:
        BadSample: if it is no object or has no generated turn. The message never holds text of the item.
    """
    try:
        # The documented shape, which nearly every sample has; indexing anything else fails or does not pass the test below.
        ident, messages, metadata = item["id"], item["messages"], item["metadata"]
        last, reference = messages[-1], metadata["reference_answer"]
        content = last["content"]
        if last["role"] == "assistant" and type(content) is type(reference) is type(ident) is str:
            # A named tuple's own constructor takes three times as long, and this runs for every sample.
            return _new_tuple(Sample, (ident, content, reference, messages, metadata))
    except (KeyError, TypeError, IndexError):
        pass
    return _any_shape(item, position)


class Columns(NamedTuple):
    """A batch whose every item has the documented shape, by attribute of `Sample` instead of by sample."""

    ids: Sequence[str]
    responses: Sequence[str]
    references: Sequence[str]
    metadata: Sequence[Mapping[str, Any]]


def columns(items: Sequence[Any]) -> Columns | None:
    """Reads a batch at once, in a third of the time of reading each; None if any item has another shape, or a part that is no text."""
    try:
        ids, metadata = [item["id"] for item in items], [item["metadata"] for item in items]
        turns = [item["messages"][-1] for item in items]
        responses = [turn["content"] for turn in turns if turn["role"] == "assistant"]
        references = [record["reference_answer"] for record in metadata]
        for texts in (ids, responses, references):
            "".join(texts)  # refuses whatever is no text, faster than looking at each
    except (KeyError, TypeError, IndexError):
        return None
    return Columns(ids, responses, references, metadata) if len(responses) == len(ids) else None


def _any_shape(item: Any, position: int) -> Sample:
    try:
        messages = item["messages"]
        last = messages[-1]
        role, content, metadata = last["role"], last.get("content"), item.get("metadata")
    except (KeyError, TypeError, IndexError, AttributeError):
        raise BadSample("a sample is an object whose messages end in one with a role and content") from None
    if not isinstance(role, str) or role not in GENERATED_ROLES:
        raise BadSample(f"the role of the last message must be one of {', '.join(sorted(GENERATED_ROLES))}")
    if not isinstance(metadata, dict) or metadata.get("reference_answer") is None:
        metadata = _merged(item, metadata)
    reference = metadata.get("reference_answer")
    if isinstance(reference, dict) and len(reference) == 1 and "text" in reference:
        reference = reference["text"]
    text = content if isinstance(content, str) else _text(content)
    return Sample(identity(item, position), text, reference, messages, metadata)


def _merged(item: dict[str, Any], metadata: object) -> dict[str, Any]:
    """The training record's keys at the top level, as SageMaker's contract and some samples have them."""
    top = {key: value for key, value in item.items() if key not in ("messages", "metadata", "id")}
    if isinstance(metadata, dict):
        top.update((key, value) for key, value in metadata.items() if value is not None)
    return top


def _text(content: object) -> str:
    if content is None:
        return ""  # what a model that produced nothing, or only reasoning, gives back
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise BadSample(f"the generated turn's content is {_kind(content)}; allowed is a string or a list of parts")
    # Parts are blocks of their own: a line break keeps the end of one from running into the next.
    return "\n".join(text for part in content if (text := _part(part)))


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    kind, text = part.get("type"), part.get("text")
    if not isinstance(text, str) or not (kind is None or isinstance(kind, str)):
        return ""
    return text if kind in _TEXT_PARTS else ""


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something that is not JSON")
