"""[calibration] in environments/*.toml: off unless asked for, given to the functions, and refused out of range."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contracts.errors import InvalidInput
from contracts.settings import CalibrationSettings

from stacks.settings import ENVIRONMENTS, load


def with_calibration(directory: Path, text: str, name: str) -> Path:
    """The environment's file with its commented block put to use, after `text` has replaced values in it."""
    path = directory / f"{name}.toml"
    body = (ENVIRONMENTS / path.name).read_text()
    block = re.search(r"(?m)^# \[calibration\].*\n(?:^# \w+ = .*\n)+", body)
    assert block is not None, f"{path.name} shows no [calibration]"
    path.write_text(body.replace(block[0], text or re.sub(r"(?m)^# ", "", block[0])))
    return path


@pytest.mark.parametrize("name", ["dev", "stage", "prod"])
def test_the_block_every_environment_shows_is_accepted_and_reaches_the_functions(tmp_path: Path, name: str) -> None:
    assert load(ENVIRONMENTS / f"{name}.toml").pipeline.calibration == CalibrationSettings()
    assert not CalibrationSettings().required
    settings = load(with_calibration(tmp_path, "", name))
    assert settings.pipeline.calibration == CalibrationSettings(required=True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("min_pair_agreement = 1.2", "calibration.min_pair_agreement = 1.2: allowed is a number from 0 to 1"),
        ("min_rank_correlation = -2", "calibration.min_rank_correlation = -2: allowed is a number from -1 to 1"),
        ("min_samples = 3", "calibration.min_samples = 3: allowed is a whole number from 5 to 20000"),
        ('required = "yes"', "calibration.required = 'yes': allowed is true or false"),
        ("floor = 1", "calibration.floor is not a known key"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_name(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        load(with_calibration(tmp_path, f"[calibration]\n{line}\n", "dev"))
    assert said in str(fault.value)
