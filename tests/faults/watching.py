"""An operator who also hears what is told, and sees what was done how often."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from contracts import names
from contracts.events import Outcome

from local import cloud
from local.bedrock import faults_client
from tests.cloud.conftest import ENVIRONMENT, PATIENCE_SECONDS, Ended, Operator
from tests.faults import redeploying
from tests.faults.aftermath import event_of

ROOM = 10
"""Jobs that run at once."""

SILENCE_SECONDS = 10
"""How long to listen for what should not come."""


class Watcher(Operator):
    """Shared by runs that go on at once: what comes in for any of them is kept for all."""

    def __init__(self, endpoint: cloud.Endpoint, inbox: str, messages: str, folder: Path) -> None:
        super().__init__(endpoint, inbox, {})
        self.folder = folder
        self._messages = messages
        self._heard: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._starting = threading.RLock()
        self.together = threading.Barrier(2)
        """Where two runs wait for each other."""

    def start(self, run_id: str, **request: Any) -> str:
        with self._starting:
            return super().start(run_id, **request)

    @contextlib.contextmanager
    def changed(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """The state machine with another definition, for the run that is started in the block; others wait with their start."""
        machine = self.parameter(names.PARAM_STATE_MACHINE)
        with self._starting:
            before = self.states.describe_state_machine(stateMachineArn=machine)["definition"]
            definition = json.loads(before)
            change(definition["States"])
            self.states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
            known = self.runs()
            try:
                yield
                # An execution keeps the definition it has begun with, which it has once it is in a state.
                for run in self.runs() - known:
                    self.eventually(lambda run=run: self.entered(run) or None, f"run {run} to begin")  # type: ignore[misc]
            finally:
                self.states.update_state_machine(stateMachineArn=machine, definition=before)

    def make_room(self, jobs: int) -> Callable[[], None]:
        """Lets more jobs run at once than the environment's settings do; gives what undoes it."""
        function = self.function("ClaimTurnFunction")
        before = self.lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        settings = json.loads(before.get(names.ENV_SETTINGS, "{}"))
        settings["training"] = {**settings.get("training", {}), "max_running": jobs}

        def apply(variables: dict[str, str]) -> None:
            self.lambda_.update_function_configuration(FunctionName=function, Environment={"Variables": variables})

        apply({**before, names.ENV_SETTINGS: json.dumps(settings)})
        return lambda: apply(before)

    def redeploy(self) -> None:
        """Deploys the app with other code and settings; nobody starts a run meanwhile."""
        assembly = redeploying.changed_assembly(self.folder, settings={"poll_seconds": 240, "max_running": ROOM})
        with self._starting:
            redeploying.redeploy(self.endpoint, assembly)

    def function(self, part: str) -> str:
        """The name of the function that has this in it."""
        pages = self.lambda_.get_paginator("list_functions").paginate()
        (found,) = [f["FunctionName"] for page in pages for f in page["Functions"] if part in f["FunctionName"]]
        return str(found)

    def invoke(self, part: str, event: dict[str, Any]) -> None:
        answer = self.lambda_.invoke(FunctionName=self.function(part), Payload=json.dumps(event))
        assert "FunctionError" not in answer, answer["Payload"].read()

    def exists(self, run_id: str) -> bool:
        try:
            self.execution(run_id)
        except self.states.exceptions.ExecutionDoesNotExist:
            return False
        return True

    def ended_as(self, run_id: str, seconds: float) -> Ended:
        """How a run ended, whether or not there is a record of it."""

        def look() -> dict[str, Any] | None:
            found = self.execution(run_id)
            return found if found["status"] != "RUNNING" else None

        found = self.eventually(look, f"the end of run {run_id}", seconds)
        code = Outcome.RELEASED.value if found["status"] == "SUCCEEDED" else found.get("error", found["status"])
        return Ended(run_id, code, found.get("cause", ""), {})

    def settled(self, look: Callable[[], list[str]], seconds: float) -> list[str]:
        """What `look` still finds when it finds nothing any more, or when the time is up."""
        deadline = time.monotonic() + seconds
        found = look()
        while found and time.monotonic() < deadline:
            time.sleep(0.3)
            found = look()
        return found

    def history(self, run_id: str) -> list[dict[str, Any]]:
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=self.execution(run_id)["executionArn"])
        return [event for page in pages for event in page["events"]]

    def entered(self, run_id: str) -> bool:
        """Whether a run has entered a state."""
        return any(event["type"].endswith("StateEntered") for event in self.history(run_id))

    def pointed_at(self) -> set[str]:
        """The deployments that the released-model pointer names."""
        try:
            pointer = json.loads(self.parameter(names.PARAM_RELEASED_MODEL))
        except ClientError:
            return set()
        return {entry["deployment_arn"] for entry in (pointer, pointer.get("previous")) if entry}

    def releases(self, run_id: str) -> int:
        """How many times the pointer was moved to a run. Writing it again, as it is or with another release behind it, moves nothing."""
        name = names.parameter(ENVIRONMENT, names.PARAM_RELEASED_MODEL)
        try:
            pages = self.ssm.get_paginator("get_parameter_history").paginate(Name=name)
            runs = [json.loads(entry["Value"])["run_id"] for page in pages for entry in page["Parameters"]]
        except self.ssm.exceptions.ParameterNotFound:
            return 0
        return sum(run == run_id != before for before, run in itertools.pairwise(["", *runs]))

    def holders(self) -> set[str]:
        """The runs that hold a place among the jobs, or stand in line for one."""
        found = {key: self.read(names.PARAM_RUNS_BUCKET, key) for key in self.keys(names.PARAM_RUNS_BUCKET, names.TURNS)}
        waiting = found.pop(names.TURN_LINE, {"waiting": []})["waiting"]
        return {str(place["run_id"]) for place in found.values()} | set(waiting)

    def told_of(self, run_id: str, code: str, wanted: Collection[str]) -> list[str]:
        """By which ways the end of a run was told: `message` to people, `event` on the bus. Waits for those that are wanted, and then
        a little for the others."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        silence = None
        while True:
            with self._lock:
                self._listen()
                message = any(f" {run_id} " in text for text in self._texts())
                event = any(self._tells_of(entry, run_id, code) for entry in self._heard)
            found = [way for way, came in (("event", event), ("message", message)) if came]
            if silence is None and set(wanted) <= set(found):
                silence = time.monotonic() + SILENCE_SECONDS
            if len(found) == 2 or time.monotonic() > (silence or deadline):
                return found
            time.sleep(0.3)

    def messages_about(self, run_id: str) -> list[str]:
        """What people were told of a run."""
        with self._lock:
            self._listen()
            return [text for text in self._texts() if f" {run_id} " in text]

    def no_more(self, name: str, **parameters: Any) -> None:
        faults_client.clear(self.endpoint, name, **parameters)

    def _texts(self) -> list[str]:
        return [f"{entry['Subject']}\n{entry['Message']} " for entry in self._heard if "ended" in entry.get("Message", "")]

    @staticmethod
    def _tells_of(entry: dict[str, Any], run_id: str, code: str) -> bool:
        return entry.get("detail-type") == event_of(code) and entry["detail"]["run_id"] == run_id and entry["detail"].get("outcome") == code

    def _listen(self) -> None:
        for queue in (self._inbox, self._messages):
            while received := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                for message in received:
                    self._heard.append(json.loads(message["Body"]))
                    self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
