"""Rule RFT-AlarmMetric trusts contracts.metrics; here its other half: what the alarms watch is emitted."""

from __future__ import annotations

from collections.abc import Callable

from contracts.metrics import NAMESPACE

from audit.emitters import emitters, modules
from audit.trends import published_by_states
from tests.rules.conftest import Checked


def test_every_metric_of_ours_that_an_alarm_watches_is_emitted(check: Callable[[str], Checked]) -> None:
    assemblies = check("shipped").assemblies.values()
    watched = set()
    for assembly in assemblies:
        for _, _, alarm in assembly.resources("AWS::CloudWatch::Alarm"):
            properties = alarm["Properties"]
            metrics = [query["MetricStat"]["Metric"] for query in properties.get("Metrics", []) if "MetricStat" in query]
            watched |= {metric["MetricName"] for metric in [properties, *metrics] if metric.get("Namespace") == NAMESPACE}
    emitted = {metric.metric_name for metric in emitters(modules())} | published_by_states(assemblies).keys()
    assert watched and watched <= emitted, watched - emitted
