"""docs/trends.md's tables: every metric and every column of a run's trend, from definitions, code and templates.

`python -m audit.trends` writes them anew.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from contracts.metrics import NAMESPACE, Metric
from contracts.trends import (
    BY_PATH,
    COUNT,
    GRADER,
    JUDGE,
    PERCENT_AT_ZERO,
    RECORD,
    STEP,
    TABLES,
    TRAINING,
    TRENDS,
    VALIDATION,
    Trend,
)

from audit.assembly import Assembly, synthesise
from audit.emitters import emitters, modules, runs_in
from audit.generated import Generated
from stacks.constructs.alarm_notes import METADATA
from stacks.dashboards import environment, run
from stacks.settings import load_all

PART = Generated("docs/trends.md", "trends", "python -m audit.trends")

_UNPUBLISHED = "only here"


def tables(assemblies: Iterable[Assembly]) -> str:
    """All tables as Markdown, each under its heading."""
    parts = [
        ("## The metrics", _metrics(list(assemblies))),
        ("## The trend record", _members("member of `trend.json`", RECORD)),
        ("### A step", _members("member", STEP)),
        ("### What was graded", _split_lines()),
        ("### The grader's calls and the judge's", _other_lines()),
    ]
    return "\n\n".join(f"{heading}\n\n" + "\n".join(rows) for heading, rows in parts)


def _metrics(assemblies: list[Assembly]) -> Iterator[str]:
    known = modules()
    found, handlers = emitters(known), _handlers(assemblies)
    drawn, watched, published = _drawn(), _watched(assemblies), published_by_states(assemblies)
    yield from _head("metric", "one data point", "unit", "range", "dimensions", "emitted by", "drawn in", "alarms")
    for metric in Metric:
        by = [f"{_listed(runs_in(module, handlers, known))} ([{module}](../lambda/{_file(module)}))" for module in found.get(metric, [])]
        by += sorted(published[metric.metric_name])
        yield _row(
            f"`{metric.metric_name}`",
            metric.value.meaning,
            str(metric.value.unit),
            _range(metric.value.least, metric.value.most),
            "; ".join(", ".join(names) for names in metric.dimension_sets),
            ", ".join(by) or "nothing",
            "; ".join(
                f"{title} ({_listed(f'`{each}`' for each in statistics)})" for title, statistics in drawn[metric.metric_name].items()
            ),
            ", ".join(f"[{name}](runbooks/{page}.md) (`{statistic}`)" for name, page, statistic in sorted(watched[metric.metric_name])),
        )


def _drawn() -> Mapping[str, Mapping[str, list[str]]]:
    """Statistics by metric and widget, over both dashboards, with the widgets of a judge."""
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for section in [*environment.sections(judged=True), *run.sections(judged=True)]:
        for widget in section.widgets:
            for line in widget.lines:
                if line.namespace == NAMESPACE and line.statistic not in found[line.name][widget.title]:
                    found[line.name][widget.title].append(line.statistic)
    return found


def _watched(assemblies: list[Assembly]) -> Mapping[str, set[tuple[str, str, str]]]:
    """Alarm, runbook and statistic by metric, over all environments: a guard rail that is off in one has no alarm there."""
    found: defaultdict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for assembly in assemblies:
        for stack, logical_id, alarm in assembly.resources("AWS::CloudWatch::Alarm"):
            name = assembly.paths[stack, logical_id].rpartition("/")[2]
            for metric, statistic in _looked_at(alarm["Properties"]):
                found[metric].add((name, alarm["Metadata"][METADATA]["Runbook"], statistic))
    return found


def _looked_at(alarm: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if alarm.get("Namespace") == NAMESPACE:
        yield alarm["MetricName"], alarm.get("Statistic") or alarm["ExtendedStatistic"]
    for query in alarm.get("Metrics", []):
        metric = query.get("MetricStat", {}).get("Metric", {})
        if metric.get("Namespace") == NAMESPACE:
            yield metric["MetricName"], query["MetricStat"]["Stat"]


def published_by_states(assemblies: Iterable[Assembly]) -> Mapping[str, set[str]]:
    """State machines, with the state, by the metrics they hand to PutMetricData themselves, without a function."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for assembly in assemblies:
        for _, _, machine in assembly.resources("AWS::StepFunctions::StateMachine"):
            name = str(machine["Properties"]["StateMachineName"]).replace(f"-{assembly.environment}-", "-<env>-")
            definition = json.loads(_text(machine["Properties"]["DefinitionString"]))
            for state, said in definition["States"].items():
                if str(said.get("Resource")).endswith(":cloudwatch:putMetricData"):
                    for metric in re.findall(r"MetricName\W+(\w+)", json.dumps(said["Arguments"])):
                        found[metric].add(f"`{name}` ({state})")
    return found


