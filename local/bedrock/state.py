"""What the stand-in remembers: jobs, custom models, deployments, tags. Kept in one JSON file, replaced atomically."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
from contracts.errors import InvalidInput

FORMAT = 1
PHASES = ("validationDetails", "dataProcessingDetails", "trainingDetails")
INTERRUPTED = "The local cloud was stopped while this job was running, so the job was lost. Start a new job. (Local stand-in.)"


def now() -> str:
    """The time as the API writes it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def short_id(*parts: str) -> str:
    """Twelve lower-case letters and digits, as in the service's ARNs, the same for the same parts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@attrs.define(kw_only=True)
class Job:
    """One customization job.

    Attributes:
        request: the create request as it came, echoed by Get.
        base_model: ARN of the foundation model; `start_model` the custom model that training went on from, if any.
        phases: per member of `statusDetails` its status and times.
        step, steps, reward, filtered: progress for `status()`; the API shows none of it.
    """

    arn: str
    name: str
    account: str
    region: str
    request: dict[str, Any]
    base_model: str
    start_model: str | None = None
    status: str = "InProgress"
    phases: dict[str, dict[str, str]]
    created: str
    modified: str
    ended: str | None = None
    failure: str | None = None
    model_arn: str | None = None
    kms_key_arn: str | None = None
    training_loss: float | None = None
    validation_losses: list[float] = attrs.field(factory=list)
    step: int = 0
    steps: int = 0
    reward: float | None = None
    filtered: int = 0

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def rft(self) -> dict[str, Any]:
        config: dict[str, Any] = self.request["customizationConfig"]["rftConfig"]
        return config

    @property
    def running(self) -> bool:
        return self.status in ("InProgress", "Stopping")


@attrs.define(kw_only=True)
class Model:
    """One custom model; `policy` is what the job learned (see `policy.Policy.as_dict`)."""

    arn: str
    name: str
    account: str
    region: str
    job_arn: str
    base_model: str
    created: str
    policy: dict[str, Any]


@attrs.define(kw_only=True)
class Deployment:
    """One on-demand deployment.

    Attributes:
        ready_at: epoch seconds when Creating becomes Active, or Failed when `failure` is set.
        next_model, update_ready_at: an update under way; its model serves from that time on.
    """

    arn: str
    name: str
    account: str
    region: str
    model_arn: str
    created: str
    modified: str
    ready_at: float
    description: str | None = None
    token: str | None = None
    failure: str | None = None
    next_model: str | None = None
    update_ready_at: float = 0.0

    def status(self, at: float) -> str:
        if at < self.ready_at:
            return "Creating"
        return "Failed" if self.failure else "Active"

    def served(self, at: float) -> str:
        """ARN of the model that answers at a time."""
        return self.next_model if self.next_model and at >= self.update_ready_at else self.model_arn


@attrs.define
class State:
    jobs: dict[str, Job] = attrs.field(factory=dict)
    models: dict[str, Model] = attrs.field(factory=dict)
    deployments: dict[str, Deployment] = attrs.field(factory=dict)
    tags: dict[str, dict[str, str]] = attrs.field(factory=dict)


class Store:
    """The state, its lock and its file.

    Args:
        directory: where `state.json` is kept; made when missing.

    Raises:
        InvalidInput: the file is there and cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "state.json"
        self.lock = threading.RLock()
        self.closed = False
        self.state = self._load()

    def close(self) -> None:
        """Nothing is written from now on: a thread that ends late must not write over what a successor of this store wrote."""
        with self.lock:
            self.closed = True

    @contextmanager
    def change(self) -> Iterator[State]:
        """The state to change; it is on disk when the block ends."""
        with self.lock:
            yield self.state
            self._save()

    @contextmanager
    def read(self) -> Iterator[State]:
        with self.lock:
            yield self.state

    def fail_interrupted(self) -> list[Job]:
        """Turns jobs that were running when the process died into Failed ones, and returns them."""
        with self.lock:
            lost = [job for job in self.state.jobs.values() if job.running]
            for job in lost:
                job.status, job.failure, job.ended = "Failed", INTERRUPTED, now()
                job.modified = job.ended
                for phase in job.phases.values():
                    if phase["status"] == "InProgress":
                        phase.update(status="Failed", lastModifiedTime=job.ended)
            if lost:
                self._save()
            return lost

    def _load(self) -> State:
        if not self.path.exists():
            return State()
        try:
            data = json.loads(self.path.read_text())
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}")
            return State(
                jobs={key: Job(**value) for key, value in data["jobs"].items()},
                models={key: Model(**value) for key, value in data["models"].items()},
                deployments={key: Deployment(**value) for key, value in data["deployments"].items()},
                tags=data["tags"],
            )
        except (ValueError, KeyError, TypeError) as error:
            problem = f"not a state file this version wrote ({error}); `rft local reset` starts afresh"
            raise InvalidInput(str(self.path), [problem]) from None

    def _save(self) -> None:
        if self.closed:
            return
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({"format": FORMAT, **attrs.asdict(self.state)}))
        part.replace(self.path)
