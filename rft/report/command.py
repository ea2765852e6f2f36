"""`rft report`: write a run's report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rft.options import Invocation, cloud_options

if TYPE_CHECKING:
    from rft.target import Target


@click.command("report")
@click.argument("run_id")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder to write to; by default the current one."
)
@click.option("--pictures", is_flag=True, help="Write each picture as an SVG file beside the report as well.")
@cloud_options
def report(call: Invocation, run_id: str, out: Path, pictures: bool) -> None:
    """Write the report of RUN_ID as one HTML file."""
    target = call.target()
    with call.output.progress("drawing the report"):
        path = write(target, run_id, out, pictures=pictures)
    call.output.result({"run_id": run_id, "report": str(path)}, str(path))


def write(target: Target, run_id: str, folder: Path, *, pictures: bool = False) -> Path:
    """Gathers, renders and writes; returns the page's path. With `pictures`, each stands beside it as ``rft-<run>-<picture>.svg``.

    Raises:
        Failure: not found, when there is no such run.
    """
    # The drawing library takes longer to load than every other command to run.
    from rft.report.gather import gather  # noqa: PLC0415
    from rft.report.page import render  # noqa: PLC0415
    from rft.report.pictures import draw, standalone  # noqa: PLC0415

    data = gather(target, run_id)
    page = render(data)
    folder.mkdir(parents=True, exist_ok=True)
    if pictures:
        for name, svg in draw(data).items():
            (folder / f"rft-{run_id}-{name}.svg").write_text(standalone(svg), encoding="utf-8")
    path = folder / f"rft-{run_id}.html"
    path.write_text(page, encoding="utf-8")
    return path.resolve()
