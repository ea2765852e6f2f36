"""What was made beside the pipeline is found, told once with who made it, and stopped where settings say so."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.events import RunEvent
from contracts.run import Plan
from contracts.validation import plain
from pipeline import foreign, inspect_jobs, jobs, start_training, store

from local.bedrock import faults_client

MAKER = "arn:aws:iam::210987654321:role/rft-dev-pipeline-StartTraining"
DEPLOYER = "arn:aws:iam::210987654321:role/rft-dev-pipeline-DeployCandidate"
SECURITY = jobs.Security(role_arn="role", key_arn="key", subnets=("a", "b"), security_groups=("g",))

Start = Callable[..., str]


@pytest.fixture
def watched(house: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The house, with what the stack tells the inspecting function; jobs stand still and nothing is stopped."""
    monkeypatch.setenv(names.ENV_JOB_MAKER, MAKER)
    monkeypatch.setenv(names.ENV_DEPLOYMENT_MAKER, DEPLOYER)
    monkeypatch.setenv(names.ENV_STOP_FOREIGN_JOBS, "false")
    return house


@pytest.fixture
def start(watched: Any, a_plan: Plan) -> Start:
    """Starts a job as somebody beside the pipeline would; gives its ARN."""

    def begin(**changes: Any) -> str:
        name = f"beside-{uuid.uuid4().hex[:6]}"
        request = {**jobs.request(a_plan, start_training.security()), "jobName": name, "customModelName": name, "clientRequestToken": name}
        request.update(changes)
        faults_client.set_fault(watched.endpoint, "slow_start", seconds=60, job=request["jobName"])
        answer = watched.bedrock.create_model_customization_job(**{key: value for key, value in request.items() if value is not None})
        return str(answer["jobArn"])

    return begin


def called(action: str = foreign.JOB_CALL, by: str = "arn:aws:iam::210987654321:role/other", **detail: Any) -> dict[str, Any]:
    """CloudTrail's event as EventBridge sends it, made by a session of a role."""
    role = by.rpartition("/")[2]
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::210987654321:assumed-role/{role}/ada",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": by}},
    }
    whole = {"eventSource": "bedrock.amazonaws.com", "eventName": action, "eventTime": "2026-11-20T19:00:00Z", "userIdentity": identity}
    return {"source": "aws.bedrock", "detail-type": "AWS API Call via CloudTrail", "detail": {**whole, **detail}}


def changed(job_name: str) -> dict[str, Any]:
    return {"source": "aws.bedrock", "detail-type": "Model Customization Job State Change", "detail": {"jobName": job_name}}


def status(house: Any, arn: str) -> str:
    return str(house.bedrock.get_model_customization_job(jobIdentifier=arn)["status"])


