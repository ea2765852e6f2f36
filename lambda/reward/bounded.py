"""Runs a function under a time and a memory bound that hold in any thread and against loops in C.

A signal reaches only the main thread and waits for C code to return, so neither it nor a thread can end ``9**9**9`` or a
runaway regular expression. A process can be ended: the function runs in a forked worker that is kept for the next call and
killed when it is late. What goes in and out is JSON, over a pipe; Lambda has no shared memory, so neither a queue nor a pool
of `multiprocessing` works there.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

MAX_WORKERS = 4
"""Workers at once; further callers wait for one, and each holder is bounded."""

MEMORY_BYTES = 256 * 1024**2
"""Address space a worker may add to what it starts with. Not enforced by macOS."""

MAX_MESSAGE = 1_000_000
"""Bytes of an argument or a result as JSON."""

START_SECONDS = 60.0
"""For starting a worker and importing the function's module, apart from the call's own bound."""

TASKS_PER_WORKER = 2_000
"""After as many calls a worker is replaced, so that caches of a library cannot grow for the life of the parent."""

_GRACE_SECONDS = 2
# A forked worker has what its parent imported, so one that replaces a killed one costs milliseconds. Fork is unsafe on macOS.
_CONTEXT = multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")


class TimedOut(RuntimeError):
    """The function did not end within its bound; its worker is gone."""


class Failed(RuntimeError):
    """The function raised, answered something that is no JSON, or took its worker down.

    Attributes:
        kind: name of the exception's class, such as ``MemoryError``, or ``died``. Never a message: it may hold model text.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(kind)


def run(function: Callable[[Any], Any], argument: object, seconds: float) -> Any:
    """``function(argument)``, computed in a worker.

    Args:
        function: a function at the top level of an importable module.
        argument: JSON of at most `MAX_MESSAGE` bytes.
        seconds: wall-clock time the call itself may take; above 0. Starting a worker is not counted.

    Returns:
        What the function returned, through JSON: tuples come back as lists.

    Raises:
        TimedOut: if it took longer.
        Failed: if it raised, ran out of memory or ended its process. The next call has a new worker.
        ValueError: if the argument is no JSON or too large, or the bound is not above 0.
    """
    if not seconds > 0:
        raise ValueError("seconds must be above 0")
    name = f"{function.__module__}:{function.__qualname__}"
    message = json.dumps([name, argument, seconds]).encode()
    if len(message) > MAX_MESSAGE:
        raise ValueError(f"an argument is at most {MAX_MESSAGE} bytes as JSON")
    with _pool.slots:
        worker = _pool.take()
        try:
            answer = worker.ask(name, message, seconds)
        except BaseException:  # an interrupt as well: a worker with a question open would answer the next one with it
            worker.end()
            raise
        if worker.tasks < TASKS_PER_WORKER and answer.get("error") != "MemoryError":
            _pool.give_back(worker)
        else:
            worker.end()
    if "error" in answer:
        raise Failed(str(answer["error"])[:60])
    return answer.get("result")


def close() -> None:
    """Ends the idle workers. The interpreter does it when it exits; this is for those who want it sooner."""
    for worker in _pool.drain():
        worker.end()


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    tasks: int = 0
    loaded: set[str] = field(default_factory=set)

    def ask(self, name: str, message: bytes, seconds: float) -> dict[str, Any]:
        if name not in self.loaded:
            if "error" in (loaded := self._exchange(json.dumps([name]).encode(), START_SECONDS)):
                raise Failed(str(loaded["error"])[:60])
            self.loaded.add(name)
        self.tasks += 1
        return self._exchange(message, seconds)

    def _exchange(self, message: bytes, seconds: float) -> dict[str, Any]:
        try:
            self.pipe.send_bytes(message)
            if not self.pipe.poll(seconds):
                raise TimedOut(f"not done within {seconds:g} s")
            answer = json.loads(self.pipe.recv_bytes(MAX_MESSAGE))
        except (EOFError, OSError, ValueError, RecursionError):
            raise Failed("died") from None
        return answer if isinstance(answer, dict) else {"error": "died"}

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()  # so that no zombie is left
        self.process.close()


class _Pool:
    """The workers that wait for a call."""

    def __init__(self) -> None:
        self.slots = threading.BoundedSemaphore(MAX_WORKERS)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []

    def take(self) -> _Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.process.is_alive():
                    return worker
                worker.end()
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._idle.append(worker)

    def drain(self) -> list[_Worker]:
        with self._lock:
            idle, self._idle = self._idle, []
        return idle


_pool = _Pool()


def _forget() -> None:
    # The workers belong to the process that started them; a fork of it must not talk through the same pipes.
    global _pool  # noqa: PLW0603 - replaced whole, since a lock copied by fork may be held for ever
    _pool = _Pool()


os.register_at_fork(after_in_child=_forget)


def _serve(pipe: Connection) -> None:
    """The worker's life: one message after the other, until the parent closes the pipe or ends."""
    _isolate(pipe.fileno())
    functions: dict[str, Callable[[Any], Any]] = {}
    while True:
        try:
            name, *call = json.loads(pipe.recv_bytes(MAX_MESSAGE))
        except (EOFError, OSError):
            os._exit(0)  # not exit: handlers that were inherited are the parent's business
        answer = _answer(functions, name, call)
        try:
            pipe.send_bytes(answer)
        except OSError:
            os._exit(0)


def _answer(functions: dict[str, Callable[[Any], Any]], name: str, call: list[Any]) -> bytes:
    try:
        if not call:
            functions[name] = _function(name)
            return b"{}"
        argument, seconds = call
        # The kernel ends a worker whose parent is no longer there to do it.
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        answer = json.dumps({"result": functions[name](argument)}, allow_nan=False).encode()
        return answer if len(answer) <= MAX_MESSAGE else b'{"error":"OverflowError"}'
    except BaseException as error:
        return json.dumps({"error": type(error).__name__[:60]}).encode()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _function(name: str) -> Callable[[Any], Any]:
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def _isolate(pipe: int) -> None:
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, whose end ends the worker
    # Nothing it prints reaches the parent's log: a library may print what it reads.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    sys.stdout = sys.stderr = os.fdopen(1, "w", closefd=False)
    # Of what was inherited it keeps its pipe only: a copy of a sibling's would hide the parent's end from that sibling.
    most = min(os.sysconf("SC_OPEN_MAX"), 65_536)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, most)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hardest = resource.getrlimit(resource.RLIMIT_AS)
        most_memory = _address_space() + MEMORY_BYTES
        if hardest == resource.RLIM_INFINITY or most_memory < hardest:
            resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))


def _address_space() -> int:
    """Bytes mapped by this process; 0.5 GB where the system does not tell, which is macOS."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib would be imported for one line
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 512 * 1024**2
