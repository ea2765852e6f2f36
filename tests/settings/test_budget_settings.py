"""[budget]: what is refused, and that a protected environment has one or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.errors import InvalidInput

from stacks.settings import ENVIRONMENTS, load

PROD = (ENVIRONMENTS / "prod.toml").read_text()
AMOUNT = "monthly_usd = 5000.0"


def loaded(directory: Path, old: str, new: str) -> None:
    path = directory / "environments" / "prod.toml"
    path.parent.mkdir(exist_ok=True)
    assert PROD.count(old) == 1, old
    path.write_text(PROD.replace(old, new))
    load(path)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (AMOUNT, "monthly_usd = 0.5", "budget.monthly_usd = 0.5: allowed is a number from 1 to 1e+07"),
        (AMOUNT, "", "budget.monthly_usd: allowed is US dollars a month, or budget.none_because"),
        (AMOUNT, 'none_because = "soon"', "budget.none_because = 'soon': allowed is a sentence of 40 characters or more"),
        ('scope = "account"', 'scope = "service"', "budget.scope = 'service': allowed is one of account, tags"),
        ("warn_percent = [50, 80]", "warn_percent = [0]", "budget.warn_percent = [0]: allowed are whole numbers from 1 to 1000, each once"),
        ("warn_percent = [50, 80]", "warn_percent = [20, 40, 60, 80]", "allowed are 4 entries together, and these are 5"),
        ("warn_percent = [50, 80]", "warn_percent = [100]", "allowed is any but budget.stop_percent"),
        ("stop_percent = 100", "stop_percent = 0", "budget.stop_percent = 0: allowed is a whole number from 1 to 1000"),
        ('action = "stop"      ', 'action = "off"', "budget.action = 'off': allowed is one of stop, ask, tell"),
        (AMOUNT, f'{AMOUNT}\nnone_because = "{"x" * 40}"', "budget.none_because: allowed is an empty string"),
    ],
)
def test_a_fault_names_key_value_and_what_is_allowed(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, old, new)
    assert problem in str(caught.value)


def test_a_protected_environment_may_say_why_it_has_none(tmp_path: Path) -> None:
    loaded(tmp_path, AMOUNT, 'none_because = "the organisation holds this account to a budget of its own"')


@pytest.mark.parametrize("name", ["dev", "stage", "prod"])
def test_every_environment_that_ships_has_a_budget_above_the_cap_of_one_run(name: str) -> None:
    settings = load(ENVIRONMENTS / f"{name}.toml")
    assert settings.budget.acts
    assert settings.budget.monthly_usd and settings.budget.monthly_usd > settings.training.caps.usd
