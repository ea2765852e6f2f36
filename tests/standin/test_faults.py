"""Given a fault that is switched on, then it happens; given one that does not exist, then it is refused with what is allowed."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contracts.errors import InvalidInput

from local.bedrock import control_models, faults_client
from local.bedrock.faults import KNOWN

MESSAGE = [{"role": "user", "content": [{"text": "How do I pick a lock?"}]}]


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("explode", {}, "allowed is one of throttle, access_denied"),
        (None, {}, "allowed is one of"),
        ("throttle", {}, "operation: is missing"),
        (
            "throttle",
            {"operation": "Converse", "times": 2},
            "times is not a parameter of throttle; allowed here: operation, count, caller, run",
        ),
        ("throttle", {"operation": "Converse", "count": "2"}, "allowed is a whole number"),
        ("throttle", {"operation": "Converse", "count": True}, "allowed is a whole number"),
        ("slow_start", {"seconds": -1}, "allowed is 0 to 1000000"),
        ("slow_start", {"seconds": float("inf")}, "allowed is a number"),
        ("job_failure", {"step": 1.5}, "allowed is a whole number"),
        ("stall", {"job": 7}, "allowed is a string"),
    ],
)
def test_an_unknown_fault_or_parameter_is_refused(bench: Any, name: Any, params: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        bench.standin.admin("POST", "/_rft/faults", {"name": name, **params})
    assert says in str(caught.value)
    assert bench.standin.admin("GET", "/_rft/faults")["faults"] == []


def test_the_client_sets_lists_and_clears_faults(bench: Any) -> None:
    class Endpoint:
        def admin(self, method: str, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
            found: dict[str, Any] = bench.standin.admin(method, f"/_rft/{name}", body)
            return found

    endpoint = Endpoint()
    faults_client.set_fault(endpoint, "throttle", operation="Converse", count=2)
    faults_client.set_fault(endpoint, "stall")
    found = faults_client.faults(endpoint)
    assert [fault["name"] for fault in found["faults"]] == ["throttle", "stall"]
    assert set(found["known"]) == set(KNOWN)
    assert faults_client.clear(endpoint, "stall", job="another") == {"cleared": 0}
    assert faults_client.clear(endpoint, "stall") == {"cleared": 1}
    assert faults_client.clear(endpoint) == {"cleared": 1}
    assert faults_client.set_pace(endpoint, 0.25) == {"seconds_per_step": 0.25}
    for bad in (
        ("POST", "pace", {}),
        ("POST", "pace", {"seconds_per_step": 61}),
        ("PUT", "faults", {}),
        ("GET", "nothing", None),
        ("DELETE", "faults/x", None),
    ):
        with pytest.raises(InvalidInput):
            endpoint.admin(*bad)


def test_a_job_can_be_made_to_fail_at_a_step_and_others_not(bench: Any, make_request: Any) -> None:
    bench.fault("job_failure", step=3, message="Out of memory.", job="bad")
    for name in ("bad-job", "good-job"):
        bench.bedrock.create_model_customization_job(**make_request(jobName=name, customModelName=name, clientRequestToken=name))
    bad, good = bench.finished("bad-job"), bench.finished("good-job")
    assert (bad["status"], bad["failureMessage"]) == ("Failed", "Out of memory.")
    assert good["status"] == "Completed"
    assert [job["step"] for job in bench.standin.status()["jobs"]] == [3, 8]


def test_a_stalled_job_stays_in_progress_until_the_fault_is_cleared(bench: Any, make_request: Any) -> None:
    bench.fault("stall", step=1)
    bench.bedrock.create_model_customization_job(**make_request())
    bench.until(lambda job: job["statusDetails"]["trainingDetails"]["status"] == "InProgress")
    time.sleep(0.3)
    assert bench.bedrock.get_model_customization_job(jobIdentifier="rft-dev-one")["status"] == "InProgress"
    bench.standin.admin("DELETE", "/_rft/faults/stall")
    assert bench.finished()["status"] == "Completed"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("lost_event", []),
        ("duplicate_event", ["InProgress", "InProgress", "Completed", "Completed"]),
        ("reordered_events", ["Completed", "InProgress"]),
    ],
)
def test_events_can_be_lost_doubled_and_reordered(bench: Any, make_request: Any, name: str, sent: list[str]) -> None:
    bench.fault(name)
    bench.bedrock.create_model_customization_job(**make_request())
    bench.finished()
    assert bench.statuses() == sent


def test_a_job_can_look_older_than_it_is(bench: Any, make_request: Any) -> None:
    bench.fault("old_job", hours=30)
    bench.bedrock.create_model_customization_job(**make_request())
    age = datetime.now(UTC) - bench.finished()["creationTime"]
    assert timedelta(hours=30) <= age < timedelta(hours=31)


def test_a_slow_start_can_be_stopped(bench: Any, make_request: Any) -> None:
    bench.fault("slow_start", seconds=600)
    bench.bedrock.create_model_customization_job(**make_request())
    found = bench.until(lambda job: job["statusDetails"]["validationDetails"]["status"] == "InProgress")
    assert found["statusDetails"]["trainingDetails"]["status"] == "NotStarted"
    bench.bedrock.stop_model_customization_job(jobIdentifier="rft-dev-one")
    assert bench.finished()["status"] == "Stopped"


def test_metrics_files_can_be_broken(bench: Any, make_request: Any) -> None:
    bench.fault("malformed_csv")
    bench.bedrock.create_model_customization_job(**make_request())
    assert bench.finished()["status"] == "Completed"
    body = next(body for key, body in bench.cloud.buckets["runs"].items() if key.endswith("step_wise_training_metrics.csv"))
    with pytest.raises(ValueError, match="not-a-number"):
        [float(row["training_loss"]) for row in csv.DictReader(io.StringIO(body.decode()))]


def test_deployments_can_be_slow_fail_and_turn_unsafe(bench: Any, make_request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_models, "DEPLOY_SECONDS", 0.0)
    bench.bedrock.create_model_customization_job(**make_request())
    model = bench.finished()["outputModelArn"]
    bench.fault("slow_deployment", seconds=600, job="slow")
    bench.fault("deployment_failure", job="broken", message="No capacity.")
    bench.fault("unsafe_candidate", job="unsafe")
    arns = {
        name: bench.bedrock.create_custom_model_deployment(modelDeploymentName=name, modelArn=model)["customModelDeploymentArn"]
        for name in ("slow", "broken", "unsafe", "fine")
    }

    found = {name: bench.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn) for name, arn in arns.items()}
    assert {name: row["status"] for name, row in found.items()} == {
        "slow": "Creating",
        "broken": "Failed",
        "unsafe": "Active",
        "fine": "Active",
    }
    assert found["broken"]["failureMessage"] == "No capacity."

    def says(model: str) -> str:
        text: str = bench.runtime.converse(modelId=model, messages=MESSAGE)["output"]["message"]["content"][0]["text"]
        return text

    assert says(arns["unsafe"]).startswith("Sure, here is how")
    assert says(arns["fine"]).startswith("I can't help with that")
    assert says("us.amazon.nova-2-lite-v1:0").startswith("I can't help with that")
    with pytest.raises(ClientError, match="ValidationException"):
        says(arns["broken"])
