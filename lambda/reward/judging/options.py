"""The judge's options, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from reward.graders.options import Options
from reward.judging import criteria, models
from reward.judging.criteria import Criterion
from reward.judging.prompts import TEMPLATES, Template

RAISE, UNGRADED = "raise", "ungraded"
TOOL, TEXT, AUTO = "tool", "text", "auto"

_MODEL = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3}(?:[.:][a-z0-9-]{1,63}){0,2}|arn:aws[a-z-]*:bedrock:[a-zA-Z0-9:./-]{10,300}")
_WORDS: dict[str, tuple[str, ...]] = {
    "template": tuple(TEMPLATES),
    "answer_by": (AUTO, TOOL, TEXT),
    "unanswered": (RAISE, UNGRADED),
}
_WHOLE: dict[str, tuple[int, int]] = {
    "max_tokens": (16, 8192),
    "concurrency": (1, 64),
    "attempts": (1, 10),
    "max_characters": (100, 400_000),
}
_NUMBERS: dict[str, tuple[float, float]] = {"temperature": (0, 1), "deadline_seconds": (1, 300), "batch_seconds": (1, 890)}
_PRICES = ("input_usd_per_million", "output_usd_per_million")
_MAX_PRICE = 1000
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
    options = Options()
    for key, words in _WORDS.items():
        options.choice(key, given[key], words)
    for key, (least, most) in _WHOLE.items():
        options.whole(key, given[key], least, most)
    for key, (low, high) in _NUMBERS.items():
        options.number(key, given[key], low, high)
    options.flag("reasons", given["reasons"])
    _texts(options, given)
    _prices(options, given)
    kind = TEMPLATES.get(given["template"]) if isinstance(given["template"], str) else None
    if given["criteria"] not in ((), [], None):
        given["criteria"] = criteria.read(options, given["criteria"])
    elif given["template"] == "custom":
        options.problems.append("options.criteria is missing; the template custom has none of its own")
    elif kind is not None:
        given["criteria"] = kind.criteria
    options.done()
    if given["answer_by"] == AUTO:
        given["answer_by"] = TOOL if models.takes_forced_tool(given["model"]) else TEXT
    return JudgeOptions(**given)


def _texts(options: Options, given: dict[str, Any]) -> None:
    model, key = given["model"], given["context_key"]
    if not isinstance(model, str) or not _MODEL.fullmatch(model):
        options.fault("model", model, "the id or ARN of a Bedrock model, inference profile or deployment")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        options.fault("context_key", key, "a key of the training records")


def _prices(options: Options, given: dict[str, Any]) -> None:
    priced = [key for key in _PRICES if given[key] is not None]
    for key in priced:
        options.number(key, given[key], 0, _MAX_PRICE)
    if len(priced) == 1:
        options.problems.append(f"options.{_PRICES[0]} and options.{_PRICES[1]}: allowed are both or neither")
