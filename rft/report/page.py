"""Turns a run's report data into one HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from pipeline.rehearsal_table import findings

from rft.chart import smoothed
from rft.output import duration
from rft.report.board_page import sections
from rft.report.gather import ReportData
from rft.report.layout import page
from rft.report.lineage_picture import lineage_picture
from rft.report.pictures import draw

TEMPLATE = "template.html.j2"

_FILLS = {"input": "var(--card)", "people": "var(--card)", "run": "var(--soft)", "model": "var(--soft)", "none": "var(--card)"}
_STROKES = {"input": "var(--base)", "people": "var(--validation)", "run": "var(--ink)", "model": "var(--candidate)", "none": "var(--bad)"}

Table = tuple[str, list[tuple[str, object]]]


def render(data: ReportData) -> str:
    """The page; everything that came from outside is escaped, only the pictures are put in as they are."""
    # The pictures' text is drawn from phase names, numbers and our own words, and matplotlib escapes it.
    pictures = {name: Markup(svg) for name, svg in draw(data).items()}  # noqa: S704
    view = data.view
    gate = view.gate
    return page(
        TEMPLATE,
        view=view,
        outcome="running" if view.running else (view.outcome or {}).get("code", view.status),
        reason="" if view.running else (view.outcome or {}).get("reason", ""),
        tone="open" if view.running else "good" if view.released else "",
        figures=_figures(data),
        pictures={"trend": "", "signals": "", "comparison": "", "distribution": "", "outcomes": "", "timeline": "", **pictures},
        gate=gate,
        safety={model: _share((gate or {}).get("safety", {}).get(model)) for model in ("base", "candidate")},
        rehearsal=_rehearsal(view.rehearsal) if view.rehearsal else None,
        picture=lineage_picture(view.lineage) if view.lineage else None,
        fills=_FILLS,
        strokes=_STROKES,
        board=sections(data.board, "run") if data.board else [],
        tables=_tables(data),
        made_at=data.made_at.isoformat(timespec="seconds"),
    )


def _figures(data: ReportData) -> list[tuple[str, str, str]]:
    view, gate = data.view, data.view.gate
    shown = [("took", duration(((view.stopped or data.made_at) - view.started).total_seconds()), "from start to end")]
    if view.train:
        means = smoothed(view.train)
        shown.append(
            ("training reward", f"{means[0]:.2f} → {means[-1]:.2f}", f"{sum(point.samples for point in view.train):,} responses graded")
        )
    if gate:
        shown.append(("held-out reward", f"{gate['base_mean']:.2f} → {gate['candidate_mean']:.2f}", "base and candidate"))
        shown.append(("gain", f"{gate['difference']:+.3f}", f"at least {gate['low']:+.3f}; margin {gate['margin']:g}"))
    if view.plan:
        shown.append(("estimated cost", f"${view.plan['estimate']['usd']:,.2f}", "on AWS, from the prices in settings; not a quote"))
    return shown


def _rehearsal(result: Mapping[str, Any]) -> dict[str, Any]:
    """The stored result as the template reads it; a version of it without `learnt` has no shares."""
    learnt = result.get("learnt") or {}
    shares: Mapping[str, Any] = learnt.get("policy", {})
    return {
        "trusted": result["trusted"],
        "reasons": result["reasons"],
        "probes": [{**probe, "share": shares.get(probe["name"])} for probe in result["probes"]],
        "shares": bool(shares),
        "exploit": learnt.get("exploit"),
        "findings": findings(result),
    }


def _tables(data: ReportData) -> list[Table]:
    plan = data.view.plan
    tables: list[Table] = []
    if plan:
        estimate = plan["estimate"]
        tables.append(("Hyperparameters", [(key.replace("_", " "), _plain(value)) for key, value in plan["hyperparameters"].items()]))
        tables.append(
            (
                "Estimate",
                [
                    ("training steps", f"{estimate['steps']:,}"),
                    ("responses to grade", f"{estimate['reward_calls']:,}"),
                    ("tokens, at most", f"{estimate['tokens']:,}"),
                    ("hours", f"{estimate['hours']:.2f}"),
                    ("US dollars", f"{estimate['usd']:,.2f}"),
                ],
            )
        )
        prompts = ", ".join(f"{count} {split}" for split, count in plan["prompts"].items())
        tables.append(
            (
                "What was used",
                [
                    ("dataset", f"{plan['dataset']} {plan['dataset_version']}"),
                    ("dataset sha256", plan["dataset_sha256"]),
                    ("prompts", prompts),
                    ("reward", plan["reward_arn"]),
                    ("reward code", plan["reward_sha256"]),
                    ("base model", plan["base_model"]),
                    ("asked for by", plan["requested_by"]),
                ],
            )
        )
    tables.append(("Where things are", _places(data)))
    return [(title, [(label, value) for label, value in rows if value not in (None, "")]) for title, rows in tables]


def _places(data: ReportData) -> list[tuple[str, object]]:
    view, lineage = data.view, data.view.lineage or {}
    job: Mapping[str, Any] = lineage.get("job") or {}
    model: Mapping[str, Any] = lineage.get("model") or {}
    return [
        ("execution", view.execution_arn),
        ("job", job.get("job_arn")),
        ("model", model.get("model_arn")),
        ("deployment", model.get("deployment_arn")),
        ("job output", view.plan["output_uri"] if view.plan else None),
        ("lineage record", view.lineage_uri),
        ("its signature", data.records),
    ]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _share(rate: float | None) -> str:
    return "not measured" if rate is None else f"{rate:.0%}"