def test_a_foreign_job_is_told_once_as_event_message_and_record(watched: Any, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    arn = start()
    first = inspect_jobs.handler(called(responseElements={"jobArn": arn}), None)
    (found,) = first["told"]
    assert found == f"customization-job-{arn.rpartition('/')[2]}"
    assert '"ForeignJobs":1' in capsys.readouterr().out

    event = watched.heard(RunEvent.FOREIGN_JOB_FOUND)
    message = watched.heard("made outside the pipeline")
    assert event["detail"]["who"] == "arn:aws:sts::210987654321:assumed-role/other/ada"
    for told in ("assumed-role/other/ada", arn, "2026-11-20T19:00:00Z", "no run of this pipeline planned", "revoke the role's sessions"):
        assert told in message["Message"]
    record = watched.read(watched.runs, names.foreign_key(found))
    assert record["arn"] == arn and record["environment"] == "dev"

    # Found again, on the schedule: counted while it runs, and told to nobody.
    again = inspect_jobs.handler({}, None)
    assert found in again["foreign"] and found not in again["told"]
    assert '"ForeignJobs":' in capsys.readouterr().out
    watched.bedrock.stop_model_customization_job(jobIdentifier=arn)
    assert status(watched, arn) in ("Stopping", "Stopped")


def test_who_made_it_is_told_when_it_becomes_known(watched: Any, start: Start) -> None:
    arn = start()
    name = watched.bedrock.get_model_customization_job(jobIdentifier=arn)["jobName"]
    (found,) = inspect_jobs.handler(changed(name), None)["told"]
    assert watched.read(watched.runs, names.foreign_key(found))["who"] == foreign.UNKNOWN
    call = called(responseElements={"jobArn": arn})
    assert inspect_jobs.handler(call, None)["told"] == [found]
    assert watched.read(watched.runs, names.foreign_key(found))["who"].endswith("assumed-role/other/ada")
    for later in (call, changed(name), {}):
        assert found not in inspect_jobs.handler(later, None)["told"]


def test_a_job_of_the_pipeline_is_not_foreign(watched: Any, a_plan: Plan) -> None:
    store.write_json(*store.record(a_plan.run_id, "plan.json"), plain(a_plan))
    faults_client.set_fault(watched.endpoint, "slow_start", seconds=60, job=a_plan.job_name)
    arn = start_training.handler({"plan": plain(a_plan), "approvals": {}}, None)["job_arn"]
    for event in (called(by=MAKER, responseElements={"jobArn": arn}), changed(a_plan.job_name)):
        assert inspect_jobs.handler(event, None) == {"looked_at": 1, "foreign": [], "told": [], "stopped": []}
    assert f"customization-job-{arn.rpartition('/')[2]}" not in inspect_jobs.handler({}, None)["foreign"]


def test_a_planned_job_that_somebody_else_started_is_foreign(watched: Any, a_plan: Plan) -> None:
    store.write_json(*store.record(a_plan.run_id, "plan.json"), plain(a_plan))
    faults_client.set_fault(watched.endpoint, "slow_start", seconds=60, job=a_plan.job_name)
    arn = start_training.handler({"plan": plain(a_plan), "approvals": {}}, None)["job_arn"]
    assert len(inspect_jobs.handler(called(responseElements={"jobArn": arn}), None)["foreign"]) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"roleArn": "arn:aws:iam::210987654321:role/function"}, "roleArn"),
        ({"vpcConfig": None}, "vpcConfig.subnetIds"),
        ({"outputDataConfig": {"s3Uri": "s3://elsewhere/"}}, "outputDataConfig"),
    ],
)
def test_a_job_that_borrows_a_runs_name_must_be_what_the_run_planned(
    watched: Any, start: Start, a_plan: Plan, changes: dict[str, Any], reason: str
) -> None:
    store.write_json(*store.record(a_plan.run_id, "plan.json"), plain(a_plan))
    if "outputDataConfig" in changes:
        watched.s3.create_bucket(Bucket="elsewhere")
    start(jobName=a_plan.job_name, customModelName=a_plan.job_name, **changes)
    (found,) = inspect_jobs.handler(changed(a_plan.job_name), None)["told"]
    assert any(reason in line for line in watched.read(watched.runs, names.foreign_key(found))["reasons"])


def test_a_plan_that_cannot_be_read_is_no_plan(watched: Any, start: Start, a_plan: Plan) -> None:
    store.write_json(*store.record(a_plan.run_id, "plan.json"), {"run_id": a_plan.run_id})
    start(jobName=a_plan.job_name, customModelName=a_plan.job_name)
    (found,) = inspect_jobs.handler(changed(a_plan.job_name), None)["told"]
    assert "cannot be read" in watched.read(watched.runs, names.foreign_key(found))["reasons"][0]


