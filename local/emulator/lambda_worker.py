"""First program of a function's process: limits it, ties its life to the server's, then runs AWS's runtime client.

Started by path with `python -I -S`, so it sees neither this project nor its virtual environment: only the function's code,
its layers, and what AWS's own runtime brings (boto3 and the runtime client).

Arguments: handler, memory in MB, then the directories for `sys.path`, in order. Standard input is a pipe whose other end
only the server holds.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading

_ALLOWANCE_MB = 192
"""What a Python process reserves beyond what a function uses: thread stacks and allocator arenas count against the limit."""

_PR_SET_PDEATHSIG = 1


def _die_with_server() -> None:
    """Leave when the server does, even when it was killed.

    The pipe works everywhere but needs this process to run Python; the death signal works on Linux even inside C code.
    The server spawns from one thread that lives as long as it does, because the signal follows the thread.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    pipe = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def watch() -> None:
        while os.read(pipe, 1024):
            continue
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="server-watch", daemon=True).start()


def _limit_memory(megabytes: int) -> None:
    limit = (megabytes + _ALLOWANCE_MB) * 1024 * 1024
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ValueError, OSError):
        print("the memory limit cannot be set on this machine", file=sys.stderr)


def main() -> None:
    handler, megabytes, paths = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    _die_with_server()
    _limit_memory(megabytes)
    sys.path[:0] = paths
    sys.argv = ["awslambdaric", handler]
    from awslambdaric.__main__ import main as runtime  # noqa: PLC0415 - only importable once sys.path is set

    runtime(sys.argv)


if __name__ == "__main__":
    main()
