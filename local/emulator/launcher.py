"""Starts the server: environment, self-test, patches, HTTP, and an orderly or forced end."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from local.emulator import selftest, settings

log = logging.getLogger("rft.local")

_CONCERNS = (
    "identity",
    "lambda_runtime",
    "lambda_async",
    "lambda_concurrency",
    "cloudwatch_api",
    "alarm_notices",
    "alarms",
    "log_metrics",
    "stepfunctions",
    "stepfunctions_states",
    "events",
    "service_metrics",
    "cloudformation",
    "lambda_iam",
    "kms_iam",
    "logs_iam",
    "cloudwatch_iam",
    "bedrock_iam",
    "s3_conditions",
    "s3_events",
    "bedrock",
    "checkpoints",
)
"""Modules with an `install()` that patches one concern, in the order they must be applied."""

_GRACE_SECONDS = 6.0
"""How long an orderly end may take. A pending custom resource would otherwise hold the process for its hour."""


def run(*, state_dir: Path, port: int, clock: float, owned: bool) -> int:
    """Serve until told to stop; the exit code of the process."""
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        listener = settings.listen(state_dir, port)
    except OSError as problem:
        print(problem, file=sys.stderr)
        return 1
    current = settings.Settings(state_dir=state_dir, port=listener.getsockname()[1], clock=clock, secret=settings.secret_of(state_dir))
    settings.enter(current)
    logging.basicConfig(level=os.environ["LOG_LEVEL"], format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        selftest.require()
    except selftest.PatchPointMissing as problem:
        print(problem, file=sys.stderr)
        return 1
    for concern in _CONCERNS:
        importlib.import_module(f"local.emulator.{concern}").install()
    if owned:
        threading.Thread(target=_end_with_owner, name="rft-owner", daemon=True).start()
    asyncio.run(_serve(listener.detach(), current))
    _finish()
    return 0


async def _serve(listener: int, current: settings.Settings) -> None:
    # Imported here because ministack reads its environment when it is imported, and that is set just before.
    from hypercorn.asyncio import serve  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415

    from local.emulator import checkpoints, gateway  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        threading.Thread(target=_force_end, daemon=True).start()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    config = Config()
    config.bind = [f"fd://{listener}"]
    # Were an idle connection closed at the moment it is used again, the call of a state machine, which has one attempt, would fail.
    config.keep_alive_timeout = 86_400
    config.graceful_timeout = 0.5
    config.shutdown_timeout = 4.0
    config.loglevel = os.environ["LOG_LEVEL"]
    background = {loop.create_task(_announce(current)), loop.create_task(checkpoints.keep())}
    application: Any = gateway.application
    await serve(application, config, shutdown_trigger=stop.wait)
    for task in background:
        task.cancel()


async def _announce(current: settings.Settings) -> None:
    """Write `cloud.json` once the server answers, for `local.cloud` to find it."""

    def answers() -> bool:
        connection = http.client.HTTPConnection(settings.HOST, current.port, timeout=5)
        try:
            connection.request("GET", "/_rft/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    while not await asyncio.to_thread(answers):
        await asyncio.sleep(0.02)
    record = {
        "pid": os.getpid(),
        "port": current.port,
        "endpoint": current.endpoint,
        "secret": current.secret,
        "clock": current.clock,
        "started": time.time(),
    }
    path = current.state_dir / "cloud.json"
    partial = path.with_suffix(".tmp")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(record))
    partial.replace(path)


def _end_with_owner() -> None:
    """End when standard input closes: the process that started this one is gone, however it went."""
    try:
        while sys.stdin.buffer.read(4096):
            continue
    except OSError:
        log.debug("standard input is gone")
    os.kill(os.getpid(), signal.SIGTERM)


def _force_end() -> None:
    time.sleep(_GRACE_SECONDS)
    _finish()
    os._exit(0)


def _finish() -> None:
    from ministack.core import lambda_runtime  # noqa: PLC0415

    from local.emulator import bedrock  # noqa: PLC0415

    bedrock.shutdown()
    lambda_runtime.reset()
    current = settings.current()
    (current.state_dir / "cloud.json").unlink(missing_ok=True)
