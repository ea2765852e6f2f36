"""Text similarity to the reference. It measures wording, not truth: a fluent contradiction can score high."""

from __future__ import annotations

from collections.abc import Callable

from reward.contract import Sample
from reward.graders import texts
from reward.graders.measures import MAX_COMPARED, MEASURES
from reward.graders.options import Options
from reward.score import Outcome, Score


def grader(*, measure: str = "rouge_l", floor: float = 0.0) -> Callable[[Sample], Score]:
    """The similarity grader.

    Args:
        measure: ``rouge_l`` (order of words), ``token_f1`` (words in any order) or ``chrf`` (pieces of words; for languages with
            rich endings or without spaces). Of a list of references the nearest counts; one of more than 16 is BAD_GOLD.
        floor: similarity up to which nothing is paid, 0 to 0.95; what is above is stretched to 0 to 1. Unrelated texts of one
            language share words, so a floor keeps them from being paid.

    Raises:
        InvalidInput: for a value outside these.
    """
    options = Options()
    name = options.choice("measure", measure, tuple(MEASURES))
    least = options.number("floor", floor, 0, 0.95)
    options.done()
    compare = MEASURES[name]
    nothing = (texts.reward("similarity", 0.0),)

    def grade(sample: Sample) -> Score:
        accepted = [text for text in texts.references(sample.reference) if len(text) <= MAX_COMPARED and texts.words(text)]
        if not 0 < len(accepted) <= _MAX_REFERENCES:
            return Score(0.0, Outcome.BAD_GOLD, nothing)
        if len(sample.response) > texts.MAX_TEXT or len(given := texts.answer(sample)) > MAX_COMPARED:
            return Score(0.0, Outcome.OVERSIZE, nothing)
        value = max(compare(given, text) for text in accepted)
        return texts.scored((value - least) / (1 - least), (texts.reward("similarity", value),))

    return grade


_MAX_REFERENCES = 16
