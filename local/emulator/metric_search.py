"""`SEARCH` expressions of GetMetricData, as dashboards use them: one series for each metric found.

Understood is a schema in braces and terms that must all match: `Name="exactly this"`, and a bare word, which must be one of the words
that the metric's name and dimension values are made of. Boolean operators are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch as upstream

from local.emulator import metric_series
from local.emulator.metric_math import MathError

_EXPRESSION = re.compile(r"\s*SEARCH\(\s*'(?P<what>[^']*)'\s*,\s*'(?P<statistic>[^']+)'\s*(?:,\s*(?P<period>\d+)\s*)?\)\s*", re.IGNORECASE)
_WHAT = re.compile(r"\s*\{(?P<schema>[^{}]+)\}(?P<terms>.*)")
_TERM = re.compile(r"\s*(?:(?P<name>[\w.]+)=\"(?P<value>[^\"]*)\"|(?P<word>\w+))(?=\s|$)")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_PROPERTY = re.compile(r"\$\{PROP\('(?P<name>[^']+)'\)\}")


@dataclass(frozen=True)
class Found:
    """One metric of a search.

    Attributes:
        metric: what to read.
        label: the query's, its `${PROP('Dim.…')}` and `${PROP('MetricName')}` put in; else the dimension values.
    """

    metric: metric_series.Metric
    label: str


def is_search(query: dict[str, Any]) -> bool:
    return str(query.get("Expression", "")).lstrip().upper().startswith("SEARCH(")


def find(query: dict[str, Any], period: int) -> list[Found]:
    """The metrics of the current account and Region that the query's expression finds, by label.

    Args:
        period: seconds, where the expression itself gives none.

    Raises:
        MathError: the expression is not of the form above.
    """
    expression = str(query["Expression"])
    whole = _EXPRESSION.fullmatch(expression)
    what = _WHAT.fullmatch(whole["what"]) if whole else None
    if whole is None or what is None:
        raise MathError(f"cannot read {expression!r}; understood is SEARCH('{{Namespace,Dimension}} terms', 'statistic')")
    namespace, *wanted = (part.strip() for part in what["schema"].split(","))
    terms = _terms(what["terms"], expression)
    found = []
    for (held_in, name, _), points in list(upstream._metrics.items()):
        dimensions = dict(points[-1].get("Dimensions") or {}) if points else {}
        if held_in == namespace and points and set(dimensions) == set(wanted) and _matches(terms, name, dimensions):
            metric = metric_series.Metric(
                namespace=namespace,
                name=name,
                dimensions=dimensions,
                period=int(whole["period"] or period),
                statistic=whole["statistic"],
            )
            found.append(Found(metric, _label(query.get("Label"), name, dimensions)))
    return sorted(found, key=lambda each: each.label)


def _terms(text: str, expression: str) -> list[tuple[str | None, str]]:
    """(name, exact value), or (None, word)."""
    found: list[tuple[str | None, str]] = []
    position = 0
    while text[position:].strip():
        term = _TERM.match(text, position)
        if term is None or term["word"] in ("AND", "OR", "NOT"):
            raise MathError(f"cannot read {text[position:].strip()!r} in {expression!r}")
        found.append((term["name"], term["value"]) if term["name"] else (None, term["word"]))
        position = term.end()
    return found


def _matches(terms: list[tuple[str | None, str]], name: str, dimensions: dict[str, str]) -> bool:
    words = {word.lower() for text in (name, *dimensions.values()) for word in _WORD.findall(text)}
    values = {"MetricName": name, **dimensions}
    return all(values.get(key) == value if key else value.lower() in words for key, value in terms)


def _label(given: str | None, name: str, dimensions: dict[str, str]) -> str:
    known = {"MetricName": name, **{f"Dim.{key}": value for key, value in dimensions.items()}}
    if not given:
        return " ".join(dimensions.values()) or name
    return _PROPERTY.sub(lambda match: known.get(match["name"], ""), given)
