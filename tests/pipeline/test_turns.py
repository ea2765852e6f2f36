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


def holding(house: Any) -> set[str]:
    """The runs that hold a place."""
    keys = set(house.keys(house.runs, names.TURNS)) - {names.TURN_LINE}
    return {house.read(house.runs, key)["run_id"] for key in keys}


def line(house: Any) -> list[str]:
    waiting: list[str] = house.read(house.runs, names.TURN_LINE)["waiting"]
    return waiting


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
    holders = holding(house)
    assert sum(granted) == len(holders) <= 3
    assert holders == {run_id for run_id, got in zip(runs, granted, strict=True) if got}
    for run_id in runs:
        turns.claim(run_id, 3)
    assert len(holding(house)) == 3
    assert sorted(line(house)) == sorted(set(runs) - holding(house)), "each of the others stands in line once"


def test_a_free_place_goes_to_who_asked_first(house: Any) -> None:
    holder, first, second, late = (running(house) for _ in range(4))
    assert turns.claim(holder, 1)
    assert not turns.claim(first, 1)
    assert not turns.claim(second, 1)
    assert not turns.claim(first, 1), "asking again gives no second place in the line"
    turns.give_back(holder)
    assert not turns.claim(second, 1) and not turns.claim(late, 1), "it is the first one's, though others ask before it does"
    assert turns.claim(first, 1)
    assert line(house) == [second, late]
    turns.give_back(first)
    assert not turns.claim(late, 1)
    assert turns.claim(second, 1)


def test_two_free_places_are_the_first_twos(house: Any) -> None:
    holders, waiting = [running(house) for _ in range(2)], [running(house) for _ in range(3)]
    assert all(turns.claim(run_id, 2) for run_id in holders)
    assert not any(turns.claim(run_id, 2) for run_id in waiting)
    for run_id in holders:
        turns.give_back(run_id)
    assert [turns.claim(run_id, 2) for run_id in reversed(waiting)] == [False, True, True]


def test_who_waits_and_ends_holds_nobody_up(house: Any) -> None:
    holder, gone, cleaned, last = (running(house) for _ in range(4))
    assert turns.claim(holder, 1)
    assert not any(turns.claim(run_id, 1) for run_id in (gone, cleaned, last))
    turns.give_back(cleaned)
    assert line(house) == [gone, last], "a run that ends while it waits is taken out of the line by its clean-up"
    house.states.stop_execution(executionArn=house.execution(gone)["executionArn"])
    turns.give_back(holder)
    assert turns.claim(last, 1)
    assert line(house) == []


def test_a_run_that_got_its_place_holds_nobody_up_before_it_has_left_the_line(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, first, second = (running(house) for _ in range(3))
    assert turns.claim(holder, 2)
    monkeypatch.setattr(turns, "_leave", lambda *_: None)
    house.s3.put_object(Bucket=house.runs, Key=names.TURN_LINE, Body=json.dumps({"waiting": [holder, first]}).encode())
    assert not turns.claim(second, 1)
    assert turns.claim(first, 2)


def test_a_long_line_costs_one_question(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, *waiting = (running(house) for _ in range(6))
    assert turns.claim(holder, 1)
    assert not any(turns.claim(run_id, 1) for run_id in waiting)
    turns.give_back(holder)
    asked, look = [], turns.is_running

    def noted(run_id: str) -> bool:
        asked.append(run_id)
        return look(run_id)

    monkeypatch.setattr(turns, "is_running", noted)
    assert not turns.claim(waiting[-1], 1)
    assert asked == [waiting[0]]


def test_the_state_asks_for_as_many_places_as_the_settings_name(house: Any, a_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turns.claim(running(house), 1)
    assert claim_turn.handler({"plan": plain(a_plan)}, None) == {"granted": False}
    two = attrs.evolve(PipelineSettings(), training=TrainingSettings(max_running=2))
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(plain(two)))
    assert claim_turn.handler({"plan": plain(a_plan)}, None) == {"granted": True}
