"""Alarms on what the pipeline's own steps count, fed by the steps themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import names
from contracts.events import CLOUDTRAIL_CALL, Outcome
from pipeline import foreign

from tests.alarms.case import Case, told
from tests.alarms.scene import RUN, Play, Scene
from tests.pipeline.conftest import word_problems


def _uploaded(body: bytes) -> Play:
    def play(scene: Scene) -> None:
        bucket = scene.deployed.variables("pipeline.register_dataset.handler")[names.ENV_DATASETS_BUCKET]
        key = f"{names.INCOMING}maths/problems.jsonl"
        scene.services.objects[bucket, key] = body
        found = {"key": key, "size": len(body), "etag": "0"}
        scene.step("register_dataset", {"detail": {"bucket": {"name": bucket}, "object": found}})

    return play


def _requested(run_id: str, request: dict[str, Any]) -> Play:
    return lambda scene: scene.step("prepare_run", {"run_id": run_id, "request": request})


def _ended(*outcomes: Outcome) -> Play:
    def play(scene: Scene) -> None:
        for place, outcome in enumerate(outcomes):
            scene.step("record_lineage", {"run_id": f"{RUN}-{place}-{outcome.lower()}", "outcome": {"code": str(outcome), "reason": "-"}})

    return play


def _swept(*, lost: bool) -> Play:
    def play(scene: Scene) -> None:
        started = datetime.now(UTC) - timedelta(days=3)
        environment = scene.deployed.settings.name if lost else "another"
        job = {"jobName": f"rft-{environment}-{RUN}", "jobArn": f"arn:aws:bedrock:job/{RUN}", "creationTime": started}
        scene.services.listed["list_model_customization_jobs"] = [{"modelCustomizationJobSummaries": [job]}]
        scene.step("sweep", {})

    return play


def _deployed_by(*, stranger: bool) -> Play:
    def play(scene: Scene) -> None:
        maker = scene.deployed.variables("pipeline.inspect_jobs.handler")[names.ENV_DEPLOYMENT_MAKER]
        role = "arn:aws:iam::111122223333:role/notebook" if stranger else maker
        identity = {"type": "AssumedRole", "arn": f"{role}/someone", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}}
        detail = {
            "eventName": foreign.DEPLOYMENT_CALL,
            "userIdentity": identity,
            "requestParameters": {"modelDeploymentName": "a-model"},
            "responseElements": {"customModelDeploymentArn": "arn:aws:bedrock:deployment/1"},
        }
        scene.step("inspect_jobs", {"detail-type": CLOUDTRAIL_CALL, "detail": detail})

    return play


CASES: dict[str, Case] = {
    "DatasetRejected": told(
        _uploaded(b'{"question": "no answer"}\n'),
        _uploaded(word_problems(300)),
        fired_by="an upload whose lines have no answer",
        missed_by="an upload that is registered",
    ),
    "RunRefused": told(
        _requested(RUN, {"dataset": "maths", "hyperparameters": {"epoch_count": 10_000}}),
        _ended(Outcome.REQUEST_REFUSED),
        fired_by="a request for more epochs than the environment allows",
        missed_by="the end of a refused run, which is not counted twice",
    ),
    "RunFailed": told(
        _ended(Outcome.TRAINING_FAILED),
        _ended(Outcome.RELEASED, Outcome.CANDIDATE_REJECTED, Outcome.SPEND_REJECTED, Outcome.APPROVAL_TIMED_OUT),
        fired_by="a run whose job failed",
        missed_by="runs that were released, rejected or not approved",
    ),
    "OrphansFound": told(
        _swept(lost=True),
        _swept(lost=False),
        fired_by="a job in progress whose run is gone",
        missed_by="a job of another environment",
    ),
    "ForeignJobs": told(
        _deployed_by(stranger=True),
        _deployed_by(stranger=False),
        fired_by="a deployment made by somebody beside the pipeline",
        missed_by="one made by the pipeline's own role",
    ),
}
