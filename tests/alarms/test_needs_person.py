"""The composite alarm: on while one of those it names is, told once, and deaf to the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.alarms.case import quiet
from tests.alarms.cases import CASES
from tests.alarms.engine import Engine, running
from tests.alarms.scene import Scene
from tests.alarms.templates import Alarm, Deployed

NAME = "NeedsPerson"


@contextmanager
def composed(deployed: Deployed, patch: pytest.MonkeyPatch, *names: str) -> Iterator[tuple[Engine, Alarm, list[Scene]]]:
    """The environment's composite alarm with all it names, and a scene for each of some alarms."""
    with running(patch, deployed.settings.region) as engine:
        composite = deployed.alarms[NAME]
        engine.load(composite)
        engine.evaluate()
        found = [deployed.alarms[name] for name in names]
        engine.follow(*found)
        engine.notices.clear()
        yield engine, composite, [Scene(engine, deployed, alarm, patch) for alarm in found]


@pytest.mark.parametrize("name", CASES)
def test_it_is_raised_by_those_it_names_and_by_no_other(name: str, environments: list[Deployed], monkeypatch: pytest.MonkeyPatch) -> None:
    for deployed in environments:
        if name not in deployed.alarms:
            continue
        with monkeypatch.context() as patch, composed(deployed, patch, name) as (engine, composite, (scene,)):
            assert engine.state(composite) == "OK"
            CASES[name].fires(scene)
            assert engine.state(scene.alarm) == "ALARM"
            named = f'"{scene.alarm_arn}"' in composite.properties["AlarmRule"]
            assert named == scene.alarm.needs_person
            assert engine.state(composite) == ("ALARM" if named else "OK")
            quiet(scene)
            assert engine.state(composite) == "OK"


def test_the_pager_is_told_once_and_what_set_it_off(environments: list[Deployed], monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("RewardErrors", "RewardThrottles")
    with monkeypatch.context() as patch, composed(environments[0], patch, *names) as (engine, composite, (first, second)):
        CASES[names[0]].fires(first)
        CASES[names[1]].fires(second)
        quiet(second)
        assert engine.state(composite) == "OK"
        told = [notice for notice in engine.notices if notice.message["AlarmName"] == composite.name]

    assert [notice.message["NewStateValue"] for notice in told] == ["ALARM", "OK"]
    assert [notice.topic for notice in told] == [*composite.properties["AlarmActions"], *composite.properties["OKActions"]]
    assert told[0].topic != first.alarm.properties["AlarmActions"][0]
    assert told[0].subject == f'ALARM: "{composite.name}" in US East (N. Virginia)'
    (child,) = told[0].message["TriggeringChildren"]
    assert (child["Arn"], child["State"]["Value"]) == (first.alarm_arn, "ALARM")
    assert told[0].message["NewStateReason"].startswith(f"{first.alarm_arn} transitioned to ALARM at ")
