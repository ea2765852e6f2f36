"""Alarms on what the pipeline's own steps count, fed by the steps themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import names
from contracts.events import CLOUDTRAIL_CALL, Outcome
from contracts.run import Estimate, Plan
from contracts.trends import JUDGE
from contracts.validation import plain
from pipeline import foreign
from pipeline.trend import Step

from tests.alarms.case import Case, for_long, in_turn, often, once_less, told
from tests.alarms.scene import RIGHT, RUN, Play, Scene
from tests.pipeline.conftest import word_problems


def _uploaded(body: bytes) -> Play:
    def play(scene: Scene) -> None:
        bucket = scene.deployed.variables("pipeline.register_dataset.handler")[names.ENV_DATASETS_BUCKET]
        key = f"{names.INCOMING}maths/problems.jsonl"
        scene.services.objects[bucket, key] = body
        found = {"key": key, "size": len(body), "etag": "0"}
        scene.step("register_dataset", {"time": "2026-11-20T19:00:00Z", "detail": {"bucket": {"name": bucket}, "object": found}})

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


def _waiting(state: str, *, share: float) -> Play:
    """A sweep while a run has been in a state for a share of the hours an approval may wait untold."""

    def play(scene: Scene) -> None:
        since = datetime.now(UTC) - timedelta(hours=share * scene.deployed.settings.alarms.approval_hours)
        scene.services.listed["list_executions"] = [{"executions": [{"executionArn": f"arn:aws:states:execution:{RUN}"}]}]
        scene.services.history = [{"timestamp": since, "stateEnteredEventDetails": {"name": state}}]
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


def _looked(*, hours: float | None = None, share_of_hours: float = 0, share_of_usd: float = 0, graded: int = 0) -> Play:
    """TrackTraining looks at a job that has run for so long, or for a share of what it may, and has taken a share of what a run may."""

    def play(scene: Scene) -> None:
        training = scene.deployed.settings.training
        started = datetime.now(UTC) - timedelta(hours=share_of_hours * training.max_hours if hours is None else hours)
        usd = share_of_usd * training.caps.usd
        scene.recorded([judged(started, usd)])
        scene.services.job = {"jobArn": "arn:aws:bedrock:job/1", "status": "InProgress", "creationTime": started}
        if graded:
            scene.grade([RIGHT] * graded)
        scene.step("track_training", {"job_arn": "arn:aws:bedrock:job/1", "plan": plain(a_plan(scene))})

    return play


def judged(at: datetime, usd: float) -> Step:
    """A step in which the judge took so many US dollars."""
    return {"step": 1, "since": 0, "began": at.isoformat(), "at": at.isoformat(), JUDGE: {"calls": 1, "usd": usd}}


def a_plan(scene: Scene) -> Plan:
    """The plan of the run that is looked at."""
    settings = scene.deployed.settings
    return Plan(
        run_id=RUN,
        environment=settings.name,
        region=settings.region,
        job_name=names.job_name(settings.name, RUN),
        dataset="maths",
        dataset_version="0123456789ab",
        dataset_sha256="0" * 64,
        dataset_uri="s3://datasets/maths/",
        prompts={"train": 300, "validation": 40, "heldout": 60},
        base_model=settings.training.base_model,
        reward_arn="arn:aws:lambda:reward:1",
        reward_version="1",
        reward_sha256="0",
        hyperparameters=settings.training.hyperparameters,
        train_uri="s3://runs/train",
        validation_uri="s3://runs/validation",
        output_uri="s3://runs/output",
        estimate=Estimate(steps=20, reward_calls=2400, tokens=1_200_000, hours=0.2, usd=6.5),
        needs_spend_approval=False,
        needs_release_approval=False,
        requested_by="a test",
        prepared_at="2026-11-20T19:00:00+00:00",
        evaluation=[],
    )


CASES: dict[str, Case] = {
    "NoSamples": Case(
        fires=often(_looked(hours=30)),
        misses=in_turn(once_less(_looked(hours=30)), for_long(_looked(hours=30, graded=1)), for_long(_looked(hours=0.1))),
        recovers=_looked(hours=30, graded=1),
        fired_by="a job that runs, and looks at it that find nothing graded",
        missed_by="one response graded in each look's time, and a young job that has graded nothing",
        recovered_by="a response that is graded",
    ),
    "RunOverTime": told(
        _looked(share_of_hours=0.81),
        for_long(_looked(share_of_hours=0.79)),
        fired_by="a look at a job that has run for 81 % of the hours it may",
        missed_by="looks at 79 %",
    ),
    "SpendOverBudget": told(
        _looked(share_of_usd=0.81),
        for_long(_looked(share_of_usd=0.8)),
        fired_by="a look at a job that has taken 81 % of what a run may",
        missed_by="looks at 80 %",
    ),
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
    "CandidateRejected": told(
        _ended(Outcome.CANDIDATE_REJECTED),
        _ended(Outcome.RELEASED, Outcome.REWARD_REJECTED, Outcome.RELEASE_REJECTED, Outcome.TRAINING_FAILED),
        fired_by="a run whose candidate did not pass the gate",
        missed_by="runs that were released, failed, or rejected elsewhere",
    ),
    "ApprovalWaiting": told(
        _waiting("ApproveRelease", share=1.02),
        in_turn(for_long(_waiting("ApproveRelease", share=0.98)), for_long(_waiting("AwaitJobChange", share=2))),
        fired_by="a sweep that finds a release waiting for its approval for longer than `approval_hours`",
        missed_by="sweeps a little earlier, and a job that is waited for",
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
