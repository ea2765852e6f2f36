"""What survives a restart. ministack saves when it ends in order; this also saves while it runs, and mends what was cut off.

A server that is killed comes back with its last checkpoint: stacks, functions, alarms and runs at most `_EVERY_SECONDS` old, or as old
as nine times what saving them takes, objects as they were. Whatever was in progress is marked as ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import time
from typing import IO, Any

import ministack.app as upstream
from ministack.core import persistence
from ministack.services import cloudformation, s3, stepfunctions
from ministack.services.cloudformation import stacks

from local.emulator import not_emulated, settings

log = logging.getLogger("rft.local")

_EVERY_SECONDS = 15.0
_SETTLE_SECONDS = 0.2
"""Waited before each checkpoint, so that stacks ending together make one."""

_REST = 9
"""Waited before the next one as often as the last took: what many runs have left must not keep requests waiting most of the time."""

_dirty = [False]
_loops: list[asyncio.AbstractEventLoop] = []
_now: asyncio.Event = asyncio.Event()


def install() -> None:
    """Save regularly, and mend after loading."""
    upstream_load = upstream._load_persisted_state

    def load() -> None:
        upstream_load()
        _load_recorded()
        _drop_unknown_buckets()
        _end_what_was_in_progress()

    upstream_event = stacks._add_event
    upstream_status = stepfunctions._emit_execution_status_event

    def add_event(stack_id: str, stack_name: str, logical_id: str, kind: str, status: str, *more: Any, **named: Any) -> Any:
        if kind == "AWS::CloudFormation::Stack" and not status.endswith("_IN_PROGRESS"):
            soon()
        return upstream_event(stack_id, stack_name, logical_id, kind, status, *more, **named)

    def emit_status(execution: dict[str, Any]) -> Any:
        if execution["status"] != "RUNNING":
            soon()
        return upstream_status(execution)

    persistence.json = _Json()
    upstream._load_persisted_state = load
    stacks._add_event = add_event
    stepfunctions._emit_execution_status_event = emit_status


def touch() -> None:
    """Something may have changed since the last checkpoint."""
    _dirty[0] = True


def soon() -> None:
    """A stack or a run has just ended: whoever kills the cloud now should still find it ended. Callable from any thread."""
    touch()
    for loop in _loops:
        loop.call_soon_threadsafe(_now.set)


async def keep() -> None:
    """Save every `_EVERY_SECONDS` while requests come in, and soon after `soon`.

    Runs on the event loop, where no request handler is half-way.
    """
    _loops[:] = [asyncio.get_running_loop()]
    took = 0.0
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_now.wait(), _EVERY_SECONDS)
        await asyncio.sleep(max(_SETTLE_SECONDS, _REST * took))
        _now.clear()
        if _dirty[0]:
            _dirty[0] = False
            began = time.monotonic()
            save()
            took = time.monotonic() - began


def save() -> None:
    """Write a checkpoint now."""
    persistence.save_all(upstream._build_persistence_save_dict())
    path = settings.current().services_dir / "recorded"
    path.write_text(json.dumps(not_emulated.recorded()))


class _Json:
    """The module `json` for ministack to save with: its `dump` goes through Python for each value, which takes five times as long."""

    def __getattr__(self, name: str) -> Any:
        return getattr(json, name)

    @staticmethod
    def dump(value: object, file: IO[str], **options: Any) -> None:
        file.write(json.dumps(value, **options))


def _load_recorded() -> None:
    path = settings.current().services_dir / "recorded"
    if path.exists():
        for what, why in json.loads(path.read_text()).items():
            not_emulated.record(what, why)


_ENDED = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
}
"""What a stack operation that was cut off becomes; every update becomes UPDATE_ROLLBACK_COMPLETE, from which a deploy goes on."""


def _drop_unknown_buckets() -> None:
    """Forget buckets made after the last checkpoint. Their files are there already, but no stack knows them any more."""
    saved = (persistence.load_state("s3") or {}).get("buckets_meta")
    known = set(saved._data) if saved is not None else set()
    for account, bucket in [key for key in s3._buckets._data if key not in known]:
        s3._buckets._data.pop((account, bucket))
        shutil.rmtree(settings.current().objects_dir / account / bucket, ignore_errors=True)
        log.warning("bucket %s was made after the last checkpoint and is gone", bucket)


def _end_what_was_in_progress() -> None:
    """Stack operations that were cut off are marked as ended. ministack does the same for executions."""
    for stack in _all(cloudformation._stacks):
        status = stack.get("StackStatus", "")
        if status.endswith("_IN_PROGRESS") and not status.startswith("REVIEW"):
            stack["StackStatus"] = _ENDED.get(status, "UPDATE_ROLLBACK_COMPLETE")
            stack["StackStatusReason"] = "the local cloud ended while this was in progress"
            log.warning("stack %s was in progress when the cloud ended; it is now %s", stack.get("StackName"), stack["StackStatus"])


def _all(store: Any) -> list[dict[str, Any]]:
    return list(store._data.values())
