"""What one line of an uploaded dataset must be. Faults are named by field and rule; nothing of the text is ever quoted.

Source of the rules: Bedrock user guide, rft-prepare-data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs

ROLES = ("system", "developer", "user", "assistant", "tool")
LEADING_ROLES = ("system", "developer")
RESERVED_PREFIX = "rft_"
"""Keys that staging adds; an upload that carries them could pose as another run's data."""

MARKER = "####"
INSTRUCTION = f'Think step by step and end with the final answer after "{MARKER}".'
"""Ends the prompt made from a GSM8K question: the marker the grader looks for must have been asked for."""

MESSAGES_FORM, QUESTION_FORM = "messages", "question_answer"


class BadRecord(ValueError):
    """Every fault of one line.

    Attributes:
        faults: one sentence each.
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@attrs.frozen
class Record:
    """A line that may be trained on.

    Attributes:
        prompt_sha256: of the canonical prompt; two records with the same one are duplicates.
        fields: what is registered: id, messages, reference_answer and whatever else the upload carried.
        form: which of the two accepted forms it came in.
    """

    prompt_sha256: str
    fields: dict[str, Any]
    form: str

    @property
    def id(self) -> str:
        return str(self.fields["id"])


def record_of(line: bytes) -> Record:
    """Reads one line.

    Raises:
        BadRecord: with every fault of the line.
    """
    data = _object(line)
    form = _form(data)
    fields = _from_question(data) if form == QUESTION_FORM else dict(data)
    faults = [*_reserved(fields), *_message_faults(fields["messages"]), *_reference_faults(fields), *_tool_faults(fields)]
    if not isinstance(fields.get("id", ""), str):
        faults.append(f"id is {_kind(fields['id'])}; allowed is text, or no such key")
    if faults:
        raise BadRecord(*faults)
    digest = prompt_hash(fields["messages"])
    given = fields.pop("id", None)
    if given is not None and given != digest[:16]:
        fields.setdefault("source_id", given)
    return Record(digest, {"id": digest[:16], **fields}, form)


def prompt_hash(messages: list[dict[str, Any]]) -> str:
    """SHA-256 of the prompt without its spare spaces: the same question laid out differently is the same prompt."""
    turns = [[turn["role"], " ".join(turn["content"].split())] for turn in messages]
    return hashlib.sha256(json.dumps(turns, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def prompt_characters(record: Mapping[str, Any]) -> int:
    return sum(len(turn["content"]) for turn in record["messages"])


def _object(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecord(f"is not UTF-8 from byte {error.start + 1} on; allowed is UTF-8") from None
    try:
        data = json.loads(text, parse_constant=_not_json, object_pairs_hook=_unique)
        # A lone surrogate is legal JSON and no Unicode text: it could not be written back.
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except BadRecord:
        raise
    except json.JSONDecodeError as error:
        raise BadRecord(f"is not JSON at character {error.pos + 1}; allowed is one JSON object a line") from None
    except UnicodeEncodeError:
        raise BadRecord("holds half of a surrogate pair; allowed is Unicode text") from None
    except ValueError:
        # 1e999 reads as infinity, and Python refuses integers of thousands of digits.
        raise BadRecord("holds a number out of range; allowed are numbers a double can hold") from None
    except RecursionError:
        raise BadRecord("is nested too deeply; allowed is one JSON object a line") from None
    if not isinstance(data, dict):
        raise BadRecord(f"is {_kind(data)}; allowed is a JSON object")
    return data


def _not_json(constant: str) -> None:
    raise BadRecord(f"holds {constant}, which is not JSON; allowed are finite numbers")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may keep different ones of two equal keys, and then disagree on what was trained on.
    if len({key for key, _ in pairs}) != len(pairs):
        raise BadRecord("has the same key twice; allowed is each key once")
    return dict(pairs)


def _form(data: dict[str, Any]) -> str:
    if "messages" in data:
        return MESSAGES_FORM
    if "question" in data and "answer" in data:
        return QUESTION_FORM
    raise BadRecord('has an unknown form; allowed are {"messages", "reference_answer", ...} and GSM8K\'s {"question", "answer"}')


def _from_question(data: dict[str, Any]) -> dict[str, Any]:
    faults = [
        f"{key} is {_kind(data[key])}; allowed is text that is not empty" for key in ("question", "answer") if not _is_text(data[key])
    ]
    if faults:
        raise BadRecord(*faults, *_reserved(data))
    extra = {key: value for key, value in data.items() if key not in {"question", "answer"}}
    if "reference_answer" in extra:
        raise BadRecord("has answer and reference_answer; allowed is one of them")
    prompt = f"{data['question'].strip()} {INSTRUCTION}"
    return {**extra, "messages": [{"role": "user", "content": prompt}], "reference_answer": data["answer"]}


def _reserved(fields: Mapping[str, Any]) -> list[str]:
    reserved = any(key.startswith(RESERVED_PREFIX) for key in fields)
    return [f"a key starts with {RESERVED_PREFIX}; allowed is any other, as the pipeline adds those itself"] if reserved else []


def _message_faults(messages: Any) -> list[str]:
    if not isinstance(messages, list) or not messages:
        return [f"messages is {_kind(messages)}; allowed is a list of turns that is not empty"]
    faults = [fault for number, turn in enumerate(messages, 1) for fault in _turn_faults(turn, number)]
    if faults:
        return faults
    roles = [turn["role"] for turn in messages]
    if "user" not in roles:
        faults.append("messages has no user turn; allowed is one or more")
    if roles[-1] == "assistant":
        faults.append("the last turn is the assistant's; allowed is a prompt that the model is to answer")
    if any(role in LEADING_ROLES for role in roles[1:]):
        faults.append("a system turn is not the first; allowed is one, at the start")
    return faults


def _turn_faults(turn: Any, number: int) -> list[str]:
    if not isinstance(turn, dict):
        return [f"turn {number} is {_kind(turn)}; allowed is an object with role and content"]
    faults = []
    if turn.get("role") not in ROLES:
        faults.append(f"turn {number} has no allowed role; allowed are {', '.join(ROLES)}")
    if not _is_text(turn.get("content")):
        faults.append(f"turn {number} has content that is {_kind(turn.get('content'))}; allowed is text that is not empty")
    return faults


def _reference_faults(fields: Mapping[str, Any]) -> list[str]:
    if "reference_answer" not in fields:
        return ["reference_answer is missing; allowed is text or an object that is not empty"]
    value = fields["reference_answer"]
    if _is_text(value) or (isinstance(value, dict) and value):
        return []
    return [f"reference_answer is {_kind(value)}; allowed is text or an object that is not empty"]


def _tool_faults(fields: Mapping[str, Any]) -> list[str]:
    tools = fields.get("tools")
    if tools is None:
        return ["tools is null; allowed is a list of tools, or no such key"] if "tools" in fields else []
    named = [_tool_name(tool) for tool in tools] if isinstance(tools, list) else [None]
    if None in named:
        return ['tools is not a list of {"type": "function", "function": {"name", ...}}']
    return ["two tools have the same name; allowed is each name once"] if len(set(named)) != len(named) else []


def _tool_name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) and name else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _kind(value: Any) -> str:
    """What a value is, without showing it."""
    if isinstance(value, str):
        return "empty text" if not value.strip() else "text"
    if value is None:
        return "missing or null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    return "an empty object" if not value else "an object"
