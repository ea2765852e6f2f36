"""The file that `rft reward review` reads: two answers to each prompt."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from rft.exits import Exit, Failure
from rft.output import short_path
from rft.reward_data import MAX_SHOWN

MAX_NAME = 64
"""Characters of a rater's or a criterion's name; what `pipeline.calibration_feedback` reads."""

_OWN_KEYS = frozenset({"id", "messages", "prompt", "answers", "criterion"})


@attrs.frozen(kw_only=True)
class Question:
    """Two answers to one prompt.

    Attributes:
        id: as given, or made from the content.
        swapped: whether they are shown in another order than the file has them.
        extra: the record's other keys, such as `reference_answer`, which the reward will see.
    """

    id: str
    messages: tuple[Mapping[str, Any], ...]
    answers: tuple[str, str]
    criterion: str
    swapped: bool
    extra: Mapping[str, Any]

    @property
    def shown(self) -> tuple[str, str]:
        first, second = self.answers
        return (second, first) if self.swapped else (first, second)


def read(file: Path, *, criterion: str = "", seed: int = 0) -> Iterator[Question]:
    """The questions of a file, each with its order drawn.

    Raises:
        Failure: usage, naming the bad lines and never their text.
    """
    faults: list[str] = []
    found: dict[tuple[str, str], Question] = {}
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            question = _question(line, criterion, seed)
        except ValueError as fault:
            faults.append(f"line {number}: {fault}")
            continue
        if (question.id, question.criterion) in found:
            faults.append(f"line {number}: has the id of another line; allowed is each once for a criterion")
        found[(question.id, question.criterion)] = question
    if faults or not found:
        shown = faults[:MAX_SHOWN] or ["holds nothing to review"]
        more = [f"  and {len(faults) - MAX_SHOWN} more"] if len(faults) > MAX_SHOWN else []
        raise Failure(
            "\n".join(["the file cannot be reviewed", *(f"  - {fault}" for fault in shown), *more]),
            where=short_path(file),
            hint='allowed is {"prompt": text, "answers": [text, text], ...} on each line',
            code=Exit.USAGE,
        )
    yield from found.values()


def _question(line: bytes, criterion: str, seed: int) -> Question:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON; allowed is one object on a line") from None
    if not isinstance(record, dict):
        raise ValueError(f"is {type(record).__name__}; allowed is one object on a line")
    answers = record.get("answers")
    if not isinstance(answers, list) or len(answers) != 2 or not all(isinstance(answer, str) for answer in answers):
        raise ValueError("answers: allowed are two texts")
    if answers[0] == answers[1]:
        raise ValueError("answers: the two are the same; allowed are two that differ")
    ident = record.get("id")
    if ident is None:
        # From the content, so that a line may move and is still the same question.
        content = json.dumps([record.get("messages"), record.get("prompt"), answers], sort_keys=True)
        ident = f"pair-{hashlib.sha256(content.encode(errors='surrogatepass')).hexdigest()[:12]}"
    about = record.get("criterion") or criterion
    if not isinstance(ident, str) or not 1 <= len(ident) <= 200:
        raise ValueError("id: allowed is a text of 1 to 200 characters")
    if not isinstance(about, str) or len(about) > MAX_NAME:
        raise ValueError(f"criterion: allowed is a text of at most {MAX_NAME} characters")
    return Question(
        id=ident,
        messages=_messages(record),
        answers=(answers[0], answers[1]),
        criterion=about,
        # Drawn for each question by itself: the order stays when others are added, or some have been answered.
        swapped=random.Random(f"{seed}:{ident}:{about}").random() < 0.5,
        extra={key: value for key, value in record.items() if key not in _OWN_KEYS},
    )


def _messages(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages, prompt = record.get("messages"), record.get("prompt")
    if (messages is None) == (prompt is None):
        raise ValueError("allowed is one of messages and prompt")
    if prompt is not None:
        messages = [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages or not all(_is_turn(turn) for turn in messages):
        raise ValueError("messages: allowed is a list of turns, each with a role and content that are text")
    if messages[-1]["role"] == "assistant":
        raise ValueError("messages: the last turn is the assistant's; allowed is the prompt alone")
    return tuple(messages)


def _is_turn(turn: object) -> bool:
    return isinstance(turn, Mapping) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
