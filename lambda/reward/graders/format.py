"""Format and constraints: the weighted share of criteria an answer keeps. It says nothing about whether the answer is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reward.contract import Sample
from reward.graders import criteria, texts
from reward.graders.criteria import Criterion, Text
from reward.graders.limits import MAX_SECONDS, limited
from reward.graders.options import Options
from reward.score import Outcome, Score


def grader(
    *, criteria: Sequence[Any] = (), constraints_key: str = "", all_or_nothing: bool = False, seconds: float = 1.0
) -> Callable[[Sample], Score]:
    """The format grader.

    Args:
        criteria: tables, each with `kind`, optionally `name` and `weight`, and the keys of its kind; `reward.graders.criteria`
            lists them. They hold for every sample.
        constraints_key: a key of the training record that holds further tables for its sample alone. A record without them is
            BAD_GOLD. Empty: none are read.
        all_or_nothing: pay only an answer that keeps everything.
        seconds: bound on one sample, 0.05 to 10.

    Raises:
        InvalidInput: for a value outside these, or neither criteria nor a key.
    """
    options = Options()
    fixed = _read(options, criteria, least=0 if constraints_key else 1)
    key = options.string("constraints_key", constraints_key, empty=True)
    strict = options.flag("all_or_nothing", all_or_nothing)
    bound = options.number("seconds", seconds, 0.05, MAX_SECONDS)
    options.done()

    names = [each.name for each in fixed] + (["constraints"] if key else [])
    nothing = tuple(texts.reward(name, 0.0) for name in names)
    oversize, empty = Score(0.0, Outcome.OVERSIZE, nothing), Score(0.0, Outcome.WRONG, nothing)
    bad_gold = Score(0.0, Outcome.BAD_GOLD, nothing)

    def grade(sample: Sample) -> Score:
        own = _own(sample.metadata.get(key)) if key else []
        if own is None:
            return bad_gold
        if len(sample.response) > texts.MAX_TEXT:
            return oversize
        text = Text(sample.response, texts.answer(sample))
        if not text.answer:
            return empty  # it would keep every criterion that forbids something
        held = [each.holds(text) for each in (*fixed, *own)]
        value = _share([*fixed, *own], held)
        components = [texts.reward(each.name, holds) for each, holds in zip(fixed, held, strict=False)]
        if key:
            components.append(texts.reward("constraints", _share(own, held[len(fixed) :])))
        return texts.scored(float(all(held)) if strict else value, tuple(components))

    if not key and not any(each.patterned for each in fixed):
        return grade
    given = {"criteria": list(criteria), "constraints_key": key, "all_or_nothing": strict, "seconds": bound}
    return limited(grade, name="format", options=given, seconds=bound, components=nothing)


_read_criteria, _share = criteria.read, criteria.share


def _read(options: Options, given: object, *, least: int) -> list[Criterion]:
    return _read_criteria(options, "criteria", given, least=least)


def _own(given: object) -> list[Criterion] | None:
    """The criteria of a record; None if it has none or they cannot be read."""
    options = Options()
    found = _read_criteria(options, "constraints", given, least=1)
    return None if options.problems else found
