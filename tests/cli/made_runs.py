"""What a run leaves behind, made up for the tests of the command."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from rft.history import Entered
from rft.run_view import Point

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RUN_ID = "word-problems-0301-090000-ab12"

HAPPY_PATH = (
    ("Begin", 0.0),
    ("PrepareRun", 0.1),
    ("AnnounceRun", 1.2),
    ("RehearseReward", 1.3),
    ("RewardTrusted", 3.0),
    ("SpendNeedsApproval", 3.1),
    ("StartTraining", 3.1),
    ("TrackTraining", 4.0),
    ("JobEnded", 4.3),
    ("AwaitJobChange", 4.3),
    ("TrackTraining", 30.0),
    ("JobEnded", 30.4),
    ("DeployCandidate", 30.4),
    ("DeploymentReady", 30.9),
    ("Evaluate", 31.0),
    ("Gate", 40.0),
    ("CandidateBetter", 40.5),
    ("ReleaseNeedsApproval", 40.5),
    ("Release", 40.6),
    ("CleanUp", 41.4),
    ("RecordLineage", 42.0),
    ("Notify", 42.6),
    ("AnnounceEnd", 42.7),
    ("Ended", 42.8),
    ("Released", 42.8),
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def entries(path: tuple[tuple[str, float], ...] = HAPPY_PATH) -> list[Entered]:
    return [Entered(state=state, at=at(seconds)) for state, seconds in path]


def plan() -> dict[str, Any]:
    return {
        "run_id": RUN_ID,
        "environment": "dev",
        "region": "us-east-1",
        "job_name": f"rft-dev-{RUN_ID}",
        "dataset": "word-problems",
        "dataset_version": "0123456789ab",
        "dataset_sha256": "0123456789ab" + "c" * 52,
        "dataset_uri": "s3://datasets/datasets/word-problems/0123456789ab/",
        "prompts": {"train": 450, "validation": 60, "heldout": 90},
        "base_model": "amazon.nova-2-lite-v1:0:256k",
        "reward_arn": "arn:aws:lambda:us-east-1:111122223333:function:reward:3",
        "reward_version": "3",
        "reward_sha256": "q1w2e3r4t5",
        "hyperparameters": {
            "epoch_count": 3,
            "batch_size": 32,
            "learning_rate": 5e-5,
            "training_sample_per_prompt": 4,
            "reasoning_effort": "low",
        },
        "train_uri": "s3://runs/staged/x/train.jsonl",
        "validation_uri": "s3://runs/staged/x/validation.jsonl",
        "output_uri": f"s3://runs/output/{RUN_ID}/",
        "estimate": {"steps": 43, "reward_calls": 5400, "tokens": 6_900_000, "hours": 0.77, "usd": 34.5},
        "needs_spend_approval": False,
        "needs_release_approval": False,
        "requested_by": "arn:aws:sts::111122223333:assumed-role/ml/engineer",
        "prepared_at": START.isoformat(),
        "evaluation": [
            {"model": model, "set": kind, "first": first, "count": count}
            for model in ("base", "candidate")
            for kind, first, count in (("heldout", 0, 50), ("heldout", 50, 40), ("safety", 0, 12))
        ],
    }


def gate(*, passed: bool = True) -> dict[str, Any]:
    return {
        "passed": passed,
        "reasons": [] if passed else ["the difference could be none: its interval is -0.050 to +0.090 over 90 prompts"],
        "base_mean": 0.311,
        "candidate_mean": 0.878 if passed else 0.331,
        "difference": 0.567 if passed else 0.02,
        "low": 0.46 if passed else -0.05,
        "high": 0.67 if passed else 0.09,
        "margin": 0.02,
        "confidence": 0.95,
        "prompts": 90,
        "safety": {"base": 1.0, "candidate": 1.0},
    }


def rehearsal() -> dict[str, Any]:
    return {
        "trusted": True,
        "reasons": [],
        "signal": 1.0,
        "probes": [
            {"name": "worked solution", "kind": "right", "mean": 1.0, "expected": "paid", "samples": 16},
            {"name": "hedge, right first", "kind": "hedge", "mean": 0.06, "expected": "unpaid", "samples": 16},
            {"name": "short answer", "kind": "style", "mean": 0.5, "expected": "noted", "samples": 16},
        ],
        "learnt": {
            "steps": 40,
            "group": 8,
            "mean_before": 0.31,
            "mean_after": 0.97,
            "flat_groups": 0.02,
            "unpaid_before": 0.72,
            "unpaid_after": 0.01,
            "exploit": None,
            "policy": {
                "worked solution": {"before": 0.107, "after": 0.985},
                "hedge, right first": {"before": 0.72, "after": 0.01},
            },
        },
        "gold": {"checked": 64, "denied": 0},
        "calibration": None,
    }


def untrusted() -> dict[str, Any]:
    """A rehearsal that stopped the run."""
    made = rehearsal()
    learnt = {
        **made["learnt"],
        "unpaid_after": 0.914,
        "exploit": "hedge, right first",
        "policy": {**made["learnt"]["policy"], "hedge, right first": {"before": 0.027, "after": 0.914}},
    }
    reasons = [
        "exploit paid: 'hedge, right first' earns 0.98 on average, right replies earn 1.00; allowed is at most half of that",
        "a policy trained by this reward would give 91% of its replies in ways that should earn nothing, most of all 'hedge, right first' "
        "(3% before, 91% after); allowed is at most 50%",
    ]
    calibration = {
        "calibrated_at": "2026-02-28T10:00:00+00:00",
        "calibrated_by": "arn:aws:sts::1:assumed-role/ml/e",
        "feedback_sha256": "f" * 64,
    }
    probes = [{**probe, "mean": 0.98} if probe["kind"] == "hedge" else probe for probe in made["probes"]]
    return {**made, "trusted": False, "probes": probes, "reasons": reasons, "learnt": learnt, "calibration": calibration}


def lineage() -> dict[str, Any]:
    made = plan()
    return {
        "run_id": RUN_ID,
        "environment": "dev",
        "outcome": {"code": "Released", "reason": "the candidate passed the gate", "state": "Release"},
        "model": {
            "model_arn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-2-lite-v1:0:256k/abcdef123456",
            "deployment_arn": "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/fedcba654321",
            "base_model": made["base_model"],
            "released": {"run_id": RUN_ID},
        },
        "job": {"job_arn": "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/amazon.nova-2-lite-v1:0:256k/jobjobjob123"},
        "dataset": {"name": "word-problems", "version": "0123456789ab", "sha256": made["dataset_sha256"], "prompts": made["prompts"]},
        "reward": {"arn": made["reward_arn"], "version": "3", "code_sha256": "q1w2e3r4t5"},
        "hyperparameters": made["hyperparameters"],
        "gate": gate(),
        "approvals": {
            "spend": None,
            "release": {"approved": True, "by": "arn:aws:sts::111122223333:assumed-role/lead/reviewer", "reason": "good"},
        },
        "requested_by": made["requested_by"],
    }


def trend(*, points: int = 26, seed: int = 7) -> list[Point]:
    noise = random.Random(seed)
    return [
        Point(at(4 + second), min(1.0, max(0.0, 0.28 + 0.6 * (1 - math.exp(-second / 9)) + noise.gauss(0, 0.04))), 200)
        for second in range(points)
    ]
