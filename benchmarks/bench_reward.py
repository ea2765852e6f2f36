"""How fast the deployed grader is, beside a straightforward GSM8K reward in the same run. Run with ``make bench``.

The straightforward reward does what most published ones do: all markers in the last 300 characters by one regular expression,
the last one's text compared with the reference's. It checks nothing, tells nobody anything, and is wrong in both directions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import Any

from contracts import names
from reward.contract import Sample
from reward.graders import build
from reward.handler import handler

from benchmarks.responses import PROBLEMS, events

Event = list[dict[str, Any]]
Handler = Callable[[Event], list[dict[str, Any]]]
LAMBDA = Path(__file__).resolve().parent.parent / "lambda"


def extract(text: str) -> str | None:
    found = re.findall(r"#### (\-?[0-9\.\,]+)", text[-300:])
    return found[-1].replace(",", "") if found else None


def straightforward(event: Event) -> list[dict[str, Any]]:
    """The reward most people start from; its reference is read by the same function as the response."""
    results = []
    for item in event:
        response = ""
        for message in item.get("messages", []):
            if message.get("role") == "assistant":
                response = message.get("content", "")
        reference = item.get("metadata", {}).get("reference_answer", "")
        answer = extract(response)
        gold = extract(reference) if "####" in reference else reference.replace(",", "")
        score = 1.0 if answer is not None and answer == gold else 0.0
        metrics = [{"name": "correct", "value": score, "type": "Reward"}]
        results.append({"id": item.get("id"), "aggregate_reward_score": score, "metrics_list": metrics})
    return results


def invoked(grade: Handler) -> Callable[[str], str]:
    """`grade` with the work of Lambda's runtime around it: JSON text in, JSON text out."""
    return lambda body: json.dumps(grade(json.loads(body)))


def seconds(calls: Sequence[Callable[[Any], object]], batches: Sequence[object], rounds: int) -> list[float]:
    """What each of `calls` takes for all of `batches`, each batch at its fastest of `rounds`.

    The calls take turns at every batch and at being first with it, so that all meet the same weather; the fastest time of something that
    takes a tenth of a millisecond is one that no other process interrupted.
    """
    best = [[float("inf")] * len(batches) for _ in calls]
    for number in range(rounds):
        turns = list(zip(calls, best, strict=True))[:: -1 if number % 2 else 1]
        for place, batch in enumerate(batches):
            for call, times in turns:
                start = perf_counter()
                call(batch)
                times[place] = min(times[place], perf_counter() - start)
    return [sum(times) for times in best]


def throughput(rounds: int, problems: Path) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for batch in (64, 128, 512):
        for bare in (False, True):
            batches = events(count=2048 // batch, batch=batch, bare=bare, problems=problems)
            bodies = [json.dumps(event) for event in batches]
            row = [str(batch), "number" if bare else "worked answer"]
            for calls, given in (((straightforward, handler), batches), ((invoked(straightforward), invoked(handler)), bodies)):
                theirs, ours = seconds(calls, given, rounds)
                samples = batch * len(given)
                row += [f"{samples / theirs:,.0f}", f"{samples / ours:,.0f}", f"{theirs / ours:.2f}"]
            rows.append(tuple(row))
    return rows


def import_milliseconds(rounds: int) -> tuple[float, float]:
    """Medians of a bare interpreter's life and of one that imports the handler."""
    bare: list[float] = []
    full: list[float] = []
    for _ in range(rounds):
        for code, times in (("pass", bare), ("import reward.handler", full)):
            start = perf_counter()
            subprocess.run([sys.executable, "-S", "-c", code], check=True, env={"PYTHONPATH": str(LAMBDA)})  # noqa: S603 - our own interpreter
            times.append((perf_counter() - start) * 1000)
    return statistics.median(bare), statistics.median(full)


def worst_milliseconds() -> list[tuple[str, float]]:
    """What one hostile answer costs, past the handler's limit on length."""
    grade = build("math", {"mode": "lenient"})
    answers = {
        "1 MB of text and a marker": "word " * 200_000 + "\n#### 42",
        "1 MB of text without a marker": "7 " * 500_000,
        "10,000 markers": "#### 42\n" * 10_000,
        "1 MB of markers": "####" * 250_000,
        "1 MB of thinking tags": "<think>" * 143_000,
        "1 MB of angle brackets": "<" * 1_000_000,
        "1 MB of digits": "#### " + "9" * 1_000_000,
        "1 MB of spaces": "####" + " " * 1_000_000 + "42",
    }
    rows = []
    for name, text in answers.items():
        sample = Sample("x", text, "42", [], {})
        times = []
        for _ in range(3):
            start = perf_counter()
            grade(sample)
            times.append((perf_counter() - start) * 1000)
        rows.append((name, min(times)))
    return rows


def memory(samples: int) -> list[tuple[int, float]]:
    """Peak resident megabytes after each tenth of `samples`."""
    batches = events(count=40, batch=64)
    rows, done = [], 0
    for tenth in range(1, 11):
        while done < samples * tenth // 10:
            handler(batches[(done // 64) % len(batches)])
            done += 64
        rows.append((done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
    return rows


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_reward", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="repetitions; the fastest of each batch counts")
    parser.add_argument("--problems", type=Path, default=PROBLEMS, help="a file in GSM8K's shape; the shipped problems if not given")
    parser.add_argument("--samples", type=int, default=1_000_000, help="samples of the memory check")
    options = parser.parse_args(arguments)
    # As the deployed function has them; a variable that is missing takes longer to look up.
    os.environ.update({names.ENV_ENVIRONMENT: "dev", names.ENV_GRADER: "math", names.ENV_GRADER_OPTIONS: '{"mode": "strict"}'})
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the handler's metrics go to standard output
        rows = throughput(options.rounds, options.problems)
        peaks = memory(options.samples)
    bare, full = import_milliseconds(15)

    print("Samples a second on one core: straightforward reward, this handler with contract and metrics, and the ratio\n")
    head = ("batch", "reference", "straightforward", "handler", "ratio", "…JSON in and out", "handler", "ratio")
    print(table(head, rows))
    print(f"\nImport of the handler: {full - bare:.0f} ms over a bare interpreter ({bare:.0f} ms); allowed are 120 ms")
    print("\nOne hostile answer, milliseconds; allowed are 50 ms")
    print(table(("answer", "ms"), [(name, f"{ms:.1f}") for name, ms in worst_milliseconds()]))
    print("\nPeak memory, MB")
    print(table(("samples", "MB"), [(f"{count:,}", f"{megabytes:.1f}") for count, megabytes in peaks]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
