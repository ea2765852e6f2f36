"""`rft audit pack`: write what a security reviewer reads."""

from __future__ import annotations

from pathlib import Path

import click

from audit import comparison
from audit.pack import make
from rft.exits import Failure
from rft.options import ENVIRONMENTS, json_option
from rft.output import Output, short_path


@click.command("pack")
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT]...", type=click.Choice(ENVIRONMENTS))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports/evidence"),
    show_default=True,
    help="Folder to write to; each environment gets one in it.",
)
@click.option(
    "--since",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Folder of earlier packs; each page then says what changed since.",
)
@click.option("--strict", is_flag=True, help="Exit code 1 if a finding is open or an access question has a wrong answer.")
@json_option
def pack(output: Output, environments: tuple[str, ...], out: Path, since: Path | None, strict: bool) -> None:
    """Write the evidence pack of each ENVIRONMENT, of all if none is named.

    Reads the templates as a deployment would make them, their assets and the threat model. Needs no account and no credentials.
    """
    with output.progress("synthesising, and asking the rule packs"):
        written = make(out, environments=environments, since=since)
    refused = [f"{name}: {line}" for name, lines in written.refusals.items() for line in lines]
    told = [f"{name}, since the last pack:\n{comparison.in_text(changes)}" for name, changes in written.changes.items()]
    told += [short_path(page) for page in written.pages.values()]
    if refused:
        told.append(f"{len(refused)} against a deployment; the first: {refused[0]}")
    output.result(
        {
            "pages": {name: str(page) for name, page in written.pages.items()},
            "refusals": written.refusals,
            "changes": written.changes,
        },
        "\n".join(told),
    )
    if strict and refused:
        raise Failure("\n".join(refused), hint="answer each finding beside its resource, or mend it")
