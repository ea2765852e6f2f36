"""The judge's options, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from contracts.errors import InvalidInput

from reward.judging import criteria as criteria_
from reward.judging import models
from reward.judging.criteria import Criterion
from reward.judging.prompts import TEMPLATES, Template

WHERE = "reward settings"
RAISE, UNGRADED = "raise", "ungraded"
TOOL, TEXT, AUTO = "tool", "text", "auto"

_MODEL = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3}(?:[.:][a-z0-9-]{1,63}){0,2}|arn:aws[a-z-]*:bedrock:[a-zA-Z0-9:./-]{10,300}")
_WORDS: dict[str, tuple[str, ...]] = {
    "template": tuple(TEMPLATES),
    "answer_by": (AUTO, TOOL, TEXT),
    "unanswered": (RAISE, UNGRADED),
}
_NUMBERS: dict[str, tuple[type, float, float]] = {
    "temperature": (float, 0, 1),
    "max_tokens": (int, 16, 8192),
    "concurrency": (int, 1, 64),
    "attempts": (int, 1, 10),
    "deadline_seconds": (float, 1, 300),
    "batch_seconds": (float, 1, 890),
    "max_characters": (int, 100, 400_000),
    "input_usd_per_million": (float, 0, 1000),
    "output_usd_per_million": (float, 0, 1000),
}
_OPTIONAL = frozenset({"input_usd_per_million", "output_usd_per_million"})
_KEY = re.compile(r"\w{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """What `reward.graders.judge.grader` was given, complete and allowed; the meanings are told there."""

    template: str
    model: str
    criteria: tuple[Criterion, ...]
    answer_by: str
    reasons: bool
    temperature: float
    max_tokens: int
    concurrency: int
    attempts: int
    deadline_seconds: float
    batch_seconds: float
    unanswered: str
    max_characters: int
    context_key: str
    input_usd_per_million: float | None
    output_usd_per_million: float | None

    @property
    def kind(self) -> Template:
        return TEMPLATES[self.template]


def read(**given: Any) -> JudgeOptions:
    """Checks every option.

    Raises:
        InvalidInput: with a line for each option that is not allowed.
    """
    problems = [line for key, value in given.items() if (line := _problem(key, value))]
    priced = [given[key] is not None for key in sorted(_OPTIONAL)]
    if any(priced) and not all(priced):
        problems.append("options.input_usd_per_million and options.output_usd_per_million: allowed are both or neither")
    if given["criteria"]:
        problems += criteria_.problems(given["criteria"])
    elif given["template"] == "custom":
        problems.append("options.criteria is missing; the template custom has none of its own")
    if problems:
        raise InvalidInput(WHERE, problems)
    given["criteria"] = criteria_.read(given["criteria"]) if given["criteria"] else TEMPLATES[given["template"]].criteria
    if given["answer_by"] == AUTO:
        given["answer_by"] = TOOL if models.takes_forced_tool(given["model"]) else TEXT
    return JudgeOptions(**given)


def _problem(key: str, value: object) -> str:
    shown = f"options.{key} = {str(value)[:60]!r}"
    if key in _WORDS:
        return "" if isinstance(value, str) and value in _WORDS[key] else f"{shown}: allowed is one of {', '.join(_WORDS[key])}"
    if key in _NUMBERS:
        return _number_problem(key, value, shown)
    if key == "reasons":
        return "" if isinstance(value, bool) else f"{shown}: allowed is true or false"
    if key == "model":
        ok = isinstance(value, str) and _MODEL.fullmatch(value)
        return "" if ok else f"{shown}: allowed is the id or ARN of a Bedrock model, inference profile or deployment"
    if key == "context_key":
        return "" if isinstance(value, str) and _KEY.fullmatch(value) else f"{shown}: allowed is a key of the training records"
    return ""


def _number_problem(key: str, value: object, shown: str) -> str:
    kind, low, high = _NUMBERS[key]
    if value is None and key in _OPTIONAL:
        return ""
    allowed = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
        return f"{shown}: allowed is a {'whole ' if kind is int else ''}number from {low:g} to {high:g}"
    return ""
