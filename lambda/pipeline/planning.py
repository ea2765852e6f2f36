"""What a run will do and take: hyperparameters within the caps, the estimate, the calls of the evaluation. No AWS here."""

from __future__ import annotations

import math
from collections.abc import Mapping

import attrs
from contracts import names
from contracts.run import Estimate, EvaluationItem, RunRequest
from contracts.settings import MIN_PROMPTS, RFT_REGIONS, Caps, EvaluationSettings, HyperParameters, PipelineSettings

from pipeline import judge_spend

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English text; the tokenizer of the model is not public. Used for estimates and warnings only."""

EXPECTED_SHARE_OF_MAX_TOKENS = 0.5
"""Share of `inference_max_tokens` a response is expected to take. The worst case is 1; most responses end well before it."""

MIN_HELDOUT = 10
"""Fewer held-out prompts than this cannot tell a better candidate from luck."""

BASE, CANDIDATE = "base", "candidate"
HELDOUT, SAFETY = "heldout", "safety"


@attrs.frozen(kw_only=True)
class Volume:
    """What the estimate is made from.

    Attributes:
        train, validation, heldout, safety: prompts of each set; `heldout` is what the evaluation uses of them.
        prompt_tokens: mean tokens of a training prompt, bounded by the maximum prompt length.
    """

    train: int
    validation: int
    heldout: int
    safety: int
    prompt_tokens: float


def merged(request: RunRequest, settings: PipelineSettings) -> HyperParameters:
    """The environment's hyperparameters with the request's changes."""
    changes = {name: value for name, value in attrs.asdict(request.hyperparameters).items() if value is not None}
    return attrs.evolve(settings.training.hyperparameters, **changes)


def over_caps(hyperparameters: HyperParameters, caps: Caps) -> list[str]:
    """One line for each hyperparameter above the environment's cap."""
    names_capped = ("epoch_count", "batch_size", "training_sample_per_prompt", "inference_max_tokens")
    return [
        f"hyperparameters.{name} = {getattr(hyperparameters, name)}: allowed is at most {getattr(caps, name)} in this environment"
        for name in names_capped
        if getattr(hyperparameters, name) > getattr(caps, name)
    ]


def wrong_region(base_model: str, region: str) -> list[str]:
    """A line if the model cannot be trained by reinforcement in the Region."""
    allowed = RFT_REGIONS.get(base_model, ())
    return [] if region in allowed else [f"{base_model} cannot be trained in {region}; allowed is {', '.join(allowed) or 'no Region'}"]


def prompt_problems(prompts: Mapping[str, int], too_long: int, caps: Caps, max_prompt_length: int) -> list[str]:
    """One line for each split that is too small or too large.

    Args:
        prompts: how many each split holds.
        too_long: training prompts estimated above `max_prompt_length`, which the service is reported to leave out.
        caps: the environment's.
        max_prompt_length: in tokens.
    """
    train, heldout = prompts.get(names.SPLIT_TRAIN, 0), prompts.get(names.SPLIT_HELDOUT, 0)
    problems = []
    if train < MIN_PROMPTS:
        problems.append(f"the training split holds {train} prompts; allowed are {MIN_PROMPTS} or more")
    elif train - too_long < MIN_PROMPTS:
        problems.append(
            f"hyperparameters.max_prompt_length = {max_prompt_length}: {too_long} of {train} training prompts are longer (about "
            f"{CHARACTERS_PER_TOKEN} characters a token) and would be left out; allowed is a length that keeps {MIN_PROMPTS} or more"
        )
    if train > caps.prompts:
        problems.append(f"the training split holds {train} prompts; allowed are at most {caps.prompts} in this environment")
    if heldout < MIN_HELDOUT:
        problems.append(f"the held-out split holds {heldout} prompts; allowed are {MIN_HELDOUT} or more, else no gate can judge")
    return problems


def estimate(hyperparameters: HyperParameters, volume: Volume, settings: PipelineSettings) -> Estimate:
    """What the run is expected to take; derived, not quoted.

    Tokens count every prompt once per response, and half of `inference_max_tokens` per response (see
    `EXPECTED_SHARE_OF_MAX_TOKENS`). Validation answers each of its prompts once every `eval_interval` steps. Dollars add the
    evaluation of base and candidate. Storage, Lambda and metrics are cents and left out; a judge is not, see `with_judges`.
    """
    prices = settings.training.prices
    steps_per_epoch = math.ceil(volume.train / hyperparameters.batch_size)
    steps = steps_per_epoch * hyperparameters.epoch_count
    training_calls = volume.train * hyperparameters.training_sample_per_prompt * hyperparameters.epoch_count
    validation_calls = volume.validation * math.ceil(steps / hyperparameters.eval_interval)
    per_response = volume.prompt_tokens + EXPECTED_SHARE_OF_MAX_TOKENS * hyperparameters.inference_max_tokens
    tokens = math.ceil((training_calls + validation_calls) * per_response)
    answered = 2 * (volume.heldout + volume.safety) * per_response
    usd = (tokens * prices.training_usd_per_million_tokens + answered * prices.inference_usd_per_million_tokens) / 1e6
    return Estimate(
        steps=steps,
        reward_calls=training_calls,
        tokens=tokens,
        hours=round(tokens / prices.training_tokens_per_second / 3600, 2),
        usd=round(usd, 2),
    )


def with_judges(planned: Estimate, hyperparameters: HyperParameters, volume: Volume, *, grader: str, options: str) -> tuple[Estimate, bool]:
    """The estimate with what the reward's judges cost, and whether all of them could be counted.

    A judge whose options name no price cannot be, and a run whose cost is unknown must be approved by a person.
    """
    validation_calls = volume.validation * math.ceil(planned.steps / hyperparameters.eval_interval)
    calls = planned.reward_calls + validation_calls + 2 * volume.heldout
    # A judge reads the prompt, the response and a reference of about the response's length.
    sample_tokens = volume.prompt_tokens + 2 * EXPECTED_SHARE_OF_MAX_TOKENS * hyperparameters.inference_max_tokens
    judged = judge_spend.usd(grader=grader, options=options, calls=calls, sample_tokens=sample_tokens)
    if judged is None:
        return planned, False
    return attrs.evolve(planned, usd=round(planned.usd + judged, 2)), True


def evaluation_items(heldout: int, safety: int, settings: EvaluationSettings) -> list[EvaluationItem]:
    """The calls of the Evaluate state: base and candidate over the same chunks of the same prompts."""
    sets = ((HELDOUT, min(heldout, settings.max_prompts)), (SAFETY, safety))
    return [
        EvaluationItem(model=model, set=kind, first=first, count=min(settings.chunk_prompts, total - first))
        for kind, total in sets
        for first in range(0, total, settings.chunk_prompts)
        for model in (BASE, CANDIDATE)
    ]


def tokens_of(record: Mapping[str, object]) -> float:
    """Estimated tokens of a record's prompt."""
    messages = record.get("messages")
    turns = messages if isinstance(messages, list) else []
    return sum(len(str(turn.get("content", ""))) for turn in turns) / CHARACTERS_PER_TOKEN
