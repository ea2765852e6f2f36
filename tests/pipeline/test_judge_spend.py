"""What judges are expected to cost a run, and that a run whose judges have no price waits for a person."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from contracts.judges import judges
from contracts.settings import HyperParameters, PipelineSettings
from pipeline import judge_spend, planning

PRICED = {"model": "us.amazon.nova-pro-v1:0", "input_usd_per_million": 0.8, "output_usd_per_million": 3.2}
VOLUME = planning.Volume(train=300, validation=40, heldout=60, safety=16, prompt_tokens=100.0)


def spend(options: dict[str, Any], *, grader: str = "judge", calls: int = 1000, sample_tokens: float = 200.0) -> float | None:
    return judge_spend.usd(grader=grader, options=json.dumps(options), calls=calls, sample_tokens=sample_tokens)


def composed(*judged: dict[str, Any]) -> dict[str, Any]:
    return {"parts": [{"grader": "math", "weight": 0.5}, *({"grader": "judge", "weight": 0.5, "options": each} for each in judged)]}


@pytest.mark.parametrize(("grader", "options"), [("math", {"mode": "strict"}), ("composite", composed()), ("format", {"criteria": []})])
def test_a_reward_without_a_judge_costs_nothing(grader: str, options: dict[str, Any]) -> None:
    assert spend(options, grader=grader) == 0.0


def test_every_call_and_the_rehearsals_are_counted_with_what_the_judge_reads_and_writes() -> None:
    read = (1000 + 640) * (800 + 200) * 0.8 / 1e6
    written = (1000 + 640) * 256 * 3.2 / 1e6
    assert spend(PRICED) == math.ceil((read + written) * 100) / 100 == 2.66


def test_it_is_rounded_up_so_that_a_judge_is_never_free() -> None:
    assert spend({**PRICED, "input_usd_per_million": 1e-6, "output_usd_per_million": 1e-6}, calls=1) == 0.01


def test_a_longer_answer_and_longer_samples_cost_more() -> None:
    usual = spend(PRICED) or 0.0
    assert (spend({**PRICED, "max_tokens": 4096}) or 0.0) > usual
    assert (spend(PRICED, sample_tokens=8000) or 0.0) > usual


def test_all_judges_within_another_grader_are_added_up() -> None:
    one, two = spend(composed(PRICED), grader="composite"), spend(composed(PRICED, PRICED), grader="composite")
    assert one == spend(PRICED)
    assert two == pytest.approx(2 * (one or 0.0), abs=0.01)
    nested = {"parts": [{"grader": "composite", "options": composed(PRICED), "weight": 1}]}
    assert spend(nested, grader="composite") == one


@pytest.mark.parametrize("missing", ["input_usd_per_million", "output_usd_per_million"])
def test_a_judge_without_a_price_cannot_be_counted_even_beside_one_with_prices(missing: str) -> None:
    unpriced = {key: value for key, value in PRICED.items() if key != missing}
    assert spend(unpriced) is None
    assert spend(composed(PRICED, unpriced), grader="composite") is None


@pytest.mark.parametrize("options", ["", "{}", "[]", "null"])
def test_options_that_hold_nothing_are_those_of_a_judge_without_a_price(options: str) -> None:
    assert judge_spend.usd(grader="judge", options=options, calls=1, sample_tokens=1) is None
    assert judge_spend.usd(grader="math", options=options, calls=1, sample_tokens=1) == 0.0


def test_where_each_judge_stands_is_told() -> None:
    found = [path for path, _ in judges("composite", composed(PRICED, PRICED))]
    assert found == ["reward.options.parts[1].options", "reward.options.parts[2].options"]


def with_judges(options: dict[str, Any], grader: str = "judge") -> tuple[float, float, bool]:
    """The estimate without and with its judges, and whether all were counted."""
    hyperparameters = HyperParameters()
    planned = planning.estimate(hyperparameters, VOLUME, PipelineSettings())
    estimate, counted = planning.with_judges(planned, hyperparameters, VOLUME, grader=grader, options=json.dumps(options))
    return planned.usd, estimate.usd, counted


def test_the_estimate_holds_what_judges_of_training_validation_and_evaluation_cost() -> None:
    hyperparameters = HyperParameters()
    planned = planning.estimate(hyperparameters, VOLUME, PipelineSettings())
    calls = planned.reward_calls + VOLUME.validation * math.ceil(planned.steps / hyperparameters.eval_interval) + 2 * VOLUME.heldout
    judged = spend(PRICED, calls=calls, sample_tokens=VOLUME.prompt_tokens + hyperparameters.inference_max_tokens)
    without, found, counted = with_judges(PRICED)
    assert counted
    assert judged and found == pytest.approx(without + judged)


def test_a_reward_without_a_judge_leaves_the_estimate_as_it_is() -> None:
    without, found, counted = with_judges({"mode": "strict"}, "math")
    assert (found, counted) == (without, True)


def test_a_judge_without_a_price_leaves_the_estimate_uncounted() -> None:
    without, found, counted = with_judges({"model": "us.amazon.nova-pro-v1:0"})
    assert (found, counted) == (without, False)
