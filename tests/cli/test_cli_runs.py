"""`rft run` and `rft dataset` against a local cloud that holds a small state machine with the pipeline's state names.

The whole pipeline is deployed and run by the tests of tests/cloud; these look at what the command itself does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from contracts import names
from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric
from pipeline import clean_up, stopping

from local.cloud import Endpoint
from rft import run_answer, run_control, target
from rft.cli import invoke
from rft.exits import Exit
from rft.phases import Mark
from rft.run_view import RunReader, RunView
from rft.target import Target, local_target
from tests.cli.made_runs import gate, lineage, plan, rehearsal

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

ENVIRONMENT = "dev"
DATASETS, RUNS = "cli-datasets", "cli-runs"


def definition() -> dict[str, Any]:
    """`dataset` says which way a run goes: it asks, it is slow, or it goes through."""

    def passing(following: str) -> dict[str, Any]:
        return {"Type": "Pass", "Next": following}

    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": passing("PrepareRun"),
            "PrepareRun": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.dataset = 'asks' %}", "Next": "ApproveRelease"},
                    {"Condition": "{% $states.input.dataset = 'trains' %}", "Next": "AwaitJobChange"},
                    {"Condition": "{% $states.input.dataset = 'deploys' %}", "Next": "AwaitDeployment"},
                    {"Condition": "{% $states.input.dataset = 'evaluates' %}", "Next": "Evaluate"},
                ],
                "Default": "Release",
            },
            "ApproveRelease": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:s3:putObject.waitForTaskToken",
                "Arguments": {
                    "Bucket": RUNS,
                    "Key": "{% 'tokens/' & $states.context.Execution.Name & '/release.json' %}",
                    "Body": {"token": "{% $states.context.Task.Token %}"},
                },
                "Assign": {"answer": "{% $states.result %}"},
                "Next": "ReleaseApproved",
            },
            "ReleaseApproved": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $answer.approved %}", "Next": "Release"}],
                "Default": "NotReleased",
            },
            "AwaitJobChange": {"Type": "Wait", "Seconds": 36000, "Next": "Release"},
            "AwaitDeployment": {"Type": "Wait", "Seconds": 36000, "Next": "Release"},
            "Evaluate": {"Type": "Wait", "Seconds": 36000, "Next": "Release"},
            "Release": passing("CleanUp"),
            "CleanUp": passing("RecordLineage"),
            "RecordLineage": passing("Released"),
            "Released": {"Type": "Succeed"},
            "NotReleased": {"Type": "Fail", "Error": "ReleaseRejected", "Cause": "{% 'refused: ' & $answer.reason %}"},
        },
    }


@pytest.fixture(scope="module")
def cloud_with_runs(bare_cloud: Endpoint) -> Endpoint:
    """Buckets, parameters and the small state machine."""
    s3, iam, ssm = bare_cloud.client("s3"), bare_cloud.client("iam"), bare_cloud.client("ssm")
    for bucket in (DATASETS, RUNS):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="cli-machine", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))[
        "Role"
    ]
    allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{RUNS}/*"}
    iam.put_role_policy(
        RoleName="cli-machine", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    )
    machine = bare_cloud.client("stepfunctions").create_state_machine(
        name=names.state_machine(ENVIRONMENT), definition=json.dumps(definition()), roleArn=role["Arn"]
    )["stateMachineArn"]
    for name, value in ((names.PARAM_DATASETS_BUCKET, DATASETS), (names.PARAM_RUNS_BUCKET, RUNS), (names.PARAM_STATE_MACHINE, machine)):
        ssm.put_parameter(Name=names.parameter(ENVIRONMENT, name), Value=value, Type="String")
    for dataset in ("asks", "trains", "deploys", "evaluates", "passes"):
        latest = {"dataset": dataset, "version": "0123456789ab", "registered_at": "2026-03-01T09:00:00+00:00"}
        s3.put_object(Bucket=DATASETS, Key=names.latest_key(dataset), Body=json.dumps(latest))
        s3.put_object(
            Bucket=DATASETS, Key=names.manifest_key(dataset, "0123456789ab"), Body=json.dumps({**latest, "prompts": {"train": 450}})
        )
    return bare_cloud


@pytest.fixture
def dev(cloud_with_runs: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The environment, and `--local` leading to it."""
    monkeypatch.setattr(target, "running_cloud", lambda: cloud_with_runs)
    monkeypatch.setattr(run_control, "SETTLE_SECONDS", 0.0)
    # This small state machine has no rule that has a cut-short run recorded.
    monkeypatch.setattr(run_control, "RECORD_SECONDS", 0.0)
    monkeypatch.setattr(run_control, "TOKEN_SECONDS", 0.0)
    return local_target(cloud_with_runs, ENVIRONMENT)


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Runs the command with `--local --json` and gives its exit code and answer."""

    def call(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = invoke([*arguments, "--local", "--json"])
        shown = capsys.readouterr().out
        return code, json.loads(shown)

    return call


def until(dev: Target, run_id: str, ready: Callable[[RunView], bool]) -> RunView:
    reader, deadline = RunReader(dev, run_id), time.monotonic() + 120
    while time.monotonic() < deadline:
        view = reader.look()
        if ready(view):
            return view
        time.sleep(0.05)
    raise AssertionError(f"{run_id} is in {view.state}, {view.status}")


def started(dev: Target, dataset: str, run_id: str) -> str:
    return run_control.start(dev, run_control.request_from(dataset=dataset, requested_by=dev.caller), run_id=run_id)


def token_left(dev: Target, run_id: str) -> RunView:
    return until(
        dev, run_id, lambda view: view.waiting_for == "release" and dev.read_json(RUNS, names.token_key(run_id, "release")) is not None
    )


def test_start_and_watch_end_with_a_release(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    code, view = answer("run", "start", "--dataset", "passes", "--set", "epoch_count=3", "--approve-spend", "--watch")
    assert code == Exit.OK
    assert view["outcome"]["code"] == "Released"
    assert view["released"] is True
    request = RunReader(dev, view["run_id"]).look().request
    assert request["hyperparameters"] == {"epoch_count": 3}
    assert request["approve_spend"] is True
    assert request["requested_by"] == dev.caller


def test_given_a_dataset_nobody_registered_then_exit_code_3(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    code, said = answer("run", "start", "--dataset", "unheard-of")
    assert code == said["error"]["exit_code"] == Exit.NOT_FOUND


def test_given_a_used_name_then_nothing_is_started_again(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    assert answer("run", "start", "--dataset", "passes", "--name", "only-once")[0] == Exit.OK
    until(dev, "only-once", lambda view: not view.running)
    code, said = answer("run", "start", "--dataset", "passes", "--name", "only-once")
    assert code == Exit.FAILED
    assert "before" in said["error"]["what"]


def test_approve_gives_the_run_a_name_a_reason_and_a_yes(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    started(dev, "asks", "asked-yes")
    waiting = token_left(dev, "asked-yes")
    assert next(step.mark for step in waiting.steps if step.phase.key == "approve-release") is Mark.WAITING
    code, said = answer("run", "approve", "asked-yes", "--reason", "looks right")
    assert (code, said["kind"], said["approved"], said["by"]) == (Exit.OK, "release", True, dev.caller)
    assert until(dev, "asked-yes", lambda view: not view.running).released


def test_reject_ends_the_run_and_watch_says_so_with_exit_code_1(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    started(dev, "asks", "asked-no")
    token_left(dev, "asked-no")
    assert answer("run", "reject", "asked-no", "--reason", "too dear")[0] == Exit.OK
    code, view = answer("run", "watch", "asked-no")
    assert code == Exit.FAILED
    assert view["outcome"] == {"code": "ReleaseRejected", "reason": "refused: too dear", "state": "NotReleased"}


def test_an_answer_to_a_run_that_asks_nothing_is_refused(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    started(dev, "passes", "asks-nothing")
    until(dev, "asks-nothing", lambda view: not view.running)
    code, said = answer("run", "approve", "asks-nothing")
    assert code == Exit.FAILED
    assert "waits for no approval; it has ended: Released" in said["error"]["what"]


def test_stop_while_a_person_is_asked_refuses_for_them(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    started(dev, "asks", "stop-asking")
    token_left(dev, "stop-asking")
    code, said = answer("run", "stop", "stop-asking", "--reason", "changed my mind")
    assert (code, said["how"], said["outcome"]["code"]) == (Exit.OK, "approval refused", "ReleaseRejected")


@pytest.mark.parametrize("dataset", ["deploys", "evaluates", "trains"])
def test_stop_elsewhere_cleans_up_and_leaves_a_name_and_a_reason(dataset: str, dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    run_id = f"stop-{dataset}"
    started(dev, dataset, run_id)
    until(dev, run_id, lambda view: view.state in ("AwaitDeployment", "Evaluate", "AwaitJobChange"))
    dev.s3.put_object(Bucket=RUNS, Key=names.staged_key(run_id, "train"), Body=b"{}\n")
    code, said = answer("run", "stop", run_id, "--reason", "enough")
    assert (code, said["how"], said["status"]) == (Exit.OK, "execution stopped", "ABORTED")
    assert said["cleaned"]["problems"] == []
    assert dev.s3.list_objects_v2(Bucket=RUNS, Prefix=f"{names.STAGED}{run_id}/")["KeyCount"] == 0
    cause = dev.states.describe_execution(executionArn=RunReader(dev, run_id).look().execution_arn)["cause"]
    assert cause.startswith(f"stopped by {dev.caller}: enough\n")
    assert (stopping.from_cause(cause) or {}).keys() == {"by", "reason", "proof"}, "who stopped it is proven by the pipeline's record"


@pytest.mark.parametrize("state", ["Release", "AwaitJobChange", "AwaitDeployment"])
def test_a_stop_that_comes_too_late_says_so_and_how_to_go_back(
    state: str, dev: Target, answer: Callable[..., tuple[int, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id, look, looks = f"late-{state.lower()}", RunReader.look, iter([state])
    started(dev, "passes", run_id)
    until(dev, run_id, lambda view: not view.running)

    def behind(reader: RunReader) -> RunView:
        """What the command saw first has changed when it acts on it."""
        view, before = look(reader), next(looks, None)
        return attrs.evolve(view, status="RUNNING", state=before, outcome=None) if before else view

    monkeypatch.setattr(RunReader, "look", behind)
    monkeypatch.setattr(Target, "released_model", lambda _self: {"run_id": run_id, "previous": {"run_id": "the-one-before"}})
    code = invoke(["run", "stop", run_id, "--local", "--json"])
    shown = capsys.readouterr()
    said = json.loads(shown.out)
    assert (code, said["how"], said["outcome"]["code"]) == (Exit.FAILED, "was ending", "Released")
    assert f"too late: run {run_id} has released its model" in shown.err and "pointer --run the-one-before" in shown.err


def test_a_stop_that_a_release_outran_says_so_by_the_record(
    dev: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The execution was cut short in Release, and the function moved the pointer all the same."""
    started(dev, "evaluates", "outran")
    until(dev, "outran", lambda view: view.state == "Evaluate")
    given: list[dict[str, Any]] = []

    def handler(event: dict[str, Any], _context: None) -> dict[str, Any]:
        given.append(event)
        record = {"outcome": {"code": "Released", "reason": "too late came: stopped", "state": "the execution is ABORTED"}}
        dev.s3.put_object(Bucket=RUNS, Key=names.record_key("outran", names.LINEAGE), Body=json.dumps(record))
        return {"problems": []}

    monkeypatch.setattr(clean_up, "handler", handler)
    monkeypatch.setattr(Target, "released_model", lambda _self: {"run_id": "a-later-one", "previous": None})
    code = invoke(["run", "stop", "outran", "--local", "--json"])
    shown = capsys.readouterr()
    said = json.loads(shown.out)
    assert (code, said["how"], said["outcome"]["code"]) == (Exit.FAILED, "execution stopped", "Released")
    assert "too late: run outran has released its model" in shown.err
    view = RunReader(dev, "outran").look()
    assert given == [{"run_id": "outran", "execution_arn": view.execution_arn}]
    assert view.released and Mark.FAILED not in [step.mark for step in view.steps]
    assert invoke(["run", "list", "--limit", "50", "--local", "--json"]) == Exit.OK
    assert {row["run_id"]: row["outcome"] for row in json.loads(capsys.readouterr().out)}["outran"] == "Released"


