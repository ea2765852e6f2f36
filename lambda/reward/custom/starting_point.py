"""A starting point for a reward of your own: pays when the last line of the answer says what the reference says.

Copy it to `reward/custom/<your_name>.py`, change what is between the two lines of dashes, and set `grader = "<your_name>"`
under `[reward]`. What may be read of a sample is in `reward.contract.Sample`.
"""

from __future__ import annotations

from reward.contract import Sample
from reward.graders.thinking import without_thinking
from reward.score import Component, Outcome, Score


def grade(sample: Sample) -> Score:
    """One response in, one score from 0 to 1 out. Text is compared and never run; an error here scores 0 and is counted."""
    # A reference that cannot be used is the data's fault. Saying so keeps it from looking like a model that got worse.
    gold = _last_line(sample.reference) if isinstance(sample.reference, str) else ""
    if not gold:
        return _score(0.0, Outcome.BAD_GOLD)
    # ----------------------------------------------------------------------------------------------------------------
    right = _last_line(sample.response) == gold
    # ----------------------------------------------------------------------------------------------------------------
    return _score(1.0, Outcome.CORRECT) if right else _score(0.0, Outcome.WRONG)


def _last_line(text: str) -> str:
    """The last line outside thinking: what a model only thought is not its answer. The reference goes through the same code."""
    lines = without_thinking(text).strip().splitlines()
    return lines[-1].strip().casefold() if lines else ""


def _score(value: float, outcome: Outcome) -> Score:
    # Components are shown beside the score. Give every sample the same names.
    return Score(value, outcome, (Component(name="last line right", value=value, type="Reward"),))
