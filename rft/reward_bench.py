"""`rft reward bench`: how fast a grader is, through the handler."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from pipeline.probes import cases_of
from reward import graders
from reward.handler import handler

from rft.options import json_option
from rft.output import Output, facts
from rft.reward_data import ROOT, data_option, handler_environment, item, option_option, options_of, read_records, refuse_if_it_asks_a_model

BATCH = 64
RECORDS = 64
IMPORTS = 5
LEAST_BATCHES = 20
_IMPORT = "import sys, json; from reward import handler; handler.configured(sys.argv[1], sys.argv[2])"


@click.command("bench")
@click.argument("name")
@data_option
@option_option
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600), default=3.0, show_default=True, help="How long to grade; 20 batches at the least."
)
@json_option
def bench(output: Output, *, name: str, data: Path, options: tuple[str, ...], seconds: float) -> None:
    """Measure the grader NAME through the deployed entry point, one batch after the other, so on one core of this machine.

    The replies are the rehearsal's: right ones, wrong ones and hostile ones. What is measured includes reading the event and
    writing the metric lines, and neither the network nor Lambda's own time. A grader that asks a model is refused.
    """
    given = options_of(options)
    refuse_if_it_asks_a_model(name, graders.build(name, given), "bench")
    batches = list(_batches(read_records(data)))
    with output.progress(f"grading batches of {BATCH} for {seconds:g} s", only_live=True):
        found = _measured(name, given, batches, seconds)
        found["import_ms"] = _import_milliseconds(name, given)
    output.result(found, _text(found))


def _batches(records: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    items = [
        item(case.record, probe.reply, f"{case.record['id']}-{number}")
        for case in cases_of(records, RECORDS)
        for number, probe in enumerate(case.probes)
    ]
    # Every batch is full, so that all take a like time; a small dataset's replies come round again.
    items *= -(-BATCH // len(items))
    yield from (items[first : first + BATCH] for first in range(0, len(items) - BATCH + 1, BATCH))


def _measured(name: str, options: dict[str, Any], batches: Sequence[list[dict[str, Any]]], seconds: float) -> dict[str, Any]:
    took: list[float] = []
    with handler_environment(name, options) as logged:
        for batch in batches[:3]:
            handler(batch)
        started, cpu = time.perf_counter(), time.process_time()
        while len(took) < LEAST_BATCHES or time.perf_counter() - started < seconds:
            before = time.perf_counter()
            handler(batches[len(took) % len(batches)])
            took.append(time.perf_counter() - before)
            logged.seek(0)
            logged.truncate()
        spent = time.process_time() - cpu
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {
        "grader": name,
        "options": options,
        "samples": len(took) * BATCH,
        "batch": BATCH,
        "batches_at_once": 1,
        "samples_per_second": round(len(took) * BATCH / sum(took)),
        "cpu_seconds_per_second": round(spent / sum(took), 2),
        "batch_ms": {"p50": _ms(cuts[49]), "p95": _ms(cuts[94]), "p99": _ms(cuts[98]), "max": _ms(max(took))},
        "cores_of_this_machine": os.cpu_count(),
    }


def _import_milliseconds(name: str, options: dict[str, Any]) -> float:
    """What importing the handler and making the grader adds to a bare interpreter; the median of `IMPORTS`."""
    arguments = [name, json.dumps(options)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "lambda"), *filter(None, sys.path)])}
    times: dict[str, list[float]] = {"pass": [], _IMPORT: []}
    for _ in range(IMPORTS):
        for code, taken in times.items():
            before = time.perf_counter()
            subprocess.run([sys.executable, "-S", "-c", code, *arguments], check=True, env=environ)  # noqa: S603 - our own interpreter and code
            taken.append(time.perf_counter() - before)
    return _ms(statistics.median(times[_IMPORT]) - statistics.median(times["pass"]))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _text(found: dict[str, Any]) -> str:
    taken = found["batch_ms"]
    return facts(
        {
            "grader": " ".join([found["grader"], *(f"{key}={json.dumps(value)}" for key, value in found["options"].items())]),
            "speed": f"{found['samples_per_second']:,} samples a second, one batch after the other, so on one core of this machine",
            "batch of 64": f"p50 {taken['p50']:g} ms   p95 {taken['p95']:g} ms   p99 {taken['p99']:g} ms   longest {taken['max']:g} ms",
            "import": f"{found['import_ms']:g} ms for the handler and this grader, above bare Python",
            "measured": f"{found['samples']:,} samples, {found['cpu_seconds_per_second']:.2f} s of processor time a second in this process",
        }
    )