def _text(value: Any) -> str:
    """A template's text; what is known only when it is deployed stands as its name."""
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(map(_text, parts))
    return value if isinstance(value, str) else next(iter(map(str, value.values())))


def _handlers(assemblies: list[Assembly]) -> dict[str, str]:
    """What each function is called in the stacks' tree, by the module of its handler."""
    return {
        function["Properties"]["Handler"].rpartition(".")[0]: assembly.paths[stack, logical_id].split("/")[-2]
        for assembly in assemblies
        for stack, logical_id, function in assembly.resources("AWS::Lambda::Function")
        if "Handler" in function["Properties"]
    }


def _members(what: str, members: Mapping[str, str]) -> Iterator[str]:
    yield from _head(what, "what it says")
    for name, meaning in members.items():
        yield _row(f"`{name}`", meaning)


def _split_lines() -> Iterator[str]:
    yield from _head("column", "what it says", "unit", "range", f"`{TRAINING}` in CloudWatch", f"`{VALIDATION}` in CloudWatch")
    for trend in TRENDS:
        if trend.part == TRAINING:
            twin = BY_PATH[f"{VALIDATION}.{trend.key}"]
            yield _row(f"`{trend.key}`", trend.label, _unit(trend), _extent(trend), _published(trend), _published(twin))
    for name, meaning in TABLES.items():
        yield _row(f"`{name}`", meaning, "", "", _UNPUBLISHED, _UNPUBLISHED)


def _other_lines() -> Iterator[str]:
    yield from _head("column", "what it says", "unit", "range", "in CloudWatch")
    for trend in TRENDS:
        if trend.part in (GRADER, JUDGE):
            yield _row(f"`{trend.path}`", trend.label, _unit(trend), _extent(trend), _published(trend))


def _published(trend: Trend) -> str:
    if trend.metric is None:
        return _UNPUBLISHED
    return f"`{trend.metric.metric_name}` `{trend.statistic}`" + (f" / {1 / trend.scale:g}" if trend.scale != 1 else "")


def _unit(trend: Trend) -> str:
    if trend.statistic == PERCENT_AT_ZERO:
        return "share"
    return "Count" if trend.statistic == COUNT or trend.metric is None else str(trend.metric.value.unit)


def _extent(trend: Trend) -> str:
    if trend.statistic == PERCENT_AT_ZERO:
        return _range(0.0, 1.0)
    bounded = trend.metric is not None and trend.statistic not in (COUNT, "Sum")
    return _range(trend.metric.value.least, trend.metric.value.most) if bounded and trend.metric else _range(0.0, None)


def _range(least: float | None, most: float | None) -> str:
    if least is None:
        return "any" if most is None else f"up to {most:g}"
    return f"{least:g} and more" if most is None else f"{least:g} to {most:g}"


def _file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _listed(found: Iterable[str]) -> str:
    return ", ".join(found)


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*["---"] * len(cells))


def _row(*cells: str) -> str:
    return re.sub(r" +", " ", f"| {' | '.join(cells)} |")


def main() -> None:
    """Rewrites docs/trends.md."""
    with tempfile.TemporaryDirectory() as directory:
        found = tables(synthesise(load_all(), Path(directory)).values())
    PART.write(f"\n{found}\n")


if __name__ == "__main__":
    main()
