"""An environment under load, on the local cloud. Run with ``make load`` or ``python -m benchmarks.bench_load [uploads|runs|grader]``.

Deploys dev into a local cloud of its own, as the tests do, and loads it: what it prints are counts that hold anywhere and times that
hold for this machine. Ends with 1 when anything was lost, done twice or left behind. docs/load.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import grader, runs, uploads
from benchmarks.load.environment import Environment, Result
from local import cloud
from local.bedrock import faults_client
from rft import deploy
from rft.output import Output, Progress

KINDS = ("uploads", "runs", "grader")
TRIGGER = "DatasetRegistered"
"""The rule that starts a run for each registered dataset; off where only registering is measured."""


@contextmanager
def deployed() -> Iterator[Environment]:
    """dev in a local cloud that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="rft-load-") as folder, cloud.running(state_dir=Path(folder) / "cloud") as endpoint:
        faults_client.set_pace(endpoint, 0.0)
        log, progress = Path(folder) / "deploy.log", Progress(Output(as_json=True), None)
        variables = endpoint.environ()
        deploy.bootstrap(account=cloud.ACCOUNT, region=cloud.REGION, variables=variables, log=log, progress=progress)
        deploy.deploy(environment="dev", variables=variables, log=log, progress=progress)
        yield Environment(endpoint)


def measured(env: Environment, options: argparse.Namespace) -> Iterator[Result]:
    """One result after the other."""
    kinds = options.kinds or KINDS
    env.rule(TRIGGER, on=False)
    if "uploads" in kinds:
        yield uploads.different(env, options.uploads, options.uploads // 5)
        yield uploads.equal(env, options.uploads)
        yield uploads.versions(env, options.uploads)
    if "grader" in kinds:
        for at_once in (options.concurrency, options.concurrency * 3 // 2):
            yield grader.calls(env, count=options.calls, batch=options.batch, reserved=options.concurrency, at_once=at_once)
    if "runs" in kinds:
        # Of every ten: two duplicates, one to be refused, the rest half by StartExecution and half by an event.
        twice, refused = options.requests // 5, options.requests // 10
        direct = (options.requests - twice - refused + 1) // 2
        datasets = runs.registered(env, options.requests - twice - refused - direct)
        env.rule(TRIGGER, on=True)
        yield runs.requests(env, runs.asks(datasets[0][0], datasets, direct=direct, refused=refused, twice=twice), allowed=1)


def main(arguments: list[str] | None = None) -> int:
    """Prints a table for each load; 1 when there were problems."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="which loads; by default all")
    parser.add_argument("--uploads", type=int, default=200, help="uploads at once")
    parser.add_argument("--requests", type=int, default=50, help="run requests at once, duplicates included")
    parser.add_argument("--calls", type=int, default=1000, help="grader calls")
    parser.add_argument("--batch", type=int, default=64, help="samples of a grader call")
    parser.add_argument("--concurrency", type=int, default=50, help="reserved concurrency of the reward function")
    options = parser.parse_args(arguments)
    lost = 0
    with deployed() as env:
        for result in measured(env, options):
            print(f"\n**{result.title}**\n\n| | |\n|---|---:|")
            for name, value in result.figures.items():
                shown = ", ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else f"{value}"
                print(f"| {name} | {shown} |")
            print("", *(f"PROBLEM: {problem}" for problem in result.problems[:20]), sep="\n", flush=True)
            lost += len(result.problems)
    print(f"\n{lost} problems")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
