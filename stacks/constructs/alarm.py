"""One alarm: a metric, a rule, a sentence that says what to do, and the topic that carries it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
QUIET_IS_FINE = cloudwatch.TreatMissingData.NOT_BREACHING
"""Nothing is emitted between runs, and that is no fault."""


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm goes off.

    Attributes:
        construct_id: of the alarm.
        metric: what is watched, with its statistic and period.
        threshold: in the metric's unit.
        advice: what happened and what to do, for the person who is woken.
        comparison: above or below the threshold, both exclusive.
        of: periods looked at.
        breaching: how many of them must breach.
        missing: what a period without data counts as.
    """

    construct_id: str
    metric: cloudwatch.IMetric
    threshold: float
    advice: str
    comparison: cloudwatch.ComparisonOperator = ABOVE
    of: int = 1
    breaching: int = 1
    missing: cloudwatch.TreatMissingData = QUIET_IS_FINE


def build_alarm(scope: Construct, rule: AlarmRule, *, topic: sns.ITopic) -> cloudwatch.Alarm:
    alarm = cloudwatch.Alarm(
        scope,
        rule.construct_id,
        metric=rule.metric,
        threshold=rule.threshold,
        comparison_operator=rule.comparison,
        evaluation_periods=rule.of,
        datapoints_to_alarm=rule.breaching,
        treat_missing_data=rule.missing,
        alarm_description=rule.advice,
    )
    alarm.add_alarm_action(actions.SnsAction(topic))
    return alarm
