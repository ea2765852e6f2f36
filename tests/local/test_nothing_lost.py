"""Given threads that come late, the local cloud loses no line of a function's log and no point of a metric; saving what many runs have
left does not keep it from its work."""

from __future__ import annotations

import asyncio
import copy
import os
import queue
import threading
import time
from typing import Any

import pytest
from ministack.core.lambda_runtime import ProvidedWorker
from ministack.services import cloudwatch as upstream

from local.emulator import checkpoints, cloudwatch_api
from local.emulator.lambda_output import Output
from local.emulator.lambda_runtime import _Worker


class Written:
    """A pipe that a function's process writes to, and what was taken from it."""

    def __init__(self) -> None:
        read, self.end = os.pipe()
        self.lines: queue.Queue[str] = queue.Queue(maxsize=3)
        self.output = Output(os.fdopen(read, "rb", buffering=0), self.lines)

    def write(self, text: bytes) -> None:
        os.write(self.end, text)

    def taken(self) -> list[str]:
        return [self.lines.get_nowait() for _ in range(self.lines.qsize())]


def test_what_was_written_is_there_though_nobody_has_followed_along() -> None:
    written = Written()
    written.write(b"one\ntwo\r\nhal")
    assert written.output.take()
    assert written.taken() == ["one", "two"]
    written.write(b"f\n\xff\n")
    assert written.output.take()
    assert written.taken() == ["half", "\ufffd"]


def test_the_last_line_needs_no_end_and_the_oldest_go_when_there_are_too_many() -> None:
    written = Written()
    written.write(b"1\n2\n3\n4\n5")
    os.close(written.end)
    assert not written.output.take()
    assert written.taken() == ["3", "4", "5"]


def test_following_ends_with_the_process_and_takes_everything() -> None:
    written = Written()
    follower = threading.Thread(target=written.output.follow)
    follower.start()
    written.write(b"one\ntwo\n")
    os.close(written.end)
    follower.join(60)
    assert not follower.is_alive()
    assert written.taken() == ["one", "two"]
    assert not written.output.take()


def test_a_functions_log_has_its_lines_though_their_reader_has_not_run_yet() -> None:
    written = Written()
    worker = _Worker("f", {}, b"")
    worker._stderr_queue, worker._output = written.lines, written.output
    written.write(b"the metrics\n")
    assert worker._drain_stderr_bounded() == "the metrics"
    assert hasattr(ProvidedWorker, "_drain_stderr_bounded"), "what invoke() calls for the log"


class Slow(dict[Any, Any]):
    """Gives another thread time between a look and what follows from it."""

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key, default)
        time.sleep(0.05)
        return found


def test_of_the_first_points_of_a_metric_at_once_each_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_metric_bucket", "_get_metric_data", "_get_metric_statistics", "_put_metric_alarm", "_evict_old_metrics"):
        monkeypatch.setattr(upstream, name, getattr(upstream, name))
    monkeypatch.setattr(upstream, "_metrics", upstream._metrics)
    cloudwatch_api.install()
    monkeypatch.setattr(upstream, "_metrics", Slow())
    threads = [threading.Thread(target=upstream.record_metric, args=("N", "M", 1.0)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (points,) = upstream._metrics.values()
    assert len(points) == 4


def test_what_is_saved_of_a_metric_stays_as_it_was_and_copies_no_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloudwatch_api._Points()
    monkeypatch.setattr(upstream, "_metrics", points)
    upstream.record_metric("N", "M", 1.0)
    saved = copy.deepcopy(points)
    upstream.record_metric("N", "M", 2.0)
    ((before,), (now,)) = saved._data.values(), points._data.values()
    assert [point["Value"] for point in before] == [1.0]
    assert [point["Value"] for point in now] == [1.0, 2.0]
    assert before[0] is now[0]


def test_the_longer_a_checkpoint_takes_the_longer_the_next_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time at the most goes into checkpoints; short ones come as soon as something has ended."""
    clock, waited, lengths = [0.0], [], iter((0.001, 20.0, 0.001))

    def save() -> None:
        clock[0] += next(lengths)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) > 3:
            raise asyncio.CancelledError
        checkpoints._dirty[0] = True
        checkpoints._now.set()

    async def kept() -> None:
        checkpoints._now.set()
        await checkpoints.keep()

    monkeypatch.setattr(checkpoints, "save", save)
    monkeypatch.setattr(checkpoints, "_now", asyncio.Event())
    monkeypatch.setattr(checkpoints, "time", type("Clock", (), {"monotonic": staticmethod(lambda: clock[0])}))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(kept())
    assert waited == pytest.approx([0.2, 0.2, 180.0, 0.2])
