"""Agreement with a person's choice: how much nearer a response is to the chosen answer of a pair than to the rejected one."""

from __future__ import annotations

from collections.abc import Callable

from reward.contract import Sample
from reward.graders import texts
from reward.graders.measures import MAX_COMPARED, chrf1
from reward.graders.options import Options
from reward.score import Outcome, Score


def grader(*, chosen_key: str = "chosen", rejected_key: str = "rejected", floor: float = 0.3) -> Callable[[Sample], Score]:
    """The preference grader.

    With s the chrF1 similarity, it pays ``0.5 + (s(response, chosen) - s(response, rejected)) / (2 (1 - s(chosen, rejected)))``,
    kept in 0 to 1: the chosen answer itself gives 1, the rejected one 0, and 0.5 means exactly as near to one as to the other.

    Args:
        chosen_key: key of the training record that holds the answer people preferred.
        rejected_key: key of the one they did not.
        floor: a response less similar than this to both, 0 to 0.9, is paid nothing: nearness to a pair it has nothing to do
            with says nothing. Two unrelated English texts reach 0.1 to 0.25.

    Raises:
        InvalidInput: for a value outside these.
    """
    options = Options()
    good, bad = options.string("chosen_key", chosen_key), options.string("rejected_key", rejected_key)
    least = options.number("floor", floor, 0, 0.9)
    if good == bad:
        options.fault("rejected_key", bad, "another key than chosen_key")
    options.done()
    nothing = (texts.reward("nearer chosen", 0.0), texts.metric("similar to chosen", 0.0), texts.metric("similar to rejected", 0.0))

    def grade(sample: Sample) -> Score:
        chosen, rejected = (texts.reference_text(sample.metadata.get(key)) for key in (good, bad))
        if chosen is None or rejected is None or max(len(chosen), len(rejected)) > MAX_COMPARED:
            return Score(0.0, Outcome.BAD_GOLD, nothing)
        apart = 1 - chrf1(chosen, rejected)
        if apart < _MIN_APART or not texts.fold(chosen):
            return Score(0.0, Outcome.BAD_GOLD, nothing)
        if len(sample.response) > texts.MAX_TEXT or len(given := texts.answer(sample)) > MAX_COMPARED:
            return Score(0.0, Outcome.OVERSIZE, nothing)
        near, far = chrf1(given, chosen), chrf1(given, rejected)
        value = 0.0 if max(near, far) < least or not given else min(1.0, max(0.0, 0.5 + (near - far) / (2 * apart)))
        parts = (texts.reward("nearer chosen", value), texts.metric("similar to chosen", near), texts.metric("similar to rejected", far))
        return texts.scored(value, parts)

    return grade


_MIN_APART = 1e-6
"""Below it the two answers of a pair are the same, and there is nothing to be nearer to."""
