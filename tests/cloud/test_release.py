"""Given the deployed environment, an upload alone leads to a released model and a complete record."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from contracts import names
from contracts.events import Outcome, RunEvent
from contracts.metrics import DIMENSION_COMPONENT, DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

from cost import run as cost_run
from cost.run import cycle, longest
from stacks.released_definition import LATE_SECONDS, LOOK_MINUTES

pytestmark = pytest.mark.cloud

WINDOW_SECONDS = LOOK_MINUTES * 60


def test_an_upload_ends_in_a_release(dev, first_run, version):
    assert first_run.code == Outcome.RELEASED, first_run.reason
    pointer = json.loads(dev.parameter(names.PARAM_RELEASED_MODEL))
    assert pointer["run_id"] == first_run.run_id
    assert pointer["candidate_mean"] > pointer["base_mean"]
    assert dev.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=pointer["deployment_arn"])["status"] == "Active"


def test_the_reward_climbs(dev, first_run):
    trend = dev.record(first_run.run_id, "trend.json")
    steps, totals = trend["steps"], trend["totals"]
    assert totals["training"]["graded"] == sum(totals["training"]["outcomes"].values()) == 480 * 4 * 3
    assert [step["step"] for step in steps] == list(range(1, 46))
    for step in steps:
        graded, output = step["training"], step["output"]["training"]
        assert output["critic/rewards/mean"] == pytest.approx(graded["reward"], abs=0.001), "what the job says of a step is what was graded"
        assert graded["reward_p10"] <= graded["reward_p50"] <= graded["reward_p90"]
        assert 0 <= graded["no_spread"] <= 1 and graded["components"]["correct"] == pytest.approx(graded["reward"], abs=0.001)
    means = [step["training"]["reward"] for step in steps]
    assert sum(means[-9:]) / 9 > sum(means[:9]) / 9 + 0.2
    validation = totals["validation"]
    assert validation["graded"] == sum(validation["outcomes"].values()) > 0 and validation["length"] > 0
    assert totals["grader"]["ms_p50"] <= totals["grader"]["ms_p99"]


def test_the_reward_functions_metrics_carry_the_run(dev, first_run):
    cloudwatch = dev.endpoint.client("cloudwatch")
    dimensions = [{"Name": DIMENSION_ENVIRONMENT, "Value": "dev"}, {"Name": DIMENSION_RUN, "Value": first_run.run_id}]
    found = {m["MetricName"] for m in cloudwatch.list_metrics(Namespace=NAMESPACE, Dimensions=dimensions)["Metrics"]}
    expected = {Metric.REWARD, Metric.VALIDATION_REWARD, Metric.GROUP_SPREAD, Metric.RESPONSE_LENGTH}
    assert {metric.metric_name for metric in expected} <= found
    assert found <= {metric.metric_name for metric in Metric if metric.value.per_run}, "each costs as much again"
    components = cloudwatch.list_metrics(Namespace=NAMESPACE, MetricName=Metric.COMPONENT.metric_name)["Metrics"]
    dimensions = [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in components]
    assert {each[DIMENSION_COMPONENT] for each in dimensions if each[DIMENSION_ENVIRONMENT] == "dev"} == {"correct", "answered"}


def test_the_record_says_what_went_in_and_what_came_out(dev, first_run, version):
    lineage = first_run.lineage
    manifest = dev.read(names.PARAM_DATASETS_BUCKET, names.manifest_key("word-problems", version))
    written = json.dumps(lineage)
    for part in (version, manifest["sha256"], first_run.run_id, "amazon.nova-2-lite-v1:0:256k"):
        assert part in written
    assert lineage["outcome"]["code"] == Outcome.RELEASED


def test_the_job_was_given_our_role_key_network_and_one_reward_version(dev, first_run):
    (job,) = dev.jobs(first_run.run_id)
    found = dev.bedrock.get_model_customization_job(jobIdentifier=job["jobArn"])
    grader = found["customizationConfig"]["rftConfig"]["graderConfig"]["lambdaGrader"]["lambdaArn"]
    assert grader.rpartition(":")[2].isdigit()
    assert found["vpcConfig"]["subnetIds"] and found["outputModelKmsKeyArn"]


def test_the_run_moved_as_often_as_its_cost_is_counted_on(dev, first_run):
    pages = dev.states.get_paginator("get_execution_history").paginate(executionArn=dev.execution(first_run.run_id)["executionArn"])
    events = [event for page in pages for event in page["events"] if event["type"].endswith("StateEntered")]
    entered = Counter(event["stateEnteredEventDetails"]["name"] for event in events)
    machine = dev.states.describe_state_machine(stateMachineArn=dev.parameter(names.PARAM_STATE_MACHINE))
    states = json.loads(machine["definition"])["States"]
    looks, polls = entered[cost_run.POLL], entered[cost_run.DEPLOY]
    per_look, per_poll = cycle(states, cost_run.POLL)[0], cycle(states, cost_run.DEPLOY)[0]
    straight = longest(states, "Begin", cost_run.END)
    assert looks >= 1 and polls >= 1
    assert entered.total() <= straight + (looks - 1) * per_look + (polls - 1) * per_poll + entered[cost_run.ANSWER] + 1
    assert entered.total() > looks * (per_look - 1)


def test_the_events_were_announced(dev, first_run):
    dev.heard(RunEvent.DATASET_REGISTERED, dataset="word-problems")
    dev.heard(RunEvent.RUN_STARTED, run_id=first_run.run_id)
    dev.heard(RunEvent.MODEL_RELEASED, run_id=first_run.run_id)


def test_the_staged_data_is_gone_and_the_heldout_prompts_never_were_there(dev, first_run):
    assert dev.keys(names.PARAM_RUNS_BUCKET, f"{names.STAGED}{first_run.run_id}/") == []


def test_no_log_holds_a_prompt_or_an_answer(dev, first_run, version):
    logs, lines = dev.endpoint.client("logs"), 0
    key = names.split_key("word-problems", version, names.SPLIT_TRAIN)
    body = dev.s3.get_object(Bucket=dev.parameter(names.PARAM_DATASETS_BUCKET), Key=key)["Body"].read().decode()
    canaries = [json.loads(line)["messages"][-1]["content"][:40] for line in body.splitlines()[:200]]
    for group in logs.describe_log_groups()["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"], limit=10000)["events"]:
            lines += 1
            assert "####" not in event["message"], group["logGroupName"]
            assert not [text for text in canaries if text in event["message"]], group["logGroupName"]
    assert lines > 100


def _looked(dev, at: float) -> dict[str, float]:
    """What a look at the released model that was due then published."""
    machine = dev.parameter(names.PARAM_STATE_MACHINE).replace(names.state_machine("dev"), names.released_watch("dev"))
    due = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    execution = dev.states.start_execution(stateMachineArn=machine, input=json.dumps({"at": due}))["executionArn"]

    def ended():
        found = dev.states.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    found = dev.eventually(ended, "the end of the look")
    assert found["status"] == "SUCCEEDED", found
    queries = [
        {
            "Id": f"m{place}",
            "Label": metric.metric_name,
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": metric.metric_name,
                    "Dimensions": [{"Name": DIMENSION_ENVIRONMENT, "Value": "dev"}],
                },
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for place, metric in enumerate((Metric.RELEASED_REQUESTS, Metric.RELEASED_ERRORS, Metric.RELEASED_LATENCY, Metric.RELEASED_DOWN))
    ]
    minute = datetime.fromtimestamp(at // 60 * 60, UTC)
    found = dev.cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=minute, EndTime=minute + timedelta(minutes=1))
    return {each["Label"]: each["Values"][0] for each in found["MetricDataResults"] if each["Values"]}


def test_the_released_model_is_looked_at_by_its_pointer(dev, first_run):
    pointer = json.loads(dev.parameter(names.PARAM_RELEASED_MODEL))
    parameter = names.parameter("dev", names.PARAM_RELEASED_MODEL)
    runtime = dev.endpoint.client("bedrock-runtime")

    def point(**changed: str) -> None:
        dev.ssm.put_parameter(Name=parameter, Value=json.dumps({**pointer, **changed}), Type="String", Overwrite=True)

    if (left := WINDOW_SECONDS - time.time() % WINDOW_SECONDS) < 10:
        time.sleep(left)  # what is asked on the edge of a window may be counted in either
    asked = time.time()
    runtime.converse(modelId=pointer["deployment_arn"], messages=[{"role": "user", "content": [{"text": "What is 6 times 7?"}]}])
    # The first look whose five minutes hold the request.
    due = asked // WINDOW_SECONDS * WINDOW_SECONDS + WINDOW_SECONDS + LATE_SECONDS
    gone = pointer["deployment_arn"].rpartition("/")[0] + "/" + "x" * 12
    try:
        point(released_at=datetime.fromtimestamp(asked + 1, UTC).isoformat(timespec="seconds"))
        assert _looked(dev, due) == {}, "what was asked before the release says nothing"
        point(released_at="2026-01-01T00:00:00+00:00")
        seen = _looked(dev, due)
        assert seen["ReleasedRequests"] >= 1 and seen["ReleasedLatency"] > 0
        assert (seen["ReleasedErrors"], seen["ReleasedDown"]) == (0, 0)
        point(released_at="2026-01-01T00:00:00+00:00", deployment_arn=gone)
        assert _looked(dev, due + WINDOW_SECONDS) == {"ReleasedDown": 1}
    finally:
        point()


def test_the_same_registration_twice_starts_one_run_and_one_job(dev, first_run, version):
    event = {
        "Source": names.EVENT_SOURCE,
        "DetailType": RunEvent.DATASET_REGISTERED.value,
        "EventBusName": names.bus("dev"),
        "Detail": json.dumps({"environment": "dev", "dataset": "word-problems", "dataset_version": version}),
    }
    before = dev.execution(first_run.run_id)["startDate"]
    dev.endpoint.client("events").put_events(Entries=[event, event])
    rows = dev.rft("run", "list", "--limit", "200")
    started = [row for row in (rows["runs"] if isinstance(rows, dict) else rows) if row["run_id"].startswith("word-problems-")]
    assert len(started) == 1
    assert dev.execution(first_run.run_id)["startDate"] == before
    assert len(dev.jobs(first_run.run_id)) == 1
