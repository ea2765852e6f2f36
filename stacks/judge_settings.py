"""What the stacks must know of the judge that grades: which models, whether Bedrock offers them here, and what calling them takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from contracts.errors import InvalidInput
from contracts.judges import judges
from reward.judging import models
from reward.judging import options as judge_options

SPARE_SECONDS = 5.0
"""Between the judges' own deadline and the function's timeout, for what is done before and after them."""

_APPLICATION_PROFILE = ":application-inference-profile/"


_REGION = re.compile(r"[a-z]{2}(?:-gov)?-[a-z]+-\d")
_MODEL_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9][a-z0-9.:-]*")


class _Lists:
    """An attrs validator: every value is a list of at least one string that the pattern matches."""

    def __init__(self, pattern: re.Pattern[str], meaning: str) -> None:
        self.pattern, self.meaning = pattern, meaning

    def __call__(self, _instance: object, _attribute: object, value: Mapping[str, Sequence[str]]) -> None:
        for key, entries in value.items():
            if not entries or not all(self.pattern.fullmatch(entry) for entry in entries):
                raise ValueError(f"allowed is a list of {self.meaning} for each key, and {key!r} has something else")


@attrs.frozen(kw_only=True)
class JudgeSettings:
    """Judge models beyond the ones this project knows to be offered. Only needed for these; the judge itself is in `reward.options`.

    Attributes:
        offered: model id, profile id or ARN -> the Regions where the Bedrock console shows it.
        behind: ARN of an application inference profile -> the ids of the foundation models it routes to, for the permission.
    """

    offered: dict[str, list[str]] = attrs.field(factory=dict, validator=_Lists(_REGION, "Regions"))
    behind: dict[str, list[str]] = attrs.field(factory=dict, validator=_Lists(_MODEL_ID, "ids of foundation models"))


@attrs.frozen
class Permission:
    """What a role must be allowed to invoke for one judge model.

    Attributes:
        model: id or ARN as the options name it.
        profile: the inference profile's id or ARN; empty when the model is invoked directly.
        foundation_models: ids of the models behind the profile.
    """

    model: str
    profile: str
    foundation_models: tuple[str, ...]


def uses_judge(grader: str, options: Mapping[str, Any]) -> bool:
    """Whether the reward asks a model, itself or in a part of it."""
    return next(iter(judges(grader, options)), None) is not None


def permissions(grader: str, options: Mapping[str, Any], judge: JudgeSettings) -> list[Permission]:
    """One entry for each different judge model of the settings, in their order."""
    found = {made.model: _permission(made.model, judge) for _, made in _judges(grader, options)}
    return list(found.values())


def problems(grader: str, options: Mapping[str, Any], *, timeout_seconds: int, region: str, judge: JudgeSettings) -> list[str]:
    """What is wrong with the judges of a reward, one line each; nothing for options that are refused as such."""
    try:
        found = _judges(grader, options)
    except InvalidInput:
        return []
    lines: list[str] = []
    for path, made in found:
        problem = models.problem(made.model, region, judge.offered)
        if problem:
            lines.append(f"{path}.model = {made.model!r}: {problem}")
        elif _APPLICATION_PROFILE in made.model and not judge.behind.get(made.model):
            lines.append(f"judge.behind has no {made.model!r}: allowed are the foundation models behind this application inference profile")
    # One after the other at the worst.
    seconds = sum(made.batch_seconds for _, made in found)
    if found and seconds > timeout_seconds - SPARE_SECONDS:
        lines.append(
            f"reward.timeout_seconds = {timeout_seconds}: allowed is {seconds + SPARE_SECONDS:g} or more, "
            f"because the judge may take {seconds:g} (batch_seconds in its options)"
        )
    return lines


def _judges(grader: str, options: Mapping[str, Any]) -> Sequence[tuple[str, judge_options.JudgeOptions]]:
    named = list(judges(grader, options))
    if not named:
        return []
    from reward import graders  # noqa: PLC0415 - what settings without a judge never need

    defaults = graders.options_of("judge")
    return [(path, judge_options.read(**{**defaults, **given})) for path, given in named]


def _permission(model: str, judge: JudgeSettings) -> Permission:
    if model in judge.behind:
        return Permission(model, model, tuple(judge.behind[model]))
    behind = models.model_behind(model.rsplit("/", 1)[-1])
    return Permission(model, model if behind else "", (behind,) if behind else ())
