"""What a function's process writes, line by line, complete at any moment.

ministack waits a few milliseconds for lines after the function has answered and then goes without them. On a busy machine the thread that
reads them may come later than that: they would stand in the next invocation's log, or nowhere, and so would the metrics in them.
"""

from __future__ import annotations

import os
import queue
import select
import threading
from typing import IO

_CHUNK = 1 << 16


class Output:
    """The output of one process, from the pipe into `lines`.

    A process writes its lines before it answers, so that whoever takes after the answer has them all, whether or not the thread that
    follows along has run.
    """

    def __init__(self, stream: IO[bytes], lines: queue.Queue[str]) -> None:
        self._stream, self._lines = stream, lines
        self._lock = threading.Lock()
        self._rest = b""
        self._ended = False
        os.set_blocking(stream.fileno(), False)

    def follow(self) -> None:
        """Takes whenever there is something, so that the pipe never fills, until every writer has closed it."""
        waiting = select.poll()
        waiting.register(self._stream.fileno(), select.POLLIN | select.POLLHUP)
        while self.take():
            waiting.poll()
        with self._lock:
            self._stream.close()

    def take(self) -> bool:
        """Moves what has been written so far into `lines`; False once nothing more can come."""
        with self._lock:
            while not self._ended:
                try:
                    chunk = os.read(self._stream.fileno(), _CHUNK)
                except BlockingIOError:
                    return True
                *whole, self._rest = (self._rest + chunk).split(b"\n")
                if not chunk:
                    self._ended = True
                    whole = [self._rest] if self._rest else []
                for line in whole:
                    self._put(line.decode("utf-8", errors="replace").rstrip("\r"))
            return False

    def _put(self, line: str) -> None:
        while True:
            try:
                return self._lines.put_nowait(line)
            except queue.Full:
                # The oldest goes: whoever writes must not be stopped by a full log.
                try:
                    self._lines.get_nowait()
                except queue.Empty:
                    continue
