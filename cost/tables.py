"""The figures as text, and the table in README.md: `python -m cost.tables` writes it anew."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from audit.assembly import Assembly, synthesise
from audit.generated import Generated
from cost.idle import idle
from cost.prices import Line, Prices, load, total
from cost.run import WATCHING, pace, run
from stacks.settings import load_all

PART = Generated("README.md", "cost", "python -m cost.tables")
JOB_HOURS = 24.0


def moving(lines: list[Line]) -> float:
    """US dollars of a run's bill without its custom metrics."""
    return total([line for line in lines if line.price != WATCHING])


def text(name: str, lines: list[Line]) -> str:
    """A bill as aligned text, its total first."""
    rows = [(name, total(lines)), *((f"  {line.what}", line.usd) for line in lines)]
    width = max(len(what) for what, _ in rows)
    return "\n".join(
        f"{what.ljust(width)}  {usd:>9.2f}" if usd >= 0.005 or not usd else f"{what.ljust(width)}  {usd:>9.4f}" for what, usd in rows
    )


def readme(assemblies: Mapping[str, Assembly], prices: Prices) -> str:
    """The table of all environments as Markdown, the cheapest first."""
    bills = {name: idle(each, prices) for name, each in assemblies.items()}
    bills = dict(sorted(bills.items(), key=lambda bill: total(bill[1])))
    runs = {name: run(assemblies[name], prices, hours=JOB_HOURS) for name in bills}
    looks = {name: pace(assemblies[name], JOB_HOURS) for name in bills}
    kinds = list(dict.fromkeys(line.price for lines in bills.values() for line in lines if line.price))
    rows = [
        ("US dollars", *bills),
        ("---", *("---:" for _ in bills)),
        *(
            (
                _KINDS[kind],
                *(f"{_sum(lines, kind):.0f}" if _sum(lines, kind) >= 10 else f"{_sum(lines, kind):.2f}" for lines in bills.values()),
            )
            for kind in kinds
        ),
        ("**idle, a month**", *(f"**{total(lines):.0f}**" for lines in bills.values())),
        (f"moving a run of {JOB_HOURS:g} hours", *(f"{moving(lines):.2f}" for lines in runs.values())),
        ("custom metrics to watch it by", *(f"{_sum(lines, WATCHING):.2f}" for lines in runs.values())),
        (f"**a run of {JOB_HOURS:g} hours**", *(f"**{total(lines):.2f}**" for lines in runs.values())),
        ("of it, beyond what an account has free", *(f"{prices.beyond_free(lines):.2f}" for lines in runs.values())),
        ("state transitions of that run", *(f"{each.transitions:,}" for each in looks.values())),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


_KINDS = {
    "endpoint_hour": "interface endpoints, in each Availability Zone",
    "key_month": "KMS keys",
    "alarm_month": "alarms",
    "composite_alarm_month": "composite alarms",
    "dashboard_month": "dashboards",
    "budget_day": "budget with an action",
    "metric_request": "looks at a released model",
    "metric_month": "whether it is there, as a metric",
    "express_execution": "executions for these looks",
}


def _sum(lines: list[Line], price: str) -> float:
    return total([line for line in lines if line.price == price])


def main() -> None:
    """Rewrites README.md."""
    with tempfile.TemporaryDirectory() as directory:
        assemblies = synthesise(load_all(), Path(directory))
    PART.write(readme(assemblies, load()))


if __name__ == "__main__":
    main()
