"""Places for jobs, on the local cloud's real objects: of many runs at once exactly as many train as there are places."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.run import Plan
from contracts.settings import PipelineSettings, TrainingSettings
from contracts.validation import plain
from pipeline import claim_turn, turns


@pytest.fixture(autouse=True)
def empty_places(house: Any) -> None:
    for key in house.keys(house.runs, names.TURNS):
        house.s3.delete_object(Bucket=house.runs, Key=key)


def running(house: Any) -> str:
    """The id of a run whose execution is under way."""
    run_id = f"run-{uuid.uuid4().hex[:8]}"
    house.waiting_execution(run_id)
    return run_id


def test_one_place_goes_to_one_run_until_it_is_given_back(house: Any) -> None:
    first, second = running(house), running(house)
    assert turns.claim(first, 1)
    assert turns.claim(first, 1), "a second attempt of the same state keeps the place"
    assert not turns.claim(second, 1)
    turns.give_back(second)
    assert not turns.claim(second, 1), "who has no place frees none"
    turns.give_back(first)
    assert turns.claim(second, 1)


def test_a_holder_that_no_longer_runs_has_lost_its_place(house: Any) -> None:
    gone, waiting = running(house), running(house)
    assert turns.claim(gone, 1)
    house.states.stop_execution(executionArn=house.execution(gone)["executionArn"])
    assert turns.claim(waiting, 1)
    turns.give_back(gone)
    assert not turns.claim(running(house), 1), "a late clean-up leaves the new holder alone"


def test_of_many_runs_at_once_exactly_as_many_get_a_place_as_there_are(house: Any) -> None:
    runs = [running(house) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        granted = list(pool.map(lambda run_id: turns.claim(run_id, 3), runs))
    # Losers of a race may be turned away from a place that was free a moment before; they ask again.
    holders = {house.read(house.runs, key)["run_id"] for key in house.keys(house.runs, names.TURNS)}
    assert sum(granted) == len(holders) <= 3
    assert holders == {run_id for run_id, got in zip(runs, granted, strict=True) if got}
    for run_id in runs:
        turns.claim(run_id, 3)
    assert len({house.read(house.runs, key)["run_id"] for key in house.keys(house.runs, names.TURNS)}) == 3


def test_the_state_asks_for_as_many_places_as_the_settings_name(house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turns.claim(running(house), 1)
    assert claim_turn.handler({"plan": plain(a_plan)}, None) == {"granted": False}
    two = attrs.evolve(PipelineSettings(), training=TrainingSettings(max_running=2))
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(plain(two)))
    assert claim_turn.handler({"plan": plain(a_plan)}, None) == {"granted": True}
