"""`rft report`: write a run's report, or an environment's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from contracts import names

from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options

if TYPE_CHECKING:
    from rft.target import Target

DAYS = 7.0


@click.command("report")
@click.argument("run_id", required=False)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder to write to; by default the current one."
)
@click.option("--pictures", is_flag=True, help="Write each picture as an SVG file beside the report as well.")
@click.option(
    "--days",
    type=click.FloatRange(min=0, min_open=True, max=455),
    default=DAYS,
    show_default=True,
    help="How far back an environment's report looks; a run's looks at all of the run.",
)
@cloud_options
def report(call: Invocation, run_id: str | None, out: Path, pictures: bool, days: float) -> None:
    """Write the report of RUN_ID, or of the environment when none is given, as one HTML file.

    It has the widgets of the deployed CloudWatch dashboards, drawn from the same metrics.
    """
    target = call.target()
    with call.output.progress("drawing the report"):
        if run_id is None:
            path = write_environment(target, out, days=days, pictures=pictures)
        else:
            path = write(target, run_id, out, pictures=pictures)
    call.output.result({"run_id": run_id, "environment": call.environment, "report": str(path)}, str(path))


def write(target: Target, run_id: str, folder: Path, *, pictures: bool = False) -> Path:
    """Gathers, renders and writes; returns the page's path. With `pictures`, each stands beside it as ``rft-<run>-<picture>.svg``.

    Raises:
        Failure: not found, when there is no such run.
    """
    # The drawing library takes longer to load than every other command to run.
    from rft.report.board_picture import whole  # noqa: PLC0415
    from rft.report.gather import gather  # noqa: PLC0415
    from rft.report.page import render  # noqa: PLC0415
    from rft.report.pictures import draw  # noqa: PLC0415

    data = gather(target, run_id)
    drawn = draw(data) if pictures else {}
    if pictures and data.board:
        drawn["dashboard"] = whole(data.board, "whole")
    return _written(folder, f"rft-{run_id}", render(data), drawn)


def write_environment(target: Target, folder: Path, *, days: float = DAYS, pictures: bool = False) -> Path:
    """The environment's dashboard as a page, ``rft-<environment>.html``; with `pictures`, as one picture beside it as well.

    Raises:
        Failure: not found, when the environment has no dashboard.
    """
    from rft.report import board_page  # noqa: PLC0415 - as above
    from rft.report.board import fetch  # noqa: PLC0415
    from rft.report.board_data import lately  # noqa: PLC0415
    from rft.report.board_picture import whole  # noqa: PLC0415

    name = names.dashboard(target.environment)
    board = fetch(target, name)
    if board is None:
        raise Failure(
            f"there is no dashboard {name}",
            where=target.place,
            hint=f"deploy it with: cdk deploy '{target.environment}/*'",
            code=Exit.NOT_FOUND,
        )
    data = lately(target, board, timedelta(days=days))
    page = board_page.render(data, environment=target.environment, place=target.place, local=target.local, made_at=datetime.now(UTC))
    return _written(folder, name, page, {"dashboard": whole(data, "whole")} if pictures else {})


def _written(folder: Path, name: str, page: str, pictures: dict[str, str]) -> Path:
    from rft.report.drawing import standalone  # noqa: PLC0415 - as above

    folder.mkdir(parents=True, exist_ok=True)
    for picture, svg in pictures.items():
        (folder / f"{name}-{picture}.svg").write_text(standalone(svg), encoding="utf-8")
    path = folder / f"{name}.html"
    path.write_text(page, encoding="utf-8")
    return path.resolve()
