"""Runs made up for the tests of the command."""

from __future__ import annotations

import random

import attrs
import pytest

from rft.history import steps
from rft.report.gather import ReportData
from rft.run_view import RunView
from tests.cli.made_runs import HAPPY_PATH, RUN_ID, START, at, entries, gate, lineage, plan, rehearsal, trend


@pytest.fixture
def released_view() -> RunView:
    """A run that went all the way to a release."""
    return RunView(
        run_id=RUN_ID,
        environment="dev",
        place="AWS Region us-east-1",
        local=False,
        execution_arn=f"arn:aws:states:us-east-1:111122223333:execution:rft-dev-run:{RUN_ID}",
        status="SUCCEEDED",
        started=START,
        stopped=at(43),
        state="Released",
        since=at(42.8),
        steps=steps(entries(), ended_at=at(43), failed_state=None),
        request={"dataset": "word-problems"},
        plan=plan(),
        rehearsal=rehearsal(),
        train=trend(),
        validation=trend(points=3, seed=8),
        trend={
            "artifacts": {
                "job/training_artifacts/step_wise_training_metrics.csv": {
                    "columns": ["step_number", "critic/rewards/mean", "actor/kl"],
                    "rows": [
                        {"step_number": float(step), "critic/rewards/mean": 0.3 + step / 80, "actor/kl": step / 500}
                        for step in range(1, 44)
                    ],
                }
            }
        },
        gate=gate(),
        lineage=lineage(),
        lineage_uri=f"s3://runs/records/{RUN_ID}/lineage.json",
        outcome=lineage()["outcome"],
    )


@pytest.fixture
def report_data(released_view: RunView) -> ReportData:
    """All the report shows of that run."""
    noise = random.Random(3)
    base = {f"p{number}": float(noise.random() < 0.31) for number in range(90)}
    candidate = {f"p{number}": float(noise.random() < 0.88) for number in range(90)}
    return ReportData(
        view=released_view, base=base, candidate=candidate, outcomes={"paid as correct": 3900, "readable, but wrong": 1200}, made_at=at(60)
    )


@pytest.fixture
def refused_view(released_view: RunView) -> RunView:
    """The same run with a candidate that lost at the gate."""
    path = (
        *HAPPY_PATH[:17],
        ("CleanUp", 41.0),
        ("RecordLineage", 42.0),
        ("Notify", 42.6),
        ("AnnounceEnd", 42.7),
        ("Ended", 42.8),
        ("NotReleased", 42.8),
    )
    outcome = {"code": "CandidateRejected", "reason": gate(passed=False)["reasons"][0], "state": "Gate"}
    record = lineage() | {"outcome": outcome, "model": {**lineage()["model"], "released": None}}
    return attrs.evolve(
        released_view,
        status="FAILED",
        state="NotReleased",
        steps=steps(entries(path), ended_at=at(43), failed_state="CandidateBetter"),
        gate=gate(passed=False),
        lineage=record,
        outcome=outcome,
    )
