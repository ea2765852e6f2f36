"""One alarm: a metric, when it goes off, what a person is told, and who tells it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct
from contracts.runbooks import link

from stacks.constructs.acknowledge import Answer, Owner, acknowledge, resource_of
from stacks.constructs.alarm_notes import METADATA

ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
QUIET_IS_FINE = cloudwatch.TreatMissingData.NOT_BREACHING

RUNBOOKS = "docs/runbooks"
"""Where the pages are when settings name no address: in this repository."""

_NOT_TOLD_TWICE = "CloudWatch would tell people a second time what the pipeline tells them with names and figures: "


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm goes off, and what a person is told.

    Attributes:
        construct_id: of the alarm.
        metric: what is watched, with its statistic and period.
        threshold: in the metric's unit.
        what: what happened and for how long, for whoever is woken.
        first: what to do first.
        quiet_because: why a period without data counts as `missing` says.
        comparison: above or below the threshold, both exclusive.
        of: periods looked at.
        breaching: how many of them must breach.
        missing: what a period without data counts as.
        needs_person: whether it makes up `NeedsPerson`; otherwise it can wait for the morning.
        ends: whether the end is told as well. The end of a count of things that happened says nothing.
        told: how the pipeline itself tells people of it; then the alarm has no action of its own.
        page: name of its runbook, without `.md`; by default made from `construct_id`.
    """

    construct_id: str
    metric: cloudwatch.IMetric
    threshold: float
    what: str
    first: str
    quiet_because: str
    comparison: cloudwatch.ComparisonOperator = ABOVE
    of: int = 1
    breaching: int = 1
    missing: cloudwatch.TreatMissingData = QUIET_IS_FINE
    needs_person: bool = True
    ends: bool = True
    told: str = ""
    page: str = ""

    @property
    def runbook(self) -> str:
        return self.page or kebab(self.construct_id)

    def description(self, runbooks: str) -> str:
        """The alarm's description, which CloudWatch sends with every notice, next to the moment the state changed."""
        return f"{self.what} First: {self.first} {runbook_link(runbooks, self.runbook)}"


@dataclass(frozen=True, kw_only=True)
class BuiltAlarm:
    """An alarm in its stack, and the rule it was built from."""

    rule: AlarmRule
    alarm: cloudwatch.Alarm


def runbook_link(runbooks: str, page: str) -> str:
    return f"Runbook: {link(runbooks or RUNBOOKS, page)}"


def kebab(name: str) -> str:
    """`RunTimedOut` as `run-timed-out`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def build_alarm(scope: Construct, rule: AlarmRule, *, topic: sns.ITopic, runbooks: str) -> BuiltAlarm:
    """Builds the alarm.

    Args:
        topic: told when it goes off, unless `rule.told`, and when it ends, if `rule.ends`.
        runbooks: where the runbooks are, as in settings.
    """
    alarm = cloudwatch.Alarm(
        scope,
        rule.construct_id,
        metric=rule.metric,
        threshold=rule.threshold,
        comparison_operator=rule.comparison,
        evaluation_periods=rule.of,
        datapoints_to_alarm=rule.breaching,
        treat_missing_data=rule.missing,
        alarm_description=rule.description(runbooks),
    )
    if rule.told:
        answer = Answer(reason=_NOT_TOLD_TWICE + rule.told, owner=Owner.PLATFORM, review="2027-11-30")
        acknowledge(alarm, "NIST.800.53.R5-CloudWatchAlarmAction", "HIPAA.Security-CloudWatchAlarmAction", answer=answer)
    else:
        alarm.add_alarm_action(actions.SnsAction(topic))
        if rule.ends:
            alarm.add_ok_action(actions.SnsAction(topic))
    resource_of(alarm).add_metadata(METADATA, _metadata(rule))
    return BuiltAlarm(rule=rule, alarm=alarm)


def _metadata(rule: AlarmRule) -> dict[str, Any]:
    return {
        "Runbook": rule.runbook,
        "QuietBecause": rule.quiet_because,
        "NeedsPerson": rule.needs_person,
        **({"Told": rule.told} if rule.told else {}),
    }


def between_looks(poll_seconds: int) -> Duration:
    """A period in which a metric of TrackTraining has at least one point while a job runs: a look takes a moment beyond the wait."""
    return Duration.minutes(5 * math.ceil((poll_seconds + 60) / 300))
