"""The sweep, on the local cloud: what belongs to a run stays, what is lost is named with its price, and goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.run import Plan
from contracts.settings import PipelineSettings, Prices
from contracts.sweep_settings import SweepSettings
from contracts.validation import plain
from pipeline import pointer, sweep

from local.bedrock import faults_client
from tests.pipeline.test_training_steps import stage, start


def swept(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> list[dict[str, Any]]:
    """One sweep by which everything is old enough."""
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(plain(attrs.evolve(PipelineSettings(), sweep=SweepSettings(**settings)))))
    monkeypatch.setattr(sweep, "timedelta", lambda **_: timedelta(seconds=-10))
    return list(sweep.handler({}, None)["orphans"])


def of(orphans: list[dict[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    return [orphan for orphan in orphans if orphan["run_id"] == plan.run_id]


@pytest.fixture
def job(house: Any, a_plan: Plan, problems: Callable[..., bytes]) -> str:
    """A job of the plan's run that stays in progress."""
    stage(house, a_plan, problems(200))
    faults_client.set_fault(house.endpoint, "stall", step=0, job=a_plan.job_name)
    return start(a_plan)


def test_a_job_whose_run_is_gone_is_stopped_and_told_with_its_price(
    house: Any, a_plan: Plan, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (orphan,) = of(swept(monkeypatch), a_plan)
    assert (orphan["kind"], orphan["arn"], orphan["usd_per_hour"], orphan["removed"]) == ("customization job", job, 45.0, True)
    house.until(lambda: house.bedrock.get_model_customization_job(jobIdentifier=job)["status"] == "Stopped")
    told = house.heard("orphaned")
    assert a_plan.run_id in told["Message"] and "$45.00 an hour: removed" in told["Message"]
    assert of(swept(monkeypatch), a_plan) == []


def test_a_job_whose_run_is_under_way_is_left_alone(house: Any, a_plan: Plan, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house.waiting_execution(a_plan.run_id)
    assert of(swept(monkeypatch), a_plan) == []
    house.states.stop_execution(executionArn=house.execution(a_plan.run_id)["executionArn"])
    assert len(of(swept(monkeypatch), a_plan)) == 1


def test_a_young_job_is_left_alone(house: Any, a_plan: Plan, job: str) -> None:
    assert of(list(sweep.handler({}, None)["orphans"]), a_plan) == []


def test_without_leave_to_remove_it_only_reports(house: Any, a_plan: Plan, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (orphan,) = of(swept(monkeypatch, remove=False), a_plan)
    assert orphan["removed"] is False
    assert a_plan.run_id in house.heard("STILL THERE")["Message"]
    assert house.bedrock.get_model_customization_job(jobIdentifier=job)["status"] == "InProgress"


@pytest.fixture
def model(house: Any, a_plan: Plan, problems: Callable[..., bytes]) -> str:
    """The model of the plan's run, whose execution is over."""
    stage(house, a_plan, problems(200))
    arn = start(a_plan)

    def made() -> str | None:
        job = house.bedrock.get_model_customization_job(jobIdentifier=arn)
        return job["outputModelArn"] if job["status"] == "Completed" else None

    return str(house.until(made, 60))


def test_a_deployment_nobody_points_at_is_deleted_and_the_released_one_stays(
    house: Any, a_plan: Plan, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = house.bedrock.create_custom_model_deployment(modelDeploymentName=a_plan.job_name, modelArn=model)
    deployment = made["customModelDeploymentArn"]
    pointer.write({"run_id": a_plan.run_id, "deployment_arn": deployment, "previous": None})
    assert of(swept(monkeypatch), a_plan) == []
    house.ssm.delete_parameter(Name=names.parameter("dev", names.PARAM_RELEASED_MODEL))
    (orphan,) = of(swept(monkeypatch), a_plan)
    assert (orphan["kind"], orphan["arn"], orphan["removed"], orphan["usd_per_hour"]) == ("deployment", deployment, True, None)
    left = house.bedrock.list_custom_model_deployments(nameContains=a_plan.job_name)["modelDeploymentSummaries"]
    assert left == []


def test_throughput_bought_for_a_runs_model_is_reported_with_its_price_and_left_to_people(
    house: Any, a_plan: Plan, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = house.bedrock.create_provisioned_model_throughput(modelUnits=2, provisionedModelName="by-hand", modelId=model)
    (orphan,) = of(swept(monkeypatch, provisioned_usd_per_unit_hour=20.5), a_plan)
    assert (orphan["kind"], orphan["usd_per_hour"], orphan["removed"]) == ("provisioned throughput", 41.0, False)
    house.bedrock.delete_provisioned_model_throughput(provisionedModelId=bought["provisionedModelArn"])
    assert of(swept(monkeypatch), a_plan) == []


def test_the_price_of_an_hour_follows_the_settings() -> None:
    prices = Prices(training_usd_per_million_tokens=10.0, training_tokens_per_second=1000.0)
    assert sweep.hourly_usd_of_a_job(prices) == 36.0
