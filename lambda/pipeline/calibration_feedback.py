"""What people said about answers, read from JSON Lines. No AWS calls here.

One object per line, a rating or a pair, which may stand in one file:

    {"id"?, "messages" | "prompt", "response", "reference_answer"?, "rating", "criterion"?, "rater"?}
    {"id"?, "messages" | "prompt", "chosen", "rejected", "reference_answer"?, "criterion"?, "rater"?}

`messages` are the prompt's turns, `prompt` is the text of one user turn. `rating` is a number from 0 to 1, or a whole number from
1 to 5; a file keeps to one of the two, and one in which nothing but 1 occurs is read as 0 to 1. `criterion` is the name of one
thing that was judged, such as ``accuracy``; without it the answer as a whole was. `rater` says who judged, by a name that is no
secret. A rated `response` may be empty, and so may one side of a pair. Unknown keys are carried to the reward as metadata.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import attrs
from contracts.errors import InvalidInput

OVERALL = "overall"
"""The criterion of feedback that names none."""

MAX_LINES = 20_000
MAX_SHOWN = 20
_RATING_KEYS = frozenset({"response", "rating"})
_PAIR_KEYS = frozenset({"chosen", "rejected"})
_OWN_KEYS = frozenset({"id", "messages", "prompt", "criterion", "rater"}) | _RATING_KEYS | _PAIR_KEYS
_STARS = 5


@attrs.frozen(kw_only=True)
class Rating:
    """One answer and what a person thought of it.

    Attributes:
        id: of the record, unique within the file when the file gives none.
        messages: the prompt's turns.
        rating: 0 to 1; stars from 1 to 5 are brought to this.
        metadata: `reference_answer` and whatever else the reward is to see.
    """

    id: str
    messages: tuple[Mapping[str, Any], ...]
    response: str
    rating: float
    criterion: str = OVERALL
    rater: str = ""
    metadata: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Pair:
    """Two answers to one prompt, of which a person chose one. Attributes as those of `Rating`."""

    id: str
    messages: tuple[Mapping[str, Any], ...]
    chosen: str
    rejected: str
    criterion: str = OVERALL
    rater: str = ""
    metadata: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Feedback:
    """Everything of a file, in its order."""

    pairs: tuple[Pair, ...]
    ratings: tuple[Rating, ...]


def read_feedback(body: bytes, where: str) -> Feedback:
    """Reads a feedback file.

    Args:
        body: UTF-8 JSON Lines; empty lines are passed over.
        where: the file's name, for the message.

    Raises:
        InvalidInput: naming line and fault of the first faults found. Never holds text of an answer.
    """
    try:
        lines = body.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(where, [f"byte {error.start} is not UTF-8; allowed is JSON Lines in UTF-8"]) from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not 1 <= len(numbered) <= MAX_LINES:
        raise InvalidInput(where, [f"holds {len(numbered)} records; allowed are 1 to {MAX_LINES}"])
    pairs: list[Pair] = []
    ratings: list[Rating] = []
    problems: list[str] = []
    for number, line in numbered:
        try:
            read = _record(line, number)
        except ValueError as fault:
            problems.append(f"line {number}: {fault}")
        else:
            (pairs if isinstance(read, Pair) else ratings).append(read)  # type: ignore[arg-type]
    scaled, mixed = _on_one_scale(ratings)
    problems += mixed
    if problems:
        more = [f"and {len(problems) - MAX_SHOWN} more"] if len(problems) > MAX_SHOWN else []
        raise InvalidInput(where, [*problems[:MAX_SHOWN], *more])
    return Feedback(pairs=tuple(pairs), ratings=scaled)


def _record(line: str, number: int) -> Pair | Rating:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON; allowed is one object on a line") from None
    if not isinstance(record, dict):
        raise ValueError(f"is {type(record).__name__}; allowed is one object on a line")
    rated, paired = _RATING_KEYS & record.keys(), _PAIR_KEYS & record.keys()
    if bool(rated) == bool(paired):
        raise ValueError("allowed is either response and rating, or chosen and rejected")
    common: dict[str, Any] = {
        "id": _identity(record, number),
        "messages": _messages(record),
        "criterion": _name(record, "criterion") or OVERALL,
        "rater": _name(record, "rater"),
        "metadata": {key: value for key, value in record.items() if key not in _OWN_KEYS},
    }
    if rated:
        return Rating(response=_text(record, "response"), rating=_rating(record), **common)
    pair = Pair(chosen=_text(record, "chosen"), rejected=_text(record, "rejected"), **common)
    if pair.chosen == pair.rejected:
        raise ValueError("chosen and rejected are the same; allowed are two answers")
    return pair


def _identity(record: Mapping[str, Any], number: int) -> str:
    ident = record.get("id", f"line-{number}")
    if not isinstance(ident, str) or not 1 <= len(ident) <= 200:
        raise ValueError("id: allowed is a string of 1 to 200 characters")
    return ident


def _messages(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages, prompt = record.get("messages"), record.get("prompt")
    if (messages is None) == (prompt is None):
        raise ValueError("allowed is one of messages and prompt")
    if messages is None:
        return ({"role": "user", "content": _text(record, "prompt")},)
    if not isinstance(messages, list) or not messages or not all(_is_turn(turn) for turn in messages):
        raise ValueError("messages: allowed is a list of turns, each with a role and content")
    if messages[-1]["role"] == "assistant":
        raise ValueError("messages: the last turn is the assistant's; allowed is the prompt alone, without the answer")
    return tuple(messages)


def _is_turn(turn: object) -> bool:
    return isinstance(turn, Mapping) and isinstance(turn.get("role"), str) and "content" in turn


def _name(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key) or ""
    if not isinstance(value, str) or len(value) > 64:
        raise ValueError(f"{key}: allowed is a string of at most 64 characters")
    return value


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key}: allowed is a string")
    return value


def _rating(record: Mapping[str, Any]) -> float:
    value = record.get("rating")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("rating: allowed is a number from 0 to 1, or a whole number from 1 to 5")
    if not 0 <= value <= 1 and value not in range(1, _STARS + 1):
        raise ValueError(f"rating = {value:g}: allowed is a number from 0 to 1, or a whole number from 1 to 5")
    return float(value)


def _on_one_scale(ratings: list[Rating]) -> tuple[tuple[Rating, ...], list[str]]:
    stars = any(rating.rating > 1 for rating in ratings)
    if not stars:
        return tuple(ratings), []
    if any(rating.rating < 1 for rating in ratings):
        return (), ["rating: some are below 1 and some above it; allowed is one scale in a file, 0 to 1 or 1 to 5"]
    return tuple(attrs.evolve(rating, rating=(rating.rating - 1) / (_STARS - 1)) for rating in ratings), []
