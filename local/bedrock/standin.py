"""The Bedrock stand-in as the local cloud mounts it: HTTP requests in, answers out."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from contracts.errors import InvalidInput

from local.bedrock.control_jobs import JobOperations, Place
from local.bedrock.control_models import ModelOperations
from local.bedrock.control_throughput import ThroughputOperations
from local.bedrock.errors import ServiceError, invalid
from local.bedrock.faults import KNOWN, Faults
from local.bedrock.jobs import Pace, Runner
from local.bedrock.ports import Cloud
from local.bedrock.runtime import RuntimeOperations
from local.bedrock.state import Store
from local.bedrock.wire import Answer, Query, Request, Wire

LOG = logging.getLogger("rft.bedrock")

Operation = Callable[[Place, dict[str, Any]], dict[str, Any]]

NOTE = (
    "This is a local stand-in for Amazon Bedrock. Rewards come from the deployed reward function and the optimiser is real GRPO; "
    "the policy is a small one over response strategies, not a language model."
)
_STARTING_SECONDS = 3.0

PATH = "/_rft/faults"
PACE_PATH = "/_rft/pace"


class StandIn:
    """Serves `bedrock` and `bedrock-runtime` for every account and Region of the local cloud.

    Args:
        cloud: the local cloud; state is kept in its `state_dir`.

    Raises:
        InvalidInput: the saved state cannot be read, or RFT_STANDIN_PACE is out of range.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.faults = Faults()
        self.pace = Pace()
        self.store = Store(cloud.state_dir)
        self.runner = Runner(cloud, self.store, self.faults, self.pace)
        jobs = JobOperations(cloud, self.store, self.runner)
        models = ModelOperations(self.store, self.faults)
        throughput = ThroughputOperations(self.store)
        served = RuntimeOperations(cloud, self.store, self.faults)
        self._control = _Front(
            Wire("bedrock"),
            {
                "CreateModelCustomizationJob": jobs.create,
                "GetModelCustomizationJob": jobs.get,
                "ListModelCustomizationJobs": jobs.list,
                "StopModelCustomizationJob": jobs.stop,
                "ListTagsForResource": jobs.list_tags,
                "TagResource": jobs.tag,
                "UntagResource": jobs.untag,
                "GetCustomModel": models.get,
                "ListCustomModels": models.list,
                "DeleteCustomModel": models.delete,
                "CreateCustomModelDeployment": models.deploy,
                "GetCustomModelDeployment": models.get_deployment,
                "ListCustomModelDeployments": models.list_deployments,
                "UpdateCustomModelDeployment": models.update_deployment,
                "DeleteCustomModelDeployment": models.delete_deployment,
                "CreateProvisionedModelThroughput": throughput.create,
                "ListProvisionedModelThroughputs": throughput.list,
                "DeleteProvisionedModelThroughput": throughput.delete,
            },
        )
        self._runtime = _Front(Wire("bedrock-runtime"), {"Converse": served.converse, "InvokeModel": served.invoke})
        self._announce_lost()

    def implements(self, method: str, path: str) -> bool:
        """Whether a request is for an operation that this stand-in has; others may go to another emulator."""
        return any(front.implements(method, path) for front in (self._control, self._runtime))

    async def control(self, method: str, path: str, headers: Mapping[str, str], body: bytes | str | None, query: Query | None) -> Answer:
        """Answers a request to `bedrock`; blocking work runs on a thread with the request's context."""
        return await asyncio.to_thread(self._control.serve, self.cloud, Request(method, path, headers, _bytes(body), query or {}))

    async def runtime(self, method: str, path: str, headers: Mapping[str, str], body: bytes | str | None, query: Query | None) -> Answer:
        """Answers a request to `bedrock-runtime`."""
        return await asyncio.to_thread(self._runtime.serve, self.cloud, Request(method, path, headers, _bytes(body), query or {}))

    def admin(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Faults and pace: GET, POST, DELETE `/_rft/faults[/<name>]`; GET, POST `/_rft/pace`.

        Raises:
            InvalidInput: unknown path, fault or parameter; the text lists what is allowed.
        """
        if path.rstrip("/") == PACE_PATH and method in ("GET", "POST"):
            if method == "POST":
                self.pace.seconds = Pace.checked((body or {}).get("seconds_per_step"), f"POST {PACE_PATH}")
            return {"seconds_per_step": self.pace.seconds}
        if path.rstrip("/") == PATH or path.startswith(f"{PATH}/"):
            name = path[len(PATH) :].strip("/") or None
            if method == "GET" and name is None:
                known = {fault: list(params) for fault, params in KNOWN.items()}
                return {"faults": self.faults.list(), "known": known, "met": list(self.faults.met)}
            if method == "DELETE":
                return {"cleared": self.faults.clear(name, body)}
            if method == "POST" and name is None:
                given = dict(body or {})
                return self.faults.set(given.pop("name", None), given).as_dict()
        raise InvalidInput(f"{method} {path}", [f"allowed is GET, POST or DELETE {PATH}, DELETE {PATH}/<name>, GET or POST {PACE_PATH}"])

    def status(self) -> dict[str, Any]:
        """What it is, and what it is doing."""
        at = time.time()
        with self.store.read() as state:
            jobs = [
                {
                    "name": job.name,
                    "account": job.account,
                    "region": job.region,
                    "status": job.status,
                    "step": job.step,
                    "steps": job.steps,
                    "reward": job.reward,
                    "prompts_filtered": job.filtered,
                }
                for job in state.jobs.values()
            ]
            deployments = [{"name": d.name, "account": d.account, "status": d.status(at)} for d in state.deployments.values()]
            models = len(state.models)
        return {
            "stand_in": True,
            "note": NOTE,
            "seconds_per_step": self.pace.seconds,
            "jobs": jobs,
            "models": models,
            "deployments": deployments,
            "faults": self.faults.list(),
        }

    def shutdown(self) -> None:
        """Ends all threads. A job that is running is found Failed at the next start."""
        self.runner.shutdown()
        self.store.close()

    def _announce_lost(self) -> None:
        lost = self.store.fail_interrupted()
        if not lost:
            return

        def announce() -> None:
            # The rest of the cloud is still starting when the stand-in is mounted.
            if not self.runner.halt.wait(_STARTING_SECONDS):
                for job in lost:
                    self.runner.announce(job)

        threading.Thread(target=announce, name="lost-jobs", daemon=True).start()


class _Front:
    """Routes, checks, and the operations behind them."""

    def __init__(self, wire: Wire, operations: dict[str, Operation]) -> None:
        self.wire = wire
        self.operations = operations

    def implements(self, method: str, path: str) -> bool:
        route = self.wire.route(method, path)
        return route is not None and route[0] in self.operations

    def serve(self, cloud: Cloud, request: Request) -> Answer:
        try:
            return self._serve(cloud, request)
        except ServiceError as error:
            return self.wire.error(error)
        except Exception:
            LOG.exception("%s %s", request.method, request.path)
            return self.wire.error(ServiceError("InternalServerException", "Internal error of the local stand-in; see its log."))

    def _serve(self, cloud: Cloud, request: Request) -> Answer:
        route = self.wire.route(request.method, request.path)
        if route is None:
            raise ServiceError("UnknownOperationException", f"{self.wire.service} has no such operation ({request.method}).")
        operation, labels = route
        if operation not in self.operations:
            raise invalid(f"{operation} is not supported by the local stand-in; supported are {', '.join(self.operations)}.")
        params = self.wire.params(operation, labels, request)
        result = self.operations[operation](Place(cloud.account(), cloud.region()), params)
        return self.wire.answer(operation, result)


def mount(cloud: Cloud) -> StandIn:
    """Makes the stand-in for a local cloud; call `shutdown` when the cloud goes down."""
    return StandIn(cloud)


def _bytes(body: bytes | str | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""