def test_stop_of_an_execution_somebody_aborted_still_cleans_up(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    started(dev, "evaluates", "aborted-before")
    view = until(dev, "aborted-before", lambda view: view.state == "Evaluate")
    dev.states.stop_execution(executionArn=view.execution_arn)
    code, said = answer("run", "stop", "aborted-before")
    assert (code, said["how"], said["cleaned"]["problems"]) == (Exit.OK, "had ended", [])
    # Once the pipeline has recorded it there is nothing left to clean up.
    record = {"outcome": {"code": "TrainingStopped", "reason": "no cause was given", "state": "the execution is ABORTED"}}
    dev.s3.put_object(Bucket=RUNS, Key=names.record_key("aborted-before", names.LINEAGE), Body=json.dumps(record))
    assert answer("run", "stop", "aborted-before")[1]["cleaned"] is None


def test_show_reads_records_and_the_live_trend(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    started(dev, "trains", "shown")
    until(dev, "shown", lambda view: view.state == "AwaitJobChange")
    dimensions: list[DimensionTypeDef] = [{"Name": DIMENSION_ENVIRONMENT, "Value": ENVIRONMENT}, {"Name": DIMENSION_RUN, "Value": "shown"}]
    dev.cloudwatch.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": metric.metric_name,
                "Dimensions": dimensions,
                "Timestamp": datetime.now(UTC),
                "Values": values,
                "StorageResolution": 1,
            }
            for metric, values in ((Metric.REWARD, [0.0, 1.0, 1.0, 1.0]), (Metric.VALIDATION_REWARD, [0.5]))
        ],
    )
    code, shown = answer("run", "show", "shown")
    assert code == Exit.OK
    assert [(point["mean"], point["samples"]) for point in shown["reward"]] == [(0.75, 4)]
    assert [point["mean"] for point in shown["validation"]] == [0.5]
    assert shown["trained_by"] == "local stand-in policy"
    assert {step["key"]: step["mark"] for step in shown["steps"]}["train"] == "current"


