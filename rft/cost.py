"""`rft cost`: what an environment costs idle, and what the pipeline adds to a run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import click

from cost.prices import load, total
from rft.exits import Failure
from rft.options import ENVIRONMENTS, json_option
from rft.output import Output
from stacks.settings import ENVIRONMENTS as FOLDER
from stacks.settings import load as settings_of


@click.command("cost")
@click.option("--env", "environments", type=click.Choice(ENVIRONMENTS), multiple=True, help="Environment; again for more. All by default.")
@click.option("--hours", type=click.FloatRange(0.1, 720), default=24.0, show_default=True, help="Length of the job a run is counted for.")
@json_option
def cost(output: Output, environments: tuple[str, ...], hours: float) -> None:
    """Idle cost a month and the pipeline's own cost a run, resource by resource, from the templates. Needs no account.

    At the list prices of cost/prices.toml (us-east-1), each with its source and date, free allowances apart. What Bedrock and
    a judge charge for a run is in the run's own estimate: rft run show.
    """
    from audit.assembly import synthesise  # noqa: PLC0415 - imports aws_cdk, which starts Node
    from cost.idle import Unpriced, idle  # noqa: PLC0415
    from cost.run import run  # noqa: PLC0415
    from cost.tables import moving, text  # noqa: PLC0415

    chosen = [settings_of(FOLDER / f"{name}.toml") for name in environments or ENVIRONMENTS]
    prices = load()
    with output.progress("synthesising", only_live=True), tempfile.TemporaryDirectory() as directory:
        assemblies = synthesise(chosen, Path(directory))
    found: dict[str, Any] = {}
    told: list[str] = []
    for name, assembly in assemblies.items():
        try:
            month = idle(assembly, prices)
        except Unpriced as fault:
            raise Failure(str(fault), where=name, hint="add it to cost/idle.py, with a price in cost/prices.toml if it has one") from fault
        job = run(assembly, prices, hours=hours)
        found[name] = {
            "idle_usd_per_month": total(month),
            "idle": [attrs.asdict(line) for line in month],
            "run_hours": hours,
            "run_usd": total(job),
            "run_usd_without_metrics": moving(job),
            "run_usd_beyond_free": prices.beyond_free(job),
            "run": [attrs.asdict(line) for line in job],
        }
        told += [text(f"{name}, a month without a run", month), text(f"{name}, a run whose job takes {hours:g} hours", job)]
        told.append(f"of it {prices.beyond_free(job):.2f} is beyond what an account that does nothing else has free each month")
    told.append(_compared({name: each["idle_usd_per_month"] for name, each in found.items()}))
    output.result(found, "\n\n".join(part for part in told if part))


def _compared(idle: Mapping[str, float]) -> str:
    if len(idle) < 2:
        return ""
    dear, cheap = max(idle, key=lambda name: idle[name]), min(idle, key=lambda name: idle[name])
    less, share = idle[dear] - idle[cheap], idle[cheap] / idle[dear]
    return f"idle, {cheap} costs {share:.0%} of {dear}: {less:.2f} US dollars a month less"
