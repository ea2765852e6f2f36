"""Runs a command that ends when its starter does, even when that is killed: `python -m rft.leash command …`.

The starter keeps the other end of standard input; when it is gone, standard input ends, and so does the whole process group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Runs the command of the arguments and returns its exit code."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603 - the starter's own arguments, no shell
    threading.Thread(target=_watch, daemon=True).start()
    return process.wait()


def _watch() -> None:
    # read() returns when the last holder of the other end has closed it or died.
    os.read(sys.stdin.fileno(), 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
