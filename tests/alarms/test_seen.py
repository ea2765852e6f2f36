"""Every alarm of every environment is seen firing, seen recovering, and seen keeping still at what comes closest to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alarms.case import quiet
from tests.alarms.cases import CASES
from tests.alarms.engine import Engine, Notice, running
from tests.alarms.scene import Scene
from tests.alarms.seen import PAGE, page
from tests.alarms.templates import COMPOSITE, Alarm, Deployed


def test_every_alarm_has_its_case_and_every_case_its_alarm(environments: list[Deployed]) -> None:
    found = {name for deployed in environments for name, alarm in deployed.alarms.items() if alarm.kind != COMPOSITE}
    assert found == CASES.keys()


def test_the_page_says_what_the_cases_say() -> None:
    assert PAGE.read_text() == page(), "write it anew: .venv/bin/python -m tests.alarms.seen"


@pytest.mark.parametrize("name", CASES)
def test_it_fires_recovers_and_keeps_still(name: str, environments: list[Deployed], monkeypatch: pytest.MonkeyPatch) -> None:
    for deployed in environments:
        if alarm := deployed.alarms.get(name):
            with monkeypatch.context() as patch, running(patch, deployed.settings.region) as engine:
                engine.load(alarm)
                seen(Scene(engine, deployed, alarm, patch))


def seen(scene: Scene) -> None:
    """Plays the alarm's case and asserts each state and each notice."""
    case, engine, alarm = CASES[scene.alarm.construct_id], scene.engine, scene.alarm
    quiet(scene)
    assert engine.state(alarm) == "OK", "quiet between runs is no alarm"
    engine.notices.clear()

    case.misses(scene)
    assert engine.state(alarm) == "OK", case.missed_by
    quiet(scene)
    assert engine.notices == [], case.missed_by

    case.fires(scene)
    assert engine.state(alarm) == "ALARM", case.fired_by
    if alarm.told:
        assert not alarm.properties.get("AlarmActions"), "people are told once"
    _told(scene, engine, "ALARM", alarm.properties.get("AlarmActions", []))

    case.recovers(scene)
    assert engine.state(alarm) == "OK", case.recovered_by
    _told(scene, engine, "OK", alarm.properties.get("OKActions", []))

    quiet(scene)
    scene.afresh()
    case.fires(scene)
    assert engine.state(alarm) == "ALARM", f"{case.fired_by}, once more"
    if case.left_alone:
        quiet(scene)
        assert engine.state(alarm) == "OK", "left alone it clears"


def _told(scene: Scene, engine: Engine, state: str, topics: list[str]) -> None:
    """Each topic got one notice of the alarm itself, as CloudWatch words it, and nothing else was told."""
    found = [notice for notice in engine.notices if notice.message["AlarmName"] == scene.alarm.name]
    engine.notices.clear()
    assert [notice.topic for notice in found] == topics
    topics_here = {scene.deployed.arn(name) for name in scene.deployed.of("AWS::SNS::Topic")}
    for notice in found:
        assert notice.topic in topics_here
        _worded(notice, scene.alarm, state)


def _worded(notice: Notice, alarm: Alarm, state: str) -> None:
    message: dict[str, Any] = notice.message
    assert notice.subject.startswith(f'{state}: "{alarm.name}"'[:100])
    assert (message["NewStateValue"], message["AlarmName"]) == (state, alarm.name)
    assert message["AlarmDescription"] == alarm.properties["AlarmDescription"]
    assert message["NewStateReason"]
