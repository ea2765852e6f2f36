"""What a job has cost so far, by the environment's prices: an estimate from what was graded, never a bill. No AWS calls here."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.run import Plan
from contracts.settings import Prices

from pipeline.planning import CHARACTERS_PER_TOKEN, EXPECTED_SHARE_OF_MAX_TOKENS
from pipeline.signals import Reading


def so_far(plan: Plan, readings: Sequence[Reading], prices: Prices) -> float:
    """US dollars: prompt and response of everything graded at the training price, and the judge's own count.

    A response takes its measured length; a prompt what the plan counted on average. Lengths that were not measured count as planned.
    """
    planned = EXPECTED_SHARE_OF_MAX_TOKENS * plan.hyperparameters.inference_max_tokens
    prompt = prompt_tokens(plan)
    tokens = sum(
        (one.graded + one.validated) * (prompt + (planned if one.length is None else one.length / CHARACTERS_PER_TOKEN)) for one in readings
    )
    return tokens * prices.training_usd_per_million_tokens / 1e6 + sum(one.judge_usd for one in readings)


def prompt_tokens(plan: Plan) -> float:
    """Mean tokens of a training prompt, taken back out of the plan's estimate."""
    planned = EXPECTED_SHARE_OF_MAX_TOKENS * plan.hyperparameters.inference_max_tokens
    calls = plan.estimate.reward_calls
    return max(0.0, plan.estimate.tokens / calls - planned) if calls else 0.0
