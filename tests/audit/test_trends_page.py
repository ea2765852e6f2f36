"""The page of metrics and trends: as the code is today, with an emitter and a meaning for each."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import attrs
import pytest
from contracts.errors import InvalidInput
from contracts.metrics import METRIC_OF_RAIL, Metric

from audit.assembly import Assembly
from audit.emitters import Module, emitters, modules, runs_in
from audit.trends import PART, published_by_states, tables

OFFERED = """
from collections.abc import Mapping
from contracts.emf import emit
from contracts.metrics import METRIC_OF_RAIL, Metric

def read(record):
    return record.values(Metric.JUDGE_LATENCY)

def offered(outcome) -> Mapping[Metric, float]:
    return {Metric.ORPHANS: 1}

def tell(rail, grade):
    read(rail)
    emit({Metric.REWARD: 1} | getattr(grade, "offered", dict)(), environment="dev", run_id=None)
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    path = tmp_path / "made_to_emit.py"
    path.write_text(OFFERED)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Module("made_to_emit", path)


def test_the_page_is_as_definitions_code_and_templates_are_now(assemblies: dict[str, Assembly]) -> None:
    found = tables(assemblies.values())
    assert PART.filled(f"\n{found}\n") == PART.read(), "write it anew: .venv/bin/python -m audit.trends"


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must hold"):
        PART.filled("", page="# Trends")


def test_every_metric_has_an_emitter_that_runs_in_a_function_and_is_drawn(assemblies: dict[str, Assembly]) -> None:
    rows = [line.split(" | ") for line in tables(assemblies.values()).splitlines() if line.startswith("| `")][: len(Metric)]
    assert [row[0] for row in rows] == [f"| `{metric.metric_name}`" for metric in Metric]
    for name, meaning, _, _, dimensions, by, drawn, _ in rows:
        assert meaning and dimensions and drawn, name
        assert re.match(r"\w+(, \w+)* \(\[|`rft-<env>-", by), f"{name} is emitted by nothing that runs: {by}"


def test_a_state_that_publishes_without_a_function_is_an_emitter(assemblies: dict[str, Assembly]) -> None:
    templates = copy.deepcopy(assemblies["dev"].templates)
    (machine, *_) = [
        resource["Properties"]
        for template in templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    point = "{% [{'MetricName': 'Made', 'Value': 1}] %}"
    published = {"Resource": "arn:aws:states:::aws-sdk:cloudwatch:putMetricData", "Arguments": {"MetricData": point}}
    read = {"Resource": "arn:aws:states:::aws-sdk:cloudwatch:getMetricData", "Arguments": {"MetricName": "Read"}}
    machine |= {
        "StateMachineName": "rft-dev-look",
        "DefinitionString": {"Fn::Join": ["", [json.dumps({"States": {"Publish": published, "Read": read}})[:-1], "", "}"]]},
    }
    found = published_by_states([attrs.evolve(assemblies["dev"], templates=templates)])
    assert found["Made"] == {"`rft-<env>-look` (Publish)"} and "Read" not in found


def test_an_emitter_is_a_function_that_emits_what_it_names_or_is_given(made: Module) -> None:
    assert emitters({made.name: made}) == {Metric.REWARD: [made.name], Metric.ORPHANS: [made.name]}


def test_what_only_reads_metrics_emits_none() -> None:
    found = emitters(modules())
    readers = {"pipeline.trend", "pipeline.signals", "pipeline.grader_log", "pipeline.guard_rails"}
    assert not readers & {module for by in found.values() for module in by}
    assert {by for metric in METRIC_OF_RAIL.values() for by in found[metric]} == {"pipeline.track_training"}


def test_a_module_without_a_handler_runs_in_those_whose_handler_loads_it() -> None:
    handlers = {"reward.handler": "Grader", "pipeline.sweep": "Sweep", "pipeline.gate": "Gate"}
    assert runs_in("reward.telemetry", handlers, modules()) == ["Grader"]
    assert runs_in("pipeline.waiting", handlers, modules()) == ["Sweep"]
    assert runs_in("pipeline.sweep", handlers, modules()) == ["Sweep"]
