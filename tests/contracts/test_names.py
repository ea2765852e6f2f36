"""Names that Bedrock, Step Functions and S3 must accept are accepted by their own service models."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
from contracts import names
from contracts.events import EVENT_OF_OUTCOME, Outcome, RunEvent
from contracts.metrics import Metric
from hypothesis import given
from hypothesis import strategies as st

MODEL = botocore.session.get_session().get_service_model("bedrock")
CREATE, DEPLOY = (
    dict[str, Any](shape.members)
    for operation in ("CreateModelCustomizationJob", "CreateCustomModelDeployment")
    if (shape := MODEL.operation_model(operation).input_shape) is not None
)


@given(st.text(max_size=60), st.from_regex(r"[0-9a-f]{6,12}", fullmatch=True))
def test_a_run_id_gives_names_that_every_bedrock_call_accepts(label: str, suffix: str) -> None:
    run_id = names.run_id_for(label, suffix)
    assert names.RUN_ID_PATTERN.fullmatch(run_id) and len(run_id) <= names.RUN_ID_MAX
    job = names.job_name("stage", run_id)
    for shape in (CREATE["jobName"], CREATE["customModelName"], CREATE["clientRequestToken"], DEPLOY["modelDeploymentName"]):
        assert re.fullmatch(shape.metadata["pattern"], job), shape.name
        assert len(job) <= shape.metadata["max"]


def test_the_output_location_is_one_that_bedrock_accepts() -> None:
    uri = f"s3://some-bucket/{names.output_prefix('word-problems-0a1b2c3d4e5f')}"
    pattern = CREATE["outputDataConfig"].members["s3Uri"].metadata["pattern"]
    assert re.fullmatch(pattern, uri)


def test_a_job_leads_back_to_its_run_and_foreign_jobs_to_none() -> None:
    assert names.run_id_of_job("dev", names.job_name("dev", "a-1")) == "a-1"
    assert names.run_id_of_job("dev", names.job_name("stage", "a-1")) is None
    assert names.run_id_of_job("dev", "rft-dev-") is None
    assert names.run_id_of_job("dev", "somebody-elses-job") is None


def test_nothing_the_pipeline_writes_can_match_the_upload_trigger() -> None:
    written = [
        names.split_key("d", "0" * 12, names.SPLIT_TRAIN),
        names.latest_key("d"),
        names.manifest_key("d", "0" * 12),
        names.rejection_key("d", "f.jsonl", "e"),
    ]
    assert not [key for key in written if key.startswith(names.INCOMING)]


def test_the_prefixes_of_the_runs_bucket_do_not_contain_each_other() -> None:
    prefixes = [names.STAGED, names.OUTPUT, names.RECORDS, names.TOKENS]
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_ending_of_a_run_is_announced(outcome: Outcome) -> None:
    assert isinstance(EVENT_OF_OUTCOME[outcome], RunEvent)
    assert (EVENT_OF_OUTCOME[outcome] is RunEvent.MODEL_RELEASED) == (outcome is Outcome.RELEASED)


def test_metric_names_are_unique() -> None:
    written = [metric.metric_name for metric in Metric]
    assert len(written) == len(set(written))