def test_a_job_is_stopped_only_where_settings_say_so(watched: Any, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = start()
    assert inspect_jobs.handler(called(responseElements={"jobArn": arn}), None)["stopped"] == []
    assert status(watched, arn) == "InProgress"
    # Turned on afterwards, the next look stops what was told before.
    monkeypatch.setenv(names.ENV_STOP_FOREIGN_JOBS, "true")
    stopped = inspect_jobs.handler({}, None)
    found = f"customization-job-{arn.rpartition('/')[2]}"
    assert found in stopped["stopped"] and found in stopped["told"], "who stops a job says so"
    record = watched.read(watched.runs, names.foreign_key(found))
    assert record["done"] == "the job was told to stop" and record["who"].endswith("assumed-role/other/ada")
    assert watched.until(lambda: status(watched, arn) == "Stopped")


def test_a_stop_that_is_refused_is_told_and_not_raised(watched: Any, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = start()
    monkeypatch.setenv(names.ENV_STOP_FOREIGN_JOBS, "true")
    faults_client.set_fault(watched.endpoint, "access_denied", operation="StopModelCustomizationJob", count=1)
    (found,) = inspect_jobs.handler(called(responseElements={"jobArn": arn}), None)["told"]
    assert watched.read(watched.runs, names.foreign_key(found))["done"] == "the job could not be stopped: AccessDeniedException"


@pytest.mark.parametrize("action", [name for name in foreign.CALLS if name != foreign.JOB_CALL])
def test_a_model_that_others_serve_or_bring_in_is_told(watched: Any, action: str) -> None:
    call, arn = foreign.CALLS[action], f"arn:aws:bedrock:us-east-1:210987654321:thing/{uuid.uuid4().hex[:12]}"
    given: dict[str, Any] = {"requestParameters": {call.name: "theirs"}, "responseElements": {call.arn: arn}}
    (found,) = inspect_jobs.handler(called(action, **given), None)["told"]
    record = watched.read(watched.runs, names.foreign_key(found))
    assert (record["name"], record["arn"], record["what"]) == ("theirs", arn, call.what)
    assert inspect_jobs.handler(called(action, **given), None)["told"] == []


def test_the_pipelines_own_deployment_is_not_told(watched: Any) -> None:
    event = called(foreign.DEPLOYMENT_CALL, by=DEPLOYER, responseElements={"customModelDeploymentArn": "arn:x/1"})
    assert inspect_jobs.handler(event, None)["foreign"] == []


@pytest.mark.parametrize(
    "event", [called(errorCode="AccessDenied"), called("GetModelCustomizationJob"), changed("no-such-job"), changed("")]
)
def test_what_made_nothing_is_not_told(watched: Any, event: dict[str, Any]) -> None:
    assert inspect_jobs.handler(event, None)["foreign"] == []


def test_a_foreign_jobs_differences_are_named_one_by_one() -> None:
    ours = {
        "roleArn": "role",
        "outputModelKmsKeyArn": "key",
        "vpcConfig": {"subnetIds": ["b", "a"], "securityGroupIds": ["g"]},
        "customizationConfig": {
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": "arn:aws:lambda:r:111122223333:function:reward:7"}}}
        },
    }
    assert foreign.job_reasons(ours, None, SECURITY, "reward") == ["no run of this pipeline planned the job"]
    assert len(foreign.job_reasons({}, None, SECURITY, "reward")) == 6
    unpinned = {"rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": "arn:aws:lambda:r:111122223333:function:reward:live"}}}}
    (_, reason) = foreign.job_reasons({**ours, "customizationConfig": unpinned}, None, SECURITY, "reward")
    assert "not a published version" in reason


@pytest.mark.parametrize("name", ["rft-prod-x", "rft-dev-", "rft-dev-../../records", "rft-dev-a--b", "x", f"rft-dev-{'a' * 49}"])
def test_a_name_that_no_run_can_have_claims_no_run(name: str) -> None:
    assert foreign.run_of(name, "dev") is None
    assert foreign.run_of("rft-dev-a-b", "dev") == "a-b"


def test_a_finding_is_an_objects_key_whatever_its_name() -> None:
    finding = foreign.Finding(what="custom model", name="../x y", arn="", action="a", who="w", when="t", reasons=())
    assert finding.id == "custom-model-x-y"
    assert attrs.evolve(finding, arn="arn:aws:bedrock:r:a:custom-model/base:0:256k/abc").id == "custom-model-abc"
