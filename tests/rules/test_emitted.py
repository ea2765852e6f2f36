"""Rule RFT-AlarmMetric trusts contracts.metrics; here its other half: what the alarms watch is emitted."""

from __future__ import annotations

import ast
from collections.abc import Callable

from contracts.metrics import METRIC_OF_RAIL, NAMESPACE, REWARD_BY_SPLIT, Metric

from audit.assembly import ROOT
from tests.rules.conftest import Checked

EMITTERS = [
    *(file for file in (ROOT / "lambda").rglob("*.py") if "contracts" not in file.parts),
    # A state machine that puts its figures itself.
    ROOT / "stacks" / "released_definition.py",
]
MAPPINGS = {"REWARD_BY_SPLIT": REWARD_BY_SPLIT, "METRIC_OF_RAIL": METRIC_OF_RAIL}


def emitted() -> set[str]:
    """Names of the metrics that some emitter names; those of a mapping count where the mapping is used."""
    found: set[str] = set()
    for file in EMITTERS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Metric":
                found.add(Metric[node.attr].metric_name)
            if isinstance(node, ast.Name) and node.id in MAPPINGS:
                found |= {metric.metric_name for metric in MAPPINGS[node.id].values()}
    return found


def test_every_metric_of_ours_that_an_alarm_watches_is_emitted(check: Callable[[str], Checked]) -> None:
    watched = set()
    for assembly in check("shipped").assemblies.values():
        for _, _, alarm in assembly.resources("AWS::CloudWatch::Alarm"):
            properties = alarm["Properties"]
            metrics = [query["MetricStat"]["Metric"] for query in properties.get("Metrics", []) if "MetricStat" in query]
            watched |= {metric["MetricName"] for metric in [properties, *metrics] if metric.get("Namespace") == NAMESPACE}
    assert watched and watched <= emitted(), watched - emitted()
