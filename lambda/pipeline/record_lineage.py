"""RecordLineage: one file that says what made the model, or why there is none, and one signature over every record of the run.

Event `{run_id, request?, outcome: {code, reason, state}, plan?, job_arn?, model_arn?, deployment_arn?, rehearsal?, gate?, approvals,
cleaned?, released?, execution_arn?, started_at?}`, or `{run_id, execution_arn, after_end: true}` once the execution has ended; gives
`{record, attestation}`, the S3 URIs of lineage.json and lineage.dsse.json. After the end nothing is done when the record is there; else it
is made from the execution, and of an execution that was aborted, ran out of time or broke, the end is told as well. Whether such a run was
released is what the pointer says once no Release can be under way any more, and never how the execution ended.

Both files are written once. The signed statement names each record with its SHA-256, and the manifest of the dataset; a record that is not
what the run itself handed on is named in the lineage under `altered`.

Permissions:
  s3:GetObject, s3:PutObject on <runs bucket>/records/*; s3:ListBucket on the runs bucket, s3:prefix records/*
  s3:GetObject on <datasets bucket>/datasets/*/manifest.json; s3:ListBucket on the datasets bucket, s3:prefix datasets/*
  states:DescribeExecution, states:GetExecutionHistory on the state machine's executions
  ssm:GetParameter, ssm:GetParameterHistory on /rft/<env>/released-model
  events:PutEvents on the bus; sns:Publish on the topic, with kms:Decrypt and kms:GenerateDataKey on the topic's key
  kms:Decrypt, kms:GenerateDataKey on the data key; kms:Sign on the signing key, which lets nobody else
Environment: RFT_ENVIRONMENT, RFT_RUNS_BUCKET, RFT_DATASETS_BUCKET, RFT_SIGNING_KEY_ARN, RFT_BUS, RFT_TOPIC_ARN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contracts import names
from contracts.chat import Step
from contracts.emf import emit
from contracts.events import EVENT_OF_OUTCOME, Outcome
from contracts.metrics import Metric
from contracts.runbooks import RUNBOOK_OF_OUTCOME

from pipeline import after_end, attestation, aws, config, cut_short, notices, store
from pipeline.task import Event, Result, now, task

METRIC_OF_OUTCOME: dict[Outcome, Metric | None] = {
    Outcome.REQUEST_REFUSED: None,  # PrepareRun counted it when it refused
    Outcome.RELEASED: Metric.RUN_RELEASED,
    Outcome.REWARD_REJECTED: Metric.RUN_REJECTED,
    Outcome.SPEND_REJECTED: Metric.RUN_REJECTED,
    Outcome.TURN_TIMED_OUT: Metric.RUN_REJECTED,
    Outcome.CANDIDATE_REJECTED: Metric.CANDIDATE_REJECTED,
    Outcome.RELEASE_REJECTED: Metric.RUN_REJECTED,
    Outcome.APPROVAL_TIMED_OUT: Metric.RUN_REJECTED,
    Outcome.TRAINING_FAILED: Metric.RUN_FAILED,
    Outcome.TRAINING_STOPPED: Metric.RUN_FAILED,
    Outcome.DEPLOYMENT_FAILED: Metric.RUN_FAILED,
    Outcome.INTERNAL_ERROR: Metric.RUN_FAILED,
}


@task
def handler(event: Event) -> Result:
    run_id = str(event["run_id"])
    bucket, key = store.record(run_id, names.LINEAGE)
    sealed = names.record_key(run_id, names.ATTESTATION)
    if store.find_bytes(bucket, sealed) is None:
        records = _records(bucket, run_id)
        aborted = False
        if event.get("after_end") is True:
            execution = after_end.execution_of(event)
            released, aborted = after_end.release_of(event, execution), not after_end.is_settled(execution)
            approvals = cut_short.approvals(event["execution_arn"])
            event = after_end.as_recorded(event, execution, records, released=released, approvals=approvals)
            if not after_end.told(execution, released):
                # Before the record is sealed: told twice after a fault in between is better than never.
                _tell(run_id, event)
        found = lineage(event, environment=config.environment(), job=_job(records), recorded_at=now())
        found["altered"] = altered(event, records)
        records["lineage.json"] = _write(bucket, key, found)
        # Of two attempts at once one seals the record and counts the run.
        if (
            store.write_once(bucket, sealed, _signed(bucket, run_id, records, found, aborted=aborted))
            and (metric := _metric(event)) is not None
        ):
            emit({metric: 1}, environment=config.environment(), run_id=run_id)
    return {"record": store.uri(bucket, key), "attestation": store.uri(bucket, sealed)}


def _tell(run_id: str, event: Event) -> None:
    outcome, released, environment = event["outcome"], event["released"], config.environment()
    notices.announce(
        EVENT_OF_OUTCOME[Outcome(outcome["code"])],
        {
            "run_id": run_id,
            "outcome": outcome["code"],
            "reason": outcome["reason"],
            "model_arn": event.get("model_arn"),
            "deployment_arn": released and released["deployment_arn"],
        },
    )
    steps = [Step(what="Look", command=f"rft report {run_id} --env {environment}")]
    if released and (before := released.get("previous")):
        steps.append(Step(what="Go back", command=f"rft backup restore pointer --run {before['run_id']} --env {environment}"))
    lines = [f"Run {run_id} in {environment} ended: {outcome['code']}", f"State: {outcome['state']}", f"Why: {outcome['reason']}"]
    notices.tell(
        f"run {run_id}: {outcome['code']}",
        "\n".join(lines),
        steps=steps,
        page=RUNBOOK_OF_OUTCOME.get(outcome["code"], ""),
        run_id=run_id,
    )


def _records(bucket: str, run_id: str) -> dict[str, bytes]:
    prefix = names.record_key(run_id, "")
    found = {key.removeprefix(prefix): store.read_bytes(bucket, key) for key in store.keys(bucket, prefix)}
    return {file: body for file, body in found.items() if file not in (names.LINEAGE, names.ATTESTATION)}


def _job(records: Mapping[str, bytes]) -> Mapping[str, Any] | None:
    trend = json.loads(records.get("trend.json", b"{}"))
    return trend.get("job") if isinstance(trend, dict) else None


def altered(event: Event, records: Mapping[str, bytes]) -> list[str]:
    """The records that do not say what the run itself carried from state to state: somebody wrote them in between."""
    return [
        file
        for part, file in after_end.PARTS.items()
        if isinstance(carried := event.get(part), Mapping) and not _agrees(carried, records.get(file))
    ]


def _agrees(carried: Mapping[str, Any], record: bytes | None) -> bool:
    try:
        stored = json.loads(record or b"null")
    except ValueError:
        return False
    # A record may say more than the state handed on, such as when it was judged.
    return isinstance(stored, dict) and all(stored.get(key) == value for key, value in carried.items())


def _write(bucket: str, key: str, found: Mapping[str, Any]) -> bytes:
    """Writes the lineage and gives its bytes: those of an earlier attempt that was not sealed, when it says the same."""
    if not store.write_once(bucket, key, found):
        before = store.read_bytes(bucket, key)
        if _without_time(json.loads(before)) == _without_time(found):
            return before
        store.write_json(bucket, key, found)
    return store.encoded(found)


def _without_time(record: Mapping[str, Any]) -> Mapping[str, Any]:
    times = {key: value for key, value in record.get("times", {}).items() if key != "recorded_at"}
    return {**record, "times": times}


def _signed(bucket: str, run_id: str, records: Mapping[str, bytes], found: Mapping[str, Any], *, aborted: bool) -> dict[str, Any]:
    # A look at the job that was in flight when the run was aborted writes the trend once more.
    signed = {file: body for file, body in records.items() if not (aborted and file == "trend.json")}
    digests = {store.uri(bucket, names.record_key(run_id, file)): attestation.sha256(body) for file, body in signed.items()}
    if dataset := found["dataset"]:
        datasets, key = config.variable(names.ENV_DATASETS_BUCKET), names.manifest_key(dataset["name"], dataset["version"])
        if (manifest := store.find_bytes(datasets, key)) is not None:
            digests[store.uri(datasets, key)] = attestation.sha256(manifest)
    payload = attestation.statement(
        digests=digests, run_id=run_id, environment=config.environment(), signed_at=found["times"]["recorded_at"], cut_short=aborted
    )
    answer = aws.kms().sign(
        KeyId=config.variable(names.ENV_SIGNING_KEY),
        Message=attestation.digest(attestation.signed_bytes(payload)),
        MessageType="DIGEST",
        SigningAlgorithm=attestation.ALGORITHM,
    )
    return attestation.envelope(payload, key_id=answer["KeyId"], signature=answer["Signature"])


def lineage(event: Event, *, environment: str, job: Mapping[str, Any] | None, recorded_at: str) -> dict[str, Any]:
    """Model, run, dataset, reward, hyperparameters and people, each with what pins it; None for what the run never reached."""
    plan = event.get("plan") or None
    return {
        "run_id": event["run_id"],
        "environment": environment,
        "outcome": event["outcome"],
        "model": {
            "model_arn": event.get("model_arn"),
            "deployment_arn": event.get("deployment_arn") if event.get("released") else None,
            "base_model": plan and plan["base_model"],
            "released": event.get("released"),
        },
        "job": {"job_arn": event.get("job_arn"), **(job or {})},
        "dataset": plan
        and {
            "name": plan["dataset"],
            "version": plan["dataset_version"],
            "sha256": plan["dataset_sha256"],
            "uri": plan["dataset_uri"],
            "prompts": plan["prompts"],
        },
        "reward": plan
        and {
            "arn": plan["reward_arn"],
            "version": plan["reward_version"],
            "code_sha256": plan["reward_sha256"],
            "grader": plan.get("reward_grader"),
            "options": plan.get("reward_options"),
            "identity": plan.get("reward_identity"),
        },
        "hyperparameters": plan and plan["hyperparameters"],
        "estimate": plan and plan["estimate"],
        "rehearsal": event.get("rehearsal"),
        "gate": event.get("gate"),
        "approvals": event.get("approvals"),
        "stopped_by": event.get("stopped_by"),
        "requester": plan and plan.get("requester"),
        "requested_by": plan["requested_by"] if plan else (event.get("request") or {}).get("requested_by"),
        "request": event.get("request"),
        "cleaned_up": event.get("cleaned"),
        "execution_arn": event.get("execution_arn"),
        "times": {
            "started_at": event.get("started_at"),
            "prepared_at": plan and plan["prepared_at"],
            "job_created_at": (job or {}).get("created_at"),
            "job_ended_at": (job or {}).get("ended_at"),
            "recorded_at": recorded_at,
        },
    }


def _metric(event: Event) -> Metric | None:
    try:
        return METRIC_OF_OUTCOME[Outcome(event["outcome"]["code"])]
    except ValueError:
        return Metric.RUN_FAILED
