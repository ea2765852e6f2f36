"""How close a judged batch comes to the ideal for its concurrency. Run with ``python -m benchmarks.bench_judge``.

A small HTTP server on loopback answers Converse after a fixed time, so the handler is measured with the real SDK: requests built,
signed, sent, answers read and checked, scores and metrics made. The ideal is that time for each round of `concurrency` requests.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from contracts import names
from reward.handler import handler

ALLOWED = 1.3
"""Times the ideal."""


class _Judge(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # head and body in one packet: in two, each answer would wait 40 ms for a delayed acknowledgement
    seconds = 0.3

    def do_POST(self) -> None:  # the name http.server looks for
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.seconds)
        schema = request["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]
        use = {"toolUseId": "t", "name": "record_scores", "input": {name: {"score": 4} for name in schema["properties"]}}
        answer = {
            "output": {"message": {"role": "assistant", "content": [{"toolUse": use}]}},
            "stopReason": "tool_use",
            "usage": {"inputTokens": 500, "outputTokens": 40, "totalTokens": 540},
            "metrics": {"latencyMs": round(self.seconds * 1000)},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the table is the output."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def judge_server(seconds: float) -> Iterator[str]:
    """A judge that takes `seconds` for each answer; its URL."""
    server = _Server(("127.0.0.1", 0), type("Judge", (_Judge,), {"seconds": seconds}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def event(count: int) -> list[dict[str, Any]]:
    """`count` different responses, so that every one of them is asked about."""
    return [
        {
            "id": f"s{number}",
            "messages": [
                {"role": "user", "content": "Summarise the report. " + "It was a long year. " * 40},
                {"role": "assistant", "content": f"Summary {number}: " + "it was long. " * 40},
            ],
            "metadata": {"reference_answer": "It was a long year."},
        }
        for number in range(count)
    ]


def measured(*, batch: int, concurrency: int, rounds: int) -> float:
    """Best seconds of the handler on a batch, after a first call that makes the client and its connections."""
    os.environ[names.ENV_GRADER] = "judge"
    os.environ[names.ENV_GRADER_OPTIONS] = json.dumps({"template": "summarisation", "concurrency": concurrency})
    best = math.inf
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        handler(event(1))
        for _ in range(rounds):
            started = time.perf_counter()
            results = handler(event(batch))
            best = min(best, time.perf_counter() - started)
            if {round(result["aggregate_reward_score"], 9) for result in results} != {0.75}:
                raise RuntimeError("a score is not what the judge gave")
    return best


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; 1 when a row is over the allowed ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_judge", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch", type=int, default=64, help="responses in a batch")
    parser.add_argument("--milliseconds", type=float, default=300, help="time the judge takes")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions; the best is shown")
    options = parser.parse_args(arguments)
    seconds = options.milliseconds / 1000
    os.environ.update({"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"})
    worst = 0.0
    print(f"A judged batch of {options.batch} with a judge that takes {options.milliseconds:g} ms; allowed is {ALLOWED} times the ideal\n")
    print("concurrency  ideal s  handler s  ratio")
    with judge_server(seconds) as url:
        os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = url
        for concurrency in (4, 8, 16, 32):
            ideal = math.ceil(options.batch / concurrency) * seconds
            took = measured(batch=options.batch, concurrency=concurrency, rounds=options.rounds)
            worst = max(worst, took / ideal)
            print(f"{concurrency:>11}  {ideal:>7.2f}  {took:>9.2f}  {took / ideal:>5.2f}")
    return 0 if worst <= ALLOWED else 1


if __name__ == "__main__":
    raise SystemExit(main())