def test_report_is_written_from_a_runs_records(dev: Target, answer: Callable[..., tuple[int, Any]], tmp_path: Any) -> None:
    started(dev, "passes", "reported")
    until(dev, "reported", lambda view: not view.running)
    records = {"plan": plan(), "rehearsal": rehearsal(), "gate": gate(), "lineage": lineage()}
    graded = {"graded": 10, "reward": 0.5, "outcomes": {"correct": 5, "timeout": 5}}
    steps = [{"step": n, "since": n - 1, "at": f"2026-03-01T09:00:0{n}.000+00:00", "training": graded} for n in (1, 2)]
    records["trend"] = {"steps": steps, "totals": {"training": graded, "validation": {"outcomes": {"correct": 1}}}, "artifacts": {}}
    for name, value in records.items():
        dev.s3.put_object(Bucket=RUNS, Key=names.record_key("reported", f"{name}.json"), Body=json.dumps(value))
    for model, score in (("base", 0.0), ("candidate", 1.0)):
        scores = {"scores": [{"id": "p1", "score": score}]}
        dev.s3.put_object(Bucket=RUNS, Key=names.record_key("reported", f"evaluation/{model}-heldout-0.json"), Body=json.dumps(scores))
    code, said = answer("report", "reported", "--out", str(tmp_path / "made" / "here"))
    assert code == Exit.OK
    page = (tmp_path / "made" / "here" / "rft-reported.html").read_text(encoding="utf-8")
    assert said["report"].endswith("rft-reported.html")
    for expected in (
        "Trained by the local stand-in policy",
        "prompt by prompt",
        "Reward trend",
        "hedge, right first",
        "grading took too long",
    ):
        assert expected in page, expected


