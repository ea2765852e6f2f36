"""The local cloud's alarm engine in the test's own process, on a clock the test moves: hours of data in milliseconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, cloudwatch_logs, sns
from ministack.services.cloudformation import provisioners

from local.emulator import alarm_notices, alarms, cloudformation_types, log_metrics, metric_queries
from tests.alarms.templates import ACCOUNT, COMPOSITE, Alarm

BEGINNING = 1_800_000_000 // 86_400 * 86_400
"""Where the clock starts: a midnight, so that periods of any length begin with it."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a topic was given to send on."""

    topic: str
    subject: str
    message: dict[str, Any]


@dataclass
class Engine:
    """The alarms loaded, the data fed, and what was announced.

    Attributes:
        now: the clock, epoch seconds.
        notices: what topics were given, in order.
        events: details of the state-change events, in order.
        followed: the alarms that are looked at.
    """

    now: float = BEGINNING
    notices: list[Notice] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    followed: tuple[Alarm, ...] = ()
    _tick: float = 60

    def load(self, alarm: Alarm) -> None:
        """Makes the alarm as CloudFormation would, after those a composite alarm's rule names."""
        for child in alarm.children:
            self.load(child)
        if alarm.kind == COMPOSITE:
            status, _, body = cloudwatch._put_composite_alarm({}, alarm.properties, False, True)
            assert status == 200, body
            return
        provisioners._cw_metric_alarm_create(alarm.construct_id, alarm.properties, "stack")
        self.follow(*self.followed, alarm)

    def follow(self, *followed: Alarm) -> None:
        """Looks at these alone from now on: an alarm that gets no data need not be looked at each second of a day."""
        self.followed = followed
        self._tick = max(10, min(_period(alarm) for alarm in followed) / 6)

    def state(self, alarm: Alarm) -> str:
        self.evaluate()
        return str((cloudwatch._composite_alarms if alarm.kind == COMPOSITE else cloudwatch._alarms)[alarm.name]["StateValue"])

    def advance(self, seconds: float) -> None:
        """Moves the clock, with the alarms looked at several times in each period, as they are in the cloud."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + self._tick)
            self.evaluate()

    def evaluate(self) -> None:
        for name in [alarm.name for alarm in self.followed]:
            alarm = cloudwatch._alarms[name]
            alarms.evaluate(alarm)
            assert alarm["AlarmArn"] not in alarms._unreadable, f"{name} is not evaluated; the log says why"

    def log(self, group: str, line: str) -> None:
        """A line reaches a log group, where embedded metrics and metric filters are read from it."""
        log_metrics.read(group, [{"message": line, "timestamp": int(self.now * 1000)}])
        self.evaluate()

    def publish(self, namespace: str, metric: str, value: float, dimensions: dict[str, str]) -> None:
        """A service of AWS publishes a value."""
        cloudwatch.record_metric(namespace, metric, value, "None", dimensions)
        self.evaluate()

    def filter(self, group: str, name: str, pattern: str, changes: list[dict[str, Any]]) -> None:
        """A metric filter, its transformations in the form CloudFormation gives."""
        made = [{key[:1].lower() + key[1:]: value for key, value in change.items()} for change in changes]
        cloudwatch_logs._metric_filters[(group, name)] = {"filterName": name, "filterPattern": pattern, "metricTransformations": made}


def _period(alarm: Alarm) -> int:
    queries, watched = alarms.queries_of(cloudwatch._alarms[alarm.name])
    return metric_queries.period_of(next(query for query in queries if query["Id"] == watched), queries)


@contextmanager
def running(patch: pytest.MonkeyPatch, region: str) -> Iterator[Engine]:
    """An engine with nothing in it, in a Region. Only what would leave the process is put aside: topics and the event bus."""
    engine = Engine()

    def publish(topic: str, _id: str, message: str, subject: str) -> None:
        engine.notices.append(Notice(topic=topic, subject=subject, message=json.loads(message)))

    patch.setattr(time, "time", lambda: engine.now)
    patch.setattr(alarms, "clock", lambda: 1.0)
    patch.setattr(cloudwatch, "_evaluate_alarm", alarms.evaluate)
    patch.setattr(cloudwatch, "_dispatch_alarm_actions", alarm_notices.announce)
    patch.setattr(alarm_notices, "put_service_event", lambda *, detail, **_: engine.events.append(detail))
    patch.setattr(sns, "_fanout", publish)
    patch.setattr(provisioners, "_cw_metric_alarm_record", cloudformation_types.with_metric_math(provisioners._cw_metric_alarm_record))
    with request_scope(ACCOUNT, region):
        cloudwatch.reset()
        cloudwatch_logs._metric_filters.clear()
        yield engine
        cloudwatch.reset()
        cloudwatch_logs._metric_filters.clear()
