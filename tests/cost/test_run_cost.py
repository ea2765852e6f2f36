"""What the pipeline adds to a run: transitions counted on the definition, the rest from what the code prints and asks for."""

from __future__ import annotations

import attrs
import pytest
from contracts.metrics import Metric
from pipeline.track_training import EVERY_LOOK

from audit.assembly import Assembly
from cost import run as run_cost
from cost.prices import Prices, load, total
from cost.run import cycle, grader_series, judge_series, longest, memory_gb, pace, run, series
from cost.tables import moving
from tests.stacks.variants import judged_settings
from tests.synthesis import synthesised_once

LOOP = {
    "Begin": {"Type": "Pass", "Next": "Look"},
    "Look": {"Type": "Task", "Next": "Ended"},
    "Ended": {"Type": "Choice", "Choices": [{"Next": "Ask"}, {"Next": "Released"}], "Default": "Later"},
    "Ask": {"Type": "Task", "Next": "Approved"},
    "Approved": {"Type": "Choice", "Choices": [{"Next": "Released"}], "Default": "Stopped"},
    "Later": {"Type": "Wait", "Seconds": 40, "Next": "Look"},
    "Released": {"Type": "Succeed"},
    "Stopped": {"Type": "Fail"},
}


def test_a_loop_is_counted_in_states_and_seconds() -> None:
    assert cycle(LOOP, "Look") == (3, 40.0)


def test_a_state_outside_any_loop_is_refused() -> None:
    with pytest.raises((LookupError, KeyError)):
        cycle(LOOP, "Ask")


def test_the_longest_way_asks_every_approval_and_enters_no_state_twice() -> None:
    assert longest(LOOP, "Begin", "Released") == 6


def test_a_day_of_training_makes_no_storm_of_transitions(assembly: Assembly) -> None:
    found = pace(assembly, 24)
    assert found.looks == 24 * 3600 / assembly.settings.training.poll_seconds
    assert found.per_look <= 3
    assert found.transitions < 2_000


def test_a_run_of_a_day_costs_under_a_quarter_dollar_at_list_price(assembly: Assembly, prices: Prices) -> None:
    lines = run(assembly, prices, hours=24)
    assert 0.02 < moving(lines) < total(lines)
    assert total(lines) < 0.25, "a metric takes 0.01 of it, and as much again if it is published per run: is a statistic of another enough?"
    hours = len(grader_series() | series(EVERY_LOOK)) * 24 + len(series(run_cost.ONCE))
    assert total(lines) - moving(lines) == pytest.approx(hours / 730 * 0.30)


def test_what_a_judge_is_watched_by_is_counted_where_there_is_one(
    assemblies: dict[str, Assembly], prices: Prices, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert judge_series(assemblies["dev"]) == set()
    judged = synthesised_once(tmp_path_factory, [judged_settings()])[1]["dev"]
    names = {name for name, _ in judge_series(judged)}
    assert names == {"JudgeCalls", "JudgeErrors", "JudgeLatency", "JudgeInputTokens", "JudgeOutputTokens", "JudgeCost"}
    more = total(run(judged, prices, hours=24)) - total(run(assemblies["dev"], prices, hours=24))
    assert more == pytest.approx(len(judge_series(judged)) * 24 / 730 * 0.30, abs=0.01)


def test_what_an_account_has_free_is_less_than_the_list_price(assembly: Assembly, prices: Prices) -> None:
    lines = run(assembly, prices, hours=24)
    assert 0 < prices.beyond_free(lines) < total(lines)


def test_a_metric_published_per_run_costs_twice() -> None:
    assert series([Metric.REWARD]) == {("Reward", ("Environment",)), ("Reward", ("Environment", "RunId"))}
    assert len(series([Metric.GRADER_LATENCY])) == 1


def test_what_is_free_is_taken_off_once() -> None:
    prices = load()
    transitions = prices.line("transitions", 5_000, "state_transition")
    assert prices.beyond_free([transitions]) == pytest.approx(1_000 * 0.000025)
    assert prices.beyond_free([prices.line("writes", 10, "object_write")]) == pytest.approx(0.00005)


def test_a_longer_job_costs_more(assemblies: dict[str, Assembly], prices: Prices) -> None:
    assert total(run(assemblies["dev"], prices, hours=48)) > 1.5 * total(run(assemblies["dev"], prices, hours=24))


def test_no_environment_that_ships_polls_by_the_minute(assembly: Assembly) -> None:
    assert assembly.settings.training.poll_seconds >= 600


def test_the_memory_that_stands_for_all_is_what_most_task_functions_get(assembly: Assembly) -> None:
    sizes = list(memory_gb(assembly).values())
    assert max(set(sizes), key=sizes.count) == memory_gb(assembly)[run_cost.TASK]


def test_series_and_reads_are_those_of_the_code(assemblies: dict[str, Assembly]) -> None:
    # Reward, spread, length, count, latency, faults and four outcomes, and the validation's reward; four of them for the run as well.
    assert len(grader_series()) >= 15
    assert sum("RunId" in dimensions for _, dimensions in grader_series()) >= 4


def test_prices_are_applied(assemblies: dict[str, Assembly], prices: Prices) -> None:
    lines = {line.price: line for line in run(assemblies["dev"], prices)}
    transitions = lines["state_transition"]
    assert transitions.quantity == pace(assemblies["dev"], 24).transitions
    assert transitions.usd == pytest.approx(transitions.quantity * 0.000025)
    assert {"state_transition", "metric_month", "function_gb_second", "function_request", "trace"} <= lines.keys()
    assert attrs.asdict(transitions).keys() == {"what", "quantity", "price", "usd"}
