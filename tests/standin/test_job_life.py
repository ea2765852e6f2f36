"""Given a job, when it runs, then it lives as the service's jobs do."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_job_runs_through_its_phases_and_ends_with_a_model(bench: Any, make_request: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request())["jobArn"]

    job = bench.finished(arn)

    assert job["status"] == "Completed", job.get("failureMessage")
    assert {phase["status"] for phase in job["statusDetails"].values()} == {"Completed"}
    assert arn.rpartition("/")[0].endswith("model-customization-job/amazon.nova-2-lite-v1:0:256k")
    model = bench.bedrock.get_custom_model(modelIdentifier=job["outputModelArn"])
    assert (model["jobArn"], model["modelStatus"]) == (arn, "Active")
    assert job["endTime"] >= job["creationTime"]


def test_the_mean_reward_rises_with_a_reward_for_right_answers(bench: Any, make_request: Any) -> None:
    config = make_request()["customizationConfig"]
    config["rftConfig"]["hyperParameters"]["epochCount"] = 12
    bench.bedrock.create_model_customization_job(**make_request(customizationConfig=config))
    bench.finished()

    rows = training_rows(bench)

    assert len(rows) == 48
    first, last = mean_reward(rows[:4]), mean_reward(rows[-4:])
    assert 0.25 < first < 0.55
    assert 0.82 < last < 0.97


def test_artifacts_lie_in_the_output_prefix_after_the_write_probe(bench: Any, make_request: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request())["jobArn"]
    bench.finished()

    folder = f"output/one/model-customization-job-{arn[-12:]}/"
    assert set(bench.cloud.buckets["runs"]) == {
        "output/one/.write_access_check_file.tmp",
        f"{folder}training_artifacts/step_wise_training_metrics.csv",
        f"{folder}validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv",
        f"{folder}local_stand_in.txt",
    }
    assert all(as_role for action, as_role in bench.cloud.s3_calls if action == "PutObject")
    rows = training_rows(bench)
    assert [row["step_number"] for row in rows] == [str(step) for step in range(8)]
    assert [row["epoch_number"] for row in rows] == ["0"] * 4 + ["1"] * 4
    validation = csv_rows(bench, "validation_metrics.csv")
    assert [row["step_number"] for row in validation] == ["4", "7"]
    assert all(0 <= float(row["val-score/rewards/mean@1"]) <= 1 for row in validation)


def test_the_reward_function_gets_the_documented_batch(bench: Any, make_request: Any) -> None:
    bench.bedrock.create_model_customization_job(**make_request())
    bench.finished()

    events = bench.cloud.reward_events
    assert max(len(event) for event in events) == 64
    sample = events[0][0]
    assert set(sample) == {"id", "messages", "metadata"}
    assert [message["role"] for message in sample["messages"]] == ["user", "assistant"]
    assert set(sample["metadata"]) == {"reference_answer", "tier"}
    ids = [item["id"] for event in events for item in event]
    assert len(ids) == len(set(ids)) == 2 * 128 * 4 + 2 * 24


def test_events_are_sent_at_the_start_and_the_end_in_the_documented_shape(bench: Any, make_request: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request())["jobArn"]
    job = bench.finished()

    assert bench.statuses() == ["InProgress", "Completed"]
    event = bench.cloud.events[-1]
    assert (event["source"], event["detail_type"], event["resources"]) == ("aws.bedrock", "Model Customization Job State Change", [arn])
    detail = event["detail"]
    assert detail["version"] == "0.0"
    assert detail["outputModelArn"] == job["outputModelArn"]
    assert detail["hyperParameters"]["batchSize"] == "32"
    assert set(detail) == {
        *("version", "jobName", "jobArn", "outputModelName", "outputModelArn", "roleArn", "baseModelArn", "jobStatus"),
        *("creationTime", "lastModifiedTime", "endTime", "hyperParameters"),
        *("trainingDataConfig", "validationDataConfig", "outputDataConfig"),
    }
    assert "status" not in detail
    json.dumps(detail)


def test_the_same_name_and_data_give_the_same_model_whatever_order_scores_arrive_in(
    bench: Any, make_request: Any, reopen: Any, tmp_path: Any
) -> None:
    bench.bedrock.create_model_customization_job(**make_request())
    bench.finished()
    first = next(iter(bench.standin.store.state.models.values())).policy

    straight = bench.cloud.reward
    bench.cloud.reward = lambda event: list(reversed(straight(event)))
    bench.cloud.state_dir = tmp_path / "other"
    other = reopen(bench.cloud)
    other.bedrock.create_model_customization_job(**make_request())
    other.finished()
    second = next(iter(other.standin.store.state.models.values())).policy
    other.standin.shutdown()

    assert first == second


def test_a_custom_model_can_be_trained_further(bench: Any, make_request: Any) -> None:
    bench.bedrock.create_model_customization_job(**make_request())
    model = bench.finished()["outputModelArn"]
    bench.bedrock.create_model_customization_job(
        **make_request(jobName="two", customModelName="two", clientRequestToken="two", baseModelIdentifier=model)
    )

    job = bench.finished("two")

    assert job["baseModelArn"] == "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0:256k"
    first, second = (bench.standin.store.state.models[arn].policy["shared"]["worked"] for arn in (model, job["outputModelArn"]))
    assert second > first


def test_a_job_that_is_stopped_ends_stopped_without_a_model(bench: Any, make_request: Any) -> None:
    bench.fault("stall", step=2)
    bench.bedrock.create_model_customization_job(**make_request())
    bench.until(lambda job: job["statusDetails"]["trainingDetails"]["status"] == "InProgress")

    bench.bedrock.stop_model_customization_job(jobIdentifier="rft-dev-one")

    assert bench.finished()["status"] == "Stopped"
    assert bench.statuses() == ["InProgress", "Stopped"]
    assert bench.bedrock.list_custom_models()["modelSummaries"] == []
    with pytest.raises(ClientError, match="ConflictException"):
        bench.bedrock.stop_model_customization_job(jobIdentifier="rft-dev-one")


def test_a_job_that_was_running_when_the_process_died_is_found_failed(bench: Any, make_request: Any, reopen: Any) -> None:
    bench.fault("stall", step=0)
    bench.bedrock.create_model_customization_job(**make_request())
    bench.until(lambda job: job["statusDetails"]["trainingDetails"]["status"] == "InProgress")
    bench.standin.shutdown()

    again = reopen(bench.cloud)
    job = again.finished()
    again.standin.shutdown()

    assert job["status"] == "Failed"
    assert "stopped while this job was running" in job["failureMessage"]
    assert job["statusDetails"]["trainingDetails"]["status"] == "Failed"


def test_a_job_that_ends_after_the_shutdown_writes_nothing_any_more(bench: Any, make_request: Any) -> None:
    bench.fault("slow_start", seconds=600)
    bench.bedrock.create_model_customization_job(**make_request())
    bench.standin.shutdown()
    saved = bench.standin.store.path.read_bytes()
    with bench.standin.store.change() as state:
        state.jobs.clear()
    assert bench.standin.store.path.read_bytes() == saved


def test_finished_jobs_models_and_tags_survive_a_restart(bench: Any, make_request: Any, reopen: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request(jobTags=[{"key": "RunId", "value": "one"}]))["jobArn"]
    before = bench.finished()
    bench.standin.shutdown()

    again = reopen(bench.cloud)
    after = again.bedrock.get_model_customization_job(jobIdentifier=arn)
    tags = again.bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    again.standin.shutdown()

    assert {**before, "ResponseMetadata": None} == {**after, "ResponseMetadata": None}
    assert {"key": "RunId", "value": "one"} in tags
    assert any(tag["key"] == "LocalStandIn" for tag in tags)


def csv_rows(bench: Any, name: str) -> list[dict[str, str]]:
    body = next(body for key, body in bench.cloud.buckets["runs"].items() if key.endswith(name))
    return list(csv.DictReader(io.StringIO(body.decode())))


def training_rows(bench: Any) -> list[dict[str, str]]:
    return csv_rows(bench, "step_wise_training_metrics.csv")


def mean_reward(rows: list[dict[str, str]]) -> float:
    return sum(float(row["critic/rewards/mean"]) for row in rows) / len(rows)