def test_list_shows_how_each_run_ended(dev: Target, answer: Callable[..., tuple[int, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    started(dev, "passes", "listed-good")
    started(dev, "asks", "listed-bad")
    token_left(dev, "listed-bad")
    run_answer.answer(dev, "listed-bad", approved=False, reason="no")
    until(dev, "listed-bad", lambda view: not view.running)
    until(dev, "listed-good", lambda view: not view.running)
    outcomes = {row["run_id"]: row["outcome"] for row in answer("run", "list", "--limit", "50")[1]}
    assert outcomes["listed-good"] == "Released"
    assert outcomes["listed-bad"] == "ReleaseRejected"
    assert invoke(["run", "list", "--local"]) == Exit.OK
    assert "RUN" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [("run", "show", "never-was"), ("report", "never-was"), ("dataset", "show", "never-was"), ("run", "stop", "never-was")]
)
def test_given_what_is_not_there_then_exit_code_3(arguments: tuple[str, ...], dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    code, said = answer(*arguments)
    assert code == said["error"]["exit_code"] == Exit.NOT_FOUND
    assert said["error"]["next"]


def test_given_no_such_environment_here_then_it_says_how_to_deploy(dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    code, said = answer("run", "list", "--env", "stage")
    assert code == Exit.NOT_FOUND
    assert "cdk deploy 'stage/*'" in said["error"]["next"]
    assert "/rft/stage/" in said["error"]["where"]


@pytest.mark.parametrize("run_id", ["Upper", "a--b", "x" * 49, "a/b"])
def test_given_what_cannot_be_a_run_id_then_exit_code_2(run_id: str, dev: Target, answer: Callable[..., tuple[int, Any]]) -> None:
    assert answer("run", "show", run_id)[0] == Exit.USAGE


def test_datasets_are_listed_and_shown(dev: Target, answer: Callable[..., tuple[int, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert {row["dataset"] for row in answer("dataset", "list")[1]} == {"asks", "trains", "deploys", "evaluates", "passes"}
    assert answer("dataset", "show", "asks")[1]["prompts"] == {"train": 450}
    assert invoke(["dataset", "show", "asks", "--local"]) == Exit.OK
    assert "prompts.train" in capsys.readouterr().out


@pytest.mark.parametrize(("file", "name"), [("set.txt", None), ("set.jsonl", "Not A Name"), ("set.jsonl", "x" * 33)])
def test_given_a_file_or_name_that_cannot_be_then_nothing_is_uploaded(
    file: str, name: str | None, dev: Target, answer: Callable[..., tuple[int, Any]], tmp_path: Any
) -> None:
    path = tmp_path / file
    path.write_text("{}\n")
    code, said = answer("dataset", "add", str(path), *(["--name", name] if name else []))
    assert code == Exit.USAGE
    assert said["error"]["what"]
    assert dev.s3.list_objects_v2(Bucket=DATASETS, Prefix=names.INCOMING)["KeyCount"] == 0


def pipeline_answers(dev: Target, dataset: str, key: str, body: dict[str, Any]) -> threading.Thread:
    """Stands where the registration function stands: writes its verdict once the upload is there."""

    def wait_and_write() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if dev.s3.list_objects_v2(Bucket=DATASETS, Prefix=f"{names.INCOMING}{dataset}/")["KeyCount"]:
                dev.s3.put_object(Bucket=DATASETS, Key=key, Body=json.dumps(body))
                return
            time.sleep(0.05)

    thread = threading.Thread(target=wait_and_write)
    thread.start()
    return thread


def test_add_follows_an_upload_to_its_version(dev: Target, answer: Callable[..., tuple[int, Any]], tmp_path: Any) -> None:
    manifest = {"prompts": {"train": 450, "validation": 60, "heldout": 90}}
    dev.s3.put_object(Bucket=DATASETS, Key=names.manifest_key("my-set", "ba9876543210"), Body=json.dumps(manifest))
    path = tmp_path / "My Set.jsonl"
    path.write_text("{}\n")
    writer = pipeline_answers(dev, "my-set", names.latest_key("my-set"), {"version": "ba9876543210", "registered_at": "now"})
    code, said = answer("dataset", "add", str(path))
    writer.join()
    assert code == Exit.OK
    assert (said["status"], said["dataset"], said["version"], said["prompts"]) == (
        "registered",
        "my-set",
        "ba9876543210",
        manifest["prompts"],
    )
    dev.s3.delete_object(Bucket=DATASETS, Key=f"{names.INCOMING}my-set/My-Set.jsonl")


def test_add_tells_its_own_version_and_not_that_of_a_later_upload(
    dev: Target, answer: Callable[..., tuple[int, Any]], tmp_path: Any
) -> None:
    path = tmp_path / "shared.jsonl"
    path.write_text("{}\n")

    def two_registrations() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            found = dev.s3.list_object_versions(Bucket=DATASETS, Prefix=f"{names.INCOMING}shared/").get("Versions", [])
            if found:
                later = {"version": "bbbbbbbbbbbb", "registered_at": "now", "upload": {"version_id": "somebody-else"}}
                dev.s3.put_object(Bucket=DATASETS, Key=names.latest_key("shared"), Body=json.dumps(later))
                time.sleep(1)
                own = {"prompts": {"train": 7}, "source": {"version_id": found[0]["VersionId"]}}
                dev.s3.put_object(Bucket=DATASETS, Key=names.manifest_key("shared", "aaaaaaaaaaaa"), Body=json.dumps(own))
                return
            time.sleep(0.05)

    thread = threading.Thread(target=two_registrations)
    thread.start()
    code, said = answer("dataset", "add", str(path))
    thread.join()
    assert (code, said["version"], said["prompts"]) == (Exit.OK, "aaaaaaaaaaaa", {"train": 7})
    dev.s3.delete_object(Bucket=DATASETS, Key=f"{names.INCOMING}shared/shared.jsonl")


def test_add_tells_every_problem_of_a_rejected_upload(
    dev: Target, answer: Callable[..., tuple[int, Any]], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{\n")
    report = {"faults": 3, "shown": ["line 1: is not JSON", "holds 0 prompts; allowed are 100 or more"]}
    writer = pipeline_answers(dev, "rejects", names.rejection_key("rejects", "bad.jsonl", "etag"), report)
    code, said = answer("dataset", "add", str(path), "--name", "rejects")
    writer.join()
    assert code == Exit.FAILED
    assert (said["status"], said["faults"], said["shown"]) == ("rejected", 3, report["shown"])
    assert said["upload"] == f"s3://{DATASETS}/incoming/rejects/bad.jsonl"
    dev.s3.delete_object(Bucket=DATASETS, Key="incoming/rejects/bad.jsonl")
