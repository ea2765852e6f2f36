"""A run pins what graded it: code, grader, options and, where a model judges, what its verdicts depend on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from contracts import names
from contracts.settings import PipelineSettings
from contracts.validation import plain
from pipeline import prepare_run, record_lineage, register_dataset


def published(house: Any, variables: dict[str, str]) -> str:
    """A version of the reward function with the same code and these variables."""
    house.lambda_.update_function_configuration(
        FunctionName="reward", Environment={"Variables": {names.ENV_ENVIRONMENT: "dev", **variables}}
    )
    version: str = house.lambda_.publish_version(FunctionName="reward")["Version"]
    return version


def test_versions_of_one_code_with_different_judges_are_different_rewards(house: Any, problems: Callable[..., bytes]) -> None:
    register_dataset.handler(house.upload("judged", problems(200)), None)
    base = {
        names.ENV_GRADER: "judge",
        names.ENV_GRADER_OPTIONS: '{"model": "us.amazon.nova-pro-v1:0"}',
        names.ENV_REWARD_IDENTITY: "a" * 64,
    }
    changes: dict[str, dict[str, str]] = {
        "first": {},
        "options": {names.ENV_GRADER_OPTIONS: '{"model": "us.amazon.nova-lite-v1:0"}'},
        "prompt": {names.ENV_REWARD_IDENTITY: "b" * 64},
        "again": {},
    }
    plans: dict[str, dict[str, Any]] = {}
    for name, change in changes.items():
        version = published(house, base | change)
        request = {"dataset": "judged", "reward_version": version}
        plans[name] = prepare_run.handler({"run_id": f"identity-{name}", "request": request}, None)
    assert len({plan["reward_sha256"] for plan in plans.values()}) == 1
    assert plans["first"]["reward_identity"] == plans["again"]["reward_identity"]
    assert len({plan["reward_identity"] for plan in plans.values()}) == 3
    assert json.loads(plans["options"]["reward_options"]) == {"model": "us.amazon.nova-lite-v1:0"}


def test_a_judge_without_prices_makes_a_run_wait_for_a_person_and_one_with_prices_is_in_the_estimate(
    house: Any, problems: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A threshold no small run comes near, so that what is asked for is asked for the judge's sake.
    settings = plain(PipelineSettings())
    settings["approval"]["spend_above_usd"] = settings["training"]["caps"]["usd"]
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(settings))
    register_dataset.handler(house.upload("priced", problems(200)), None)
    prices = {"input_usd_per_million": 0.8, "output_usd_per_million": 3.2}
    rewards: dict[str, tuple[str, dict[str, Any]]] = {"ruled": ("math", {}), "priced": ("judge", prices), "unpriced": ("judge", {})}
    plans = {}
    for name, (grader, options) in rewards.items():
        version = published(house, {names.ENV_GRADER: grader, names.ENV_GRADER_OPTIONS: json.dumps(options)})
        request = {"dataset": "priced", "reward_version": version}
        plans[name] = prepare_run.handler({"run_id": f"spend-{name}", "request": request}, None)
    assert {name: plan["needs_spend_approval"] for name, plan in plans.items()} == {"ruled": False, "priced": False, "unpriced": True}
    usd = {name: plan["estimate"]["usd"] for name, plan in plans.items()}
    assert usd["priced"] > usd["ruled"] == usd["unpriced"]


@pytest.mark.parametrize("known", [True, False])
def test_the_lineage_holds_it_and_reads_older_plans_without_it(known: bool) -> None:
    keys = "base_model dataset dataset_version dataset_sha256 dataset_uri prompts reward_arn reward_version reward_sha256"
    plan = dict.fromkeys([*keys.split(), "hyperparameters", "estimate", "requested_by", "prepared_at"], "x")
    more = {"reward_grader": "judge", "reward_options": "{}", "reward_identity": "c" * 64} if known else {}
    event = {"run_id": "r", "outcome": {"code": "Released"}, "plan": {**plan, **more}}
    reward = record_lineage.lineage(event, environment="dev", job=None, recorded_at="now")["reward"]
    assert (reward["grader"], reward["identity"]) == (("judge", "c" * 64) if known else (None, None))
