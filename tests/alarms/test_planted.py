"""The proof is one that can fail: an alarm with a fault planted in it is not seen as it should be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alarms.engine import running
from tests.alarms.scene import Scene
from tests.alarms.templates import Alarm, Deployed
from tests.alarms.test_seen import seen

FAULTS: dict[str, dict[str, Any]] = {
    "watches a metric nobody emits": {"MetricName": "Nothing"},
    "watches another environment": {"Dimensions": [{"Name": "Environment", "Value": "another"}]},
    "needs more than ever comes": {"Threshold": 1000, "ComparisonOperator": "GreaterThanThreshold"},
    "is raised by the threshold itself": {"ComparisonOperator": "GreaterThanOrEqualToThreshold"},
    "takes silence for a fault": {"TreatMissingData": "breaching"},
    "tells nobody": {"ActionsEnabled": False},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["RewardErrors", "SpendOverBudget"])
def test_a_planted_fault_is_seen(name: str, fault: str, environments: list[Deployed], monkeypatch: pytest.MonkeyPatch) -> None:
    sound = environments[0].alarms[name]
    planted = Alarm(construct_id=name, name=sound.name, kind=sound.kind, properties={**sound.properties, **FAULTS[fault]})
    with monkeypatch.context() as patch, running(patch, environments[0].settings.region) as engine:
        engine.load(planted)
        with pytest.raises(AssertionError):
            seen(Scene(engine, environments[0], planted, patch))
