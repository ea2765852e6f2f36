"""Tone and business rules: the weighted share of the rules an answer keeps, and nothing if it breaks one that is a gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reward.contract import Sample
from reward.graders import criteria, texts
from reward.graders.criteria import Text
from reward.graders.limits import MAX_SECONDS, limited
from reward.graders.options import Options
from reward.score import Outcome, Score


def grader(*, rules: Sequence[Any] = (), seconds: float = 1.0) -> Callable[[Sample], Score]:
    """The policy grader.

    Args:
        rules: tables, each with `kind` and its keys as `reward.graders.criteria` lists them, optionally `name`, `weight`, and
            `severity`: ``score`` (the default) or ``gate``, a rule that takes the whole score when it is broken. If all are gates,
            an answer that keeps them is paid in full.
        seconds: bound on one sample, 0.05 to 10.

    Raises:
        InvalidInput: for a value outside these.
    """
    options = Options()
    found = criteria.read(options, "rules", rules, gates=True, least=1)
    bound = options.number("seconds", seconds, 0.05, MAX_SECONDS)
    options.done()
    nothing = tuple(texts.reward(rule.name, 0.0) for rule in found)
    weighed = [rule for rule in found if not rule.gate]

    def grade(sample: Sample) -> Score:
        if len(sample.response) > texts.MAX_TEXT:
            return Score(0.0, Outcome.OVERSIZE, nothing)
        text = Text(sample.response, texts.answer(sample))
        if not text.answer:
            return Score(0.0, Outcome.WRONG, nothing)
        held = [rule.holds(text) for rule in found]
        passed = all(holds for rule, holds in zip(found, held, strict=True) if rule.gate)
        value = criteria.share(weighed, [holds for rule, holds in zip(found, held, strict=True) if not rule.gate]) if passed else 0.0
        return texts.scored(value, tuple(texts.reward(rule.name, holds) for rule, holds in zip(found, held, strict=True)))

    if not any(rule.patterned for rule in found):
        return grade
    return limited(grade, name="policy", options={"rules": list(rules), "seconds": bound}, seconds=bound, components=nothing)
