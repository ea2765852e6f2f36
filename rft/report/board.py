"""A deployed CloudWatch dashboard, read as far as the stacks write one: what is drawn here is what is deployed, by construction.

Form: CloudWatch API reference, CloudWatch-Dashboard-Body-Structure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from botocore.exceptions import ClientError
from contracts.metrics import DIMENSION_RUN

if TYPE_CHECKING:
    from rft.target import Target


@attrs.frozen(kw_only=True)
class Series:
    """One line of a graph: a metric and a statistic, or a search for metrics.

    Attributes:
        label: the legend's; a search's holds `${PROP('Dim.…')}`, which CloudWatch puts in.
        namespace, name, dimensions, statistic: of the metric; for a search the first three are empty.
        search: the expression, or empty.
    """

    label: str
    statistic: str
    namespace: str = ""
    name: str = ""
    dimensions: Mapping[str, str] = attrs.field(factory=dict)
    search: str = ""


@attrs.frozen(kw_only=True)
class Threshold:
    """A horizontal line: where an alarm goes off."""

    value: float
    label: str


@attrs.frozen(kw_only=True)
class Graph:
    """One graph, as `stacks.dashboards.widgets.Widget` describes it."""

    title: str
    meaning: str
    unit: str
    series: Sequence[Series]
    thresholds: Sequence[Threshold] = ()
    lowest: float | None = None
    highest: float | None = None
    stacked: bool = False


@attrs.frozen(kw_only=True)
class Board:
    """A dashboard.

    Attributes:
        name: in CloudWatch.
        sections: headings and the graphs below each, in reading order.
        alarms: ARNs of the alarms it shows.
    """

    name: str
    sections: Sequence[tuple[str, Sequence[Graph]]]
    alarms: Sequence[str] = ()

    @property
    def graphs(self) -> list[Graph]:
        return [graph for _, graphs in self.sections for graph in graphs]


def fetch(target: Target, name: str, *, run_id: str | None = None) -> Board | None:
    """The deployed dashboard `name`, with `run_id` chosen in it; None when there is none."""
    try:
        body = target.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    except ClientError as error:
        if error.response["Error"].get("Code") in ("ResourceNotFound", "DashboardNotFoundError", "ResourceNotFoundException"):
            return None
        raise
    return read(name, body, run_id=run_id)


def read(name: str, body: str, *, run_id: str | None = None) -> Board:
    """A dashboard's body; widgets of other kinds than graph, heading, caption and alarm status are left out."""
    widgets: list[dict[str, Any]] = sorted(json.loads(body)["widgets"], key=lambda widget: (widget["y"], widget["x"]))
    captions = {(w["x"], w["y"]): str(w["properties"]["markdown"]) for w in widgets if w["type"] == "text"}
    sections: list[tuple[str, list[Graph]]] = []
    alarms: list[str] = []
    for widget in widgets:
        properties = widget["properties"]
        if widget["type"] == "text" and properties["markdown"].startswith("#"):
            sections.append((properties["markdown"].lstrip("# "), []))
        elif widget["type"] == "alarm":
            alarms += properties["alarms"]
        elif widget["type"] == "metric":
            if not sections:
                sections.append(("", []))
            sections[-1][1].append(_graph(properties, captions.get((widget["x"], widget["y"] + widget["height"]), ""), run_id))
    return Board(name=name, sections=sections, alarms=alarms)


def _graph(properties: Mapping[str, Any], meaning: str, run_id: str | None) -> Graph:
    axis = properties.get("yAxis", {}).get("left", {})
    return Graph(
        title=properties["title"],
        meaning=meaning,
        unit=axis.get("label", ""),
        series=[_series(entry, run_id) for entry in properties["metrics"]],
        thresholds=[
            Threshold(value=line["value"], label=line["label"]) for line in properties.get("annotations", {}).get("horizontal", [])
        ],
        lowest=axis.get("min"),
        highest=axis.get("max"),
        stacked=bool(properties.get("stacked")),
    )


def _series(entry: Sequence[Any], run_id: str | None) -> Series:
    options: Mapping[str, Any] = entry[-1] if isinstance(entry[-1], dict) else {}
    if "expression" in options:
        expression = str(options["expression"])
        return Series(label=options["label"], statistic=expression.rpartition(", '")[2].partition("'")[0], search=expression)
    namespace, name, *rest = (part for part in entry if not isinstance(part, dict))
    dimensions = dict(zip(rest[::2], rest[1::2], strict=True))
    if run_id is not None and DIMENSION_RUN in dimensions:
        dimensions[DIMENSION_RUN] = run_id
    return Series(
        label=options.get("label", name), statistic=options.get("stat", "Average"), namespace=namespace, name=name, dimensions=dimensions
    )
