"""Given settings or requests from outside, every fault is named with key, value and what is allowed."""

from __future__ import annotations

import re

import pytest
from contracts.errors import InvalidInput
from contracts.run import RunRequest
from contracts.settings import HyperParameterChanges, HyperParameters, PipelineSettings, TrainingSettings
from contracts.validation import plain, structure
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"hyperparameters": {"epoch_count": 99}}, "hyperparameters.epoch_count = 99: allowed is a whole number from 1 to 50"),
        ({"hyperparameters": {"batch_size": "32"}}, "hyperparameters.batch_size = '32': allowed is a whole number"),
        ({"hyperparameters": {"batch_size": True}}, "hyperparameters.batch_size = True: allowed is a whole number"),
        ({"hyperparameters": {"learning_rate": 1}}, "hyperparameters.learning_rate = 1: allowed is a number from 1e-07 to 0.001"),
        (
            {"hyperparameters": {"learning_rate": float("nan")}},
            "hyperparameters.learning_rate = nan: allowed is a number from 1e-07 to 0.001",
        ),
        (
            {"hyperparameters": {"reasoning_effort": "max"}},
            "hyperparameters.reasoning_effort = 'max': allowed is one of low, medium, high",
        ),
        ({"hyperparameters": 3}, "hyperparameters = 3: allowed is a table of keys and values"),
        ({"base_model": "amazon.nova-2.0"}, "base_model = 'amazon.nova-2.0': allowed is one of amazon.nova-2-lite-v1:0:256k"),
        ({"poll_seconds": 60, "max_hours": 48}, "poll_seconds = 60: with max_hours = 48 allowed is 116 or more"),
        ({"pol_seconds": 5}, "pol_seconds is not a known key; known here: base_model, poll_seconds"),
    ],
)
def test_a_fault_is_named_with_key_value_and_what_is_allowed(data: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)) as caught:
        structure(data, TrainingSettings, "environments/dev.toml")
    assert str(caught.value).startswith("environments/dev.toml: ")


def test_all_faults_of_one_file_are_listed_together() -> None:
    data = {"poll": 1, "hyperparameters": {"batch_size": "x", "foo": 1}}
    with pytest.raises(InvalidInput) as caught:
        structure(data, TrainingSettings, "dev.toml")
    assert len(caught.value.problems) == 3


def test_a_missing_key_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"run request: dataset is missing"):
        structure({}, RunRequest, "run request")


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_what_is_no_table_is_refused(data: object) -> None:
    with pytest.raises(InvalidInput, match="allowed is a table of keys and values"):
        structure(data, RunRequest, "run request")


def test_settings_survive_the_way_through_json() -> None:
    settings = PipelineSettings()
    assert structure(plain(settings), PipelineSettings, "round trip") == settings


def test_a_request_may_change_exactly_the_hyperparameters_there_are() -> None:
    def fields(kind: type) -> set[str]:
        return {field.name for field in kind.__attrs_attrs__}  # type: ignore[attr-defined]

    assert fields(HyperParameterChanges) == fields(HyperParameters)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["dataset", "hyperparameters", "epoch_count", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_either_a_request_or_a_named_fault(data: object) -> None:
    try:
        request = structure(data, RunRequest, "run request")
    except InvalidInput as fault:
        assert fault.problems
    else:
        assert request.dataset
