"""Alarms: what wakes someone, and what that person is to do. Each has its page in docs/runbooks."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.alarms import delivery, grader, lifecycle, money, rails, released
from stacks.alarms.watched import Watched
from stacks.constructs.alarm import build_alarm


class Alarms(Construct):
    """The alarms of one environment on guard rails, grader, runs, money, the released model and what carries events.

    Attributes:
        all: every one of them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, watched: Watched, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        runbooks = watched.settings.notifications.runbooks_url
        rules = [rule for part in (rails, grader, lifecycle, money, released, delivery) for rule in part.rules(watched)]
        self.all = [build_alarm(self, rule, topic=topic, runbooks=runbooks) for rule in rules]
