"""The time and memory bound holds: in any thread, against C loops, many times, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from reward import bounded

BOUND = 0.3
AMPLE = 60.0
"""For what ends by itself, on a busy machine as well."""


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    bounded.close()
    STRANGERS.update(all_children())
    yield
    bounded.close()
    assert children() == []


STRANGERS: set[int] = set()
"""Processes that other tests of the same run started."""


def children() -> list[int]:
    return [pid for pid in all_children() if pid not in STRANGERS]


def all_children() -> list[int]:
    """Processes of this one, zombies included."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == os.getpid():
            found.append(int(status.parent.name))
    return found


def double(value: int) -> int:
    return value * 2


def whoami(_: object) -> int:
    return os.getpid()


def echo(value: Any) -> Any:
    return value


def loop_in_python(_: object) -> None:
    while True:
        pass


def loop_in_c(_: object) -> int:
    return len(str(7 ** (3**30) % 10))


def regex_in_c(_: object) -> bool:
    return re.match(r"(a|a)*$", "a" * 60 + "b") is None


def deaf_sleep(_: object) -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


def hoard(_: object) -> int:
    return len([bytearray(50 * 1024**2) for _ in range(40)])


def complain(text: str) -> None:
    print(text)
    sys.stderr.write(text)
    raise KeyError(text)


def die(_: object) -> None:
    os.kill(os.getpid(), 11)


def no_json(_: object) -> object:
    return {1, 2}


def not_a_number(_: object) -> float:
    return float("nan")


def long_answer(_: object) -> str:
    return "x" * (bounded.MAX_MESSAGE + 1)


def leave(_: object) -> None:
    raise SystemExit(3)


HANGS = [loop_in_python, loop_in_c, regex_in_c, deaf_sleep]


def test_a_result_comes_back_as_plain_data() -> None:
    assert bounded.run(double, 21, AMPLE) == 42
    value = {"list": [1, 2.5, None, True], "text": "\u00e9 \U0001f600"}
    assert bounded.run(echo, value, AMPLE) == value


def test_one_worker_serves_call_after_call() -> None:
    assert len({bounded.run(whoami, None, AMPLE) for _ in range(20)}) == 1
    assert bounded.run(whoami, None, AMPLE) != os.getpid()


@pytest.mark.parametrize("hang", HANGS)
def test_a_hang_ends_at_the_bound(hang: Any) -> None:
    bounded.run(double, 1, AMPLE)
    start = time.monotonic()
    with pytest.raises(bounded.TimedOut):
        bounded.run(hang, None, BOUND)
    assert time.monotonic() - start >= BOUND
    assert bounded.run(double, 4, AMPLE) == 8


@pytest.mark.parametrize("hang", HANGS)
def test_a_hang_ends_at_the_bound_in_a_thread(hang: Any) -> None:
    ends: list[Any] = []

    def work() -> None:
        start = time.monotonic()
        try:
            ends.append(bounded.run(hang, None, BOUND))
        except bounded.TimedOut:
            ends.append(time.monotonic() - start)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(AMPLE)
    assert len(ends) == 1 and ends[0] >= BOUND, "what has no end was ended"


def test_many_hangs_leave_no_process_behind() -> None:
    for _ in range(25):
        with pytest.raises(bounded.TimedOut):
            bounded.run(loop_in_python, None, 0.02)
        assert children() == []


def test_many_threads_get_their_own_answers_while_others_hang() -> None:
    def work(number: int) -> object:
        if number % 10 == 0:
            with pytest.raises(bounded.TimedOut):
                bounded.run(regex_in_c, None, 0.1)
            return number * 2
        return bounded.run(double, number, AMPLE)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(work, range(120))) == [number * 2 for number in range(120)]
    assert len(children()) <= bounded.MAX_WORKERS


def test_a_worker_outlives_the_thread_that_started_it() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(bounded.run(whoami, None, AMPLE)))
    thread.start()
    thread.join()
    assert [bounded.run(whoami, None, AMPLE)] == found


def test_memory_is_bounded_as_well() -> None:
    with pytest.raises(bounded.Failed) as failed:
        bounded.run(hoard, None, AMPLE)
    assert failed.value.kind == "MemoryError"
    assert bounded.run(double, 1, AMPLE) == 2


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (complain, "KeyError"),
        (die, "died"),
        (no_json, "TypeError"),
        (not_a_number, "ValueError"),
        (long_answer, "OverflowError"),
        (leave, "SystemExit"),
    ],
)
def test_an_error_comes_back_as_its_kind_and_no_text_of_it_is_printed(function: Any, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(bounded.Failed) as failed:
        bounded.run(function, "canary-heliotrope", AMPLE)
    captured = capfd.readouterr()
    assert failed.value.kind == kind == str(failed.value)
    assert captured.out + captured.err == ""
    assert bounded.run(double, 5, AMPLE) == 10


def test_a_worker_killed_from_outside_is_replaced() -> None:
    first = bounded.run(whoami, None, AMPLE)
    os.kill(first, 9)
    deadline = time.monotonic() + AMPLE
    while Path(f"/proc/{first}/stat").exists() and ") Z" not in Path(f"/proc/{first}/stat").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bounded.run(whoami, None, AMPLE) != first


def test_a_worker_is_replaced_after_its_share_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "TASKS_PER_WORKER", 3)
    assert len({bounded.run(whoami, None, AMPLE) for _ in range(6)}) == 2


@pytest.mark.parametrize(("argument", "seconds"), [("x" * bounded.MAX_MESSAGE, 1.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_what_cannot_be_asked_is_refused_before_a_worker_is_touched(argument: object, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"must be|at most"):
        bounded.run(echo, argument, seconds)
    assert children() == []


ORPHANS = """
import json, os, sys, threading, time
sys.path[:0] = json.loads(sys.argv[1])
from reward import bounded
import test_bounded_helper as helper

pids = [bounded.run(helper.pid, None, 60)]
busy = threading.Thread(target=lambda: bounded.run(helper.spin, None, 1.0), daemon=True)
busy.start()
time.sleep(0.3)
pids.append(bounded.run(helper.pid, None, 60))
print(json.dumps(pids), flush=True)
os.kill(os.getpid(), 9)
"""
HELPER = "import os\ndef pid(_):\n    return os.getpid()\ndef spin(_):\n    while True:\n        pass\n"


def test_workers_idle_and_busy_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "test_bounded_helper.py").write_text(HELPER)
    paths = [str(tmp_path), str(Path(bounded.__file__).resolve().parent.parent)]
    done = subprocess.run(
        [sys.executable, "-c", ORPHANS, json.dumps(paths)], capture_output=True, text=True, timeout=2 * AMPLE, check=False
    )
    assert done.returncode == -9
    deadline = time.monotonic() + AMPLE
    left = set(json.loads(done.stdout))
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if Path(f"/proc/{pid}").exists()}
        time.sleep(0.05)
    assert left == set()
