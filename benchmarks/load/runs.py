"""Many run requests at once: each accepted one starts once, no more jobs than allowed run at a time, and every run ends on the record."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs
from contracts import names
from contracts.events import EVENT_OF_OUTCOME, Outcome, RunEvent

from benchmarks.load import uploads
from benchmarks.load.environment import Environment, Result, spread, together

QUICK = {"epoch_count": 1, "batch_size": 32, "training_sample_per_prompt": 2}
"""Hyperparameters of a run whose job takes seconds: what is measured is the pipeline, not the training."""

PATIENCE_SECONDS = 1800.0
TOLD_SECONDS = 300.0
"""How long to wait for the event and the notice of a run that has ended."""

SETTLE_SECONDS = 5.0
"""How long to listen on, for what should not come."""

STARTED_SECONDS = 300.0


@attrs.frozen(kw_only=True)
class Ask:
    """One request for a run.

    Attributes:
        run_id: of the run it asks for.
        request: the execution's input; None for one asked by an event.
        version: of the dataset that the event says was registered.
        refused: whether PrepareRun is to refuse it.
    """

    run_id: str
    request: dict[str, Any] | None = None
    dataset: str = ""
    version: str = ""
    refused: bool = False


def asks(dataset: str, registered: Sequence[tuple[str, str]], *, direct: int, refused: int, twice: int) -> list[Ask]:
    """Requests by StartExecution on `dataset`, some of them to be refused, and by one event for each registered version.

    Args:
        twice: how many are made a second time: the same call again, or the same event delivered again.
    """
    starts = [
        Ask(run_id=f"load-{number:02}", request={"dataset": dataset, "requested_by": "load", "hyperparameters": QUICK})
        for number in range(direct)
    ]
    faulty: list[dict[str, Any]] = [{"dataset": "nobody-knows"}, {"dataset": dataset, "hyperparameters": {"epoch_count": 50}}, {"wrong": 1}]
    bad = [
        Ask(run_id=f"load-bad-{number:02}", request={"requested_by": "load", **faulty[number % len(faulty)]}, refused=True)
        for number in range(refused)
    ]
    events = [Ask(run_id=names.run_id_for(name, version), dataset=name, version=version) for name, version in registered]
    mixed = [ask for part in itertools.zip_longest(starts, events, bad) for ask in part if ask]
    return [*mixed, *mixed[:twice]]


def requests(env: Environment, asked: Sequence[Ask], *, allowed: int) -> Result:
    """Makes all requests at once and follows every run to its end; `allowed` is `training.max_running`."""
    heard_before, told_before, stuck_before = len(env.events), len(env.notices), env.dead_letters()
    began = time.time()
    answers = Counter(together([partial(_ask, env, ask) for ask in asked]))
    wanted = {ask.run_id: ask for ask in asked}
    ended: dict[str, dict[str, Any]] = {}

    def all_ended() -> bool:
        for run_id in wanted.keys() - ended.keys():
            found = _execution(env, run_id)
            if found and found["status"] != "RUNNING":
                ended[run_id] = found
            if not found and time.time() - began > STARTED_SECONDS:
                ended[run_id] = {"status": "never started"}
        return len(ended) == len(wanted)

    env.until(all_ended, PATIENCE_SECONDS, pause=2.0)
    outcomes = {run_id: _outcome(found) for run_id, found in ended.items()}

    def all_told() -> bool:
        spoken, notices = [event for event, _ in env.events[heard_before:]], env.notices[told_before:]
        return all(
            _heard(run_id, outcome, spoken) and _told(env, run_id, notices) for run_id, outcome in outcomes.items() if _known(outcome)
        )

    env.until(all_told, TOLD_SECONDS)
    env.until(lambda: False, SETTLE_SECONDS)
    jobs = {run_id: found for run_id in wanted if (found := _jobs(env, run_id))}
    times = sorted((job["creationTime"].timestamp(), job["endTime"].timestamp()) for found in jobs.values() for job in found)
    stops = [found["stopDate"].timestamp() for found in ended.values() if "stopDate" in found]
    spoken = [event for event, _ in env.events[heard_before:]]
    stuck, most = env.dead_letters() - stuck_before, _most_at_once(times)
    faults = [
        *(f"{run_id}: {outcomes.get(run_id, 'has not ended')}" for run_id, ask in wanted.items() if not _fits(ask, outcomes.get(run_id))),
        *(f"{run_id}: {len(found)} jobs" for run_id, found in jobs.items() if len(found) > 1),
        *(f"{run_id}: a job although it was refused" for run_id, ask in wanted.items() if ask.refused and run_id in jobs),
        *(f"{most} jobs at the same time; allowed {allowed}" for _ in range(1) if most > allowed),
        *(fault for run_id in ended for fault in _unrecorded(env, run_id, outcomes[run_id], spoken, env.notices[told_before:])),
        *(f"{stuck} dead letters" for _ in range(1) if stuck),
    ]
    return Result(
        f"{len(asked)} run requests at once, {len(asked) - len(wanted)} of them duplicates, {allowed} job at a time",
        {
            "requests": len(asked),
            "runs": len(ended),
            **{f"ended {name}": number for name, number in sorted(Counter(outcomes.values()).items())},
            "answers to StartExecution": dict(sorted(answers.items())),
            "jobs": sum(map(len, jobs.values())),
            "most jobs at the same time": most,
            "first job after, s": round(times[0][0] - began, 1) if times else None,
            "wait for a turn, s": spread([start - began for start, _ in times]) if times else None,
            "between two jobs, s": spread([later[0] - earlier[1] for earlier, later in itertools.pairwise(times)]),
            "all ended after, s": round(max(stops, default=began) - began, 1),
            "dead letters": stuck,
        },
        faults,
    )


def _ask(env: Environment, ask: Ask) -> str:
    if ask.request is None:
        detail = {"environment": env.name, "dataset": ask.dataset, "dataset_version": ask.version}
        entry = {"Source": names.EVENT_SOURCE, "DetailType": str(RunEvent.DATASET_REGISTERED), "Detail": json.dumps(detail)}
        failed = env.bus.put_events(Entries=[{**entry, "EventBusName": names.bus(env.name)}])["FailedEntryCount"]
        return "event refused" if failed else "event taken"
    try:
        env.states.start_execution(stateMachineArn=env.state_machine, name=ask.run_id, input=json.dumps(ask.request))
    except env.states.exceptions.ExecutionAlreadyExists:
        return "already exists"
    return "started"


def _execution(env: Environment, run_id: str) -> dict[str, Any] | None:
    arn = env.state_machine.replace(":stateMachine:", ":execution:")
    try:
        return dict(env.states.describe_execution(executionArn=f"{arn}:{run_id}"))
    except env.states.exceptions.ExecutionDoesNotExist:
        return None


def _outcome(found: dict[str, Any]) -> str:
    return Outcome.RELEASED.value if found["status"] == "SUCCEEDED" else str(found.get("error", found["status"]))


def _fits(ask: Ask, outcome: str | None) -> bool:
    if ask.refused:
        return outcome == Outcome.REQUEST_REFUSED
    return outcome in (Outcome.RELEASED, Outcome.CANDIDATE_REJECTED)


def _jobs(env: Environment, run_id: str) -> list[dict[str, Any]]:
    name = names.job_name(env.name, run_id)
    found = env.bedrock.list_model_customization_jobs(nameContains=name)["modelCustomizationJobSummaries"]
    return [job for job in found if job["jobName"] == name]


def _most_at_once(times: Sequence[tuple[float, float]]) -> int:
    return max((sum(start <= at < end for start, end in times) for at, _ in times), default=0)


def _known(outcome: str) -> bool:
    """Whether the run came to an end of its own, which is told."""
    return outcome in {str(one) for one in Outcome}


def _heard(run_id: str, outcome: str, spoken: Sequence[dict[str, Any]]) -> int:
    kind = EVENT_OF_OUTCOME[Outcome(outcome)]
    return sum(event["detail-type"] == kind and event["detail"].get("run_id") == run_id for event in spoken)


def _told(env: Environment, run_id: str, notices: Sequence[str]) -> int:
    return sum(subject.startswith(f"[{env.name}] run {run_id}:") for subject in notices)


def _unrecorded(env: Environment, run_id: str, outcome: str, spoken: Sequence[dict[str, Any]], notices: Sequence[str]) -> list[str]:
    """What a run that ended lacks: its record, the signature over it, its event, its notice."""
    if not _known(outcome):
        return []
    lineage = env.read(env.runs, names.record_key(run_id, names.LINEAGE)) or {}
    heard, told = _heard(run_id, outcome, spoken), _told(env, run_id, notices)
    checks: list[tuple[bool, Callable[[], str]]] = [
        (lineage.get("outcome", {}).get("code") == outcome, lambda: f"its record says {lineage.get('outcome')}"),
        (env.read(env.runs, names.record_key(run_id, names.ATTESTATION)) is not None, lambda: "its record is not signed"),
        (heard == 1, lambda: f"{heard} events {EVENT_OF_OUTCOME[Outcome(outcome)]}"),
        (told == 1, lambda: f"{told} notices"),
        (not env.keys(env.runs, f"{names.STAGED}{run_id}/"), lambda: "its staged data is still there"),
    ]
    return [f"{run_id}: {say()}" for good, say in checks if not good]


def registered(env: Environment, count: int) -> list[tuple[str, str]]:
    """`count` datasets of the least size, registered; each with its version."""
    bodies = {f"load-run-{number:02}": uploads.problems(2_000_000 + 1000 * number) for number in range(count)}
    for dataset, body in bodies.items():
        env.s3.put_object(Bucket=env.datasets, Key=f"{names.INCOMING}{dataset}/problems.jsonl", Body=body)
    env.until(lambda: all(env.read(env.datasets, names.latest_key(dataset)) for dataset in bodies), STARTED_SECONDS)
    return [(dataset, uploads.version(body)) for dataset, body in bodies.items()]
