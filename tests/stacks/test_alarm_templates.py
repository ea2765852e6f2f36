"""Alarms: they watch what is emitted, and say what to do."""

from __future__ import annotations

from typing import Any

from contracts.metrics import DIMENSION_ENVIRONMENT, NAMESPACE, Metric

from tests.stacks.template_reader import Synthesised, flat

DEFINED = {metric.metric_name for metric in Metric}
SERVICES = {"AWS/Lambda", "AWS/States", "AWS/Events", "AWS/SQS"}


def alarms(environment: Synthesised) -> dict[str, dict[str, Any]]:
    """The pipeline's alarms; those of the audit stack are in test_audit_templates."""
    found = environment.pipeline["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == "AWS::CloudWatch::Alarm"}


def test_every_alarm_watches_a_metric_that_somebody_emits(environment: Synthesised) -> None:
    for name, alarm in alarms(environment).items():
        assert alarm["Namespace"] in SERVICES | {NAMESPACE}, name
        if alarm["Namespace"] == NAMESPACE:
            assert alarm["MetricName"] in DEFINED, name
            assert alarm["Dimensions"] == [{"Name": DIMENSION_ENVIRONMENT, "Value": environment.settings.name}], name


def test_every_alarm_says_what_to_do_and_tells_the_topic(environment: Synthesised) -> None:
    for name, alarm in alarms(environment).items():
        assert len(alarm["AlarmDescription"].split()) > 12, name
        assert len(alarm["AlarmDescription"]) <= 1024, name
        assert [flat(action) for action in alarm["AlarmActions"]] == [f"${{{next(iter(environment.of_type('AWS::SNS::Topic')))}}}"], name


def test_quiet_between_runs_is_no_alarm(environment: Synthesised) -> None:
    for name, alarm in alarms(environment).items():
        assert alarm["TreatMissingData"] == "notBreaching", name


def test_the_reward_trend_is_watched_over_many_minutes(environment: Synthesised) -> None:
    floors = environment.settings.alarms
    watched = {a["MetricName"]: a for a in alarms(environment).values() if a["Namespace"] == NAMESPACE}
    for metric, floor in ((Metric.REWARD, floors.reward_floor), (Metric.GROUP_SPREAD, floors.spread_floor)):
        alarm = watched[metric.metric_name]
        assert alarm["Statistic"] == "Average"
        assert alarm["ComparisonOperator"] == "LessThanThreshold"
        assert alarm["Threshold"] == floor
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Period"]) == (10, 15, 60)


def test_every_way_to_fail_has_its_alarm(environment: Synthesised) -> None:
    watched = {(a["Namespace"], a["MetricName"]) for a in alarms(environment).values()}
    custom = {Metric.REWARD, Metric.GROUP_SPREAD, Metric.GRADER_FAULTS, Metric.DATASET_REJECTED, Metric.RUN_REFUSED, Metric.RUN_FAILED}
    assert {(NAMESPACE, metric.metric_name) for metric in custom} <= watched
    assert {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "Duration"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/Events", "FailedInvocations"),
    } <= watched


def test_a_slow_grader_is_noticed_before_it_times_out(environment: Synthesised) -> None:
    (slow,) = [a for a in alarms(environment).values() if a["MetricName"] == "Duration"]
    assert slow["Statistic"] == "Maximum"
    assert 0 < slow["Threshold"] < environment.settings.reward.timeout_seconds * 1000


def test_every_queue_and_every_rule_is_watched(environment: Synthesised) -> None:
    def watched(metric: str, dimension: str) -> set[str]:
        found = [a for a in alarms(environment).values() if a["MetricName"] == metric]
        return {flat(d["Value"]) for alarm in found for d in alarm["Dimensions"] if d["Name"] == dimension}

    queues = {f"${{{name}.QueueName}}" for name in environment.of_type("AWS::SQS::Queue")}
    assert watched("ApproximateNumberOfMessagesVisible", "QueueName") == queues
    assert len(watched("FailedInvocations", "RuleName")) == len(environment.of_type("AWS::Events::Rule"))


def test_alarms_may_publish_to_the_topic_and_nobody_else_may(environment: Synthesised) -> None:
    for policy in environment.of_type("AWS::SNS::TopicPolicy").values():
        granting = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert [s["Principal"] for s in granting] == [{"Service": "cloudwatch.amazonaws.com"}]
        assert "aws:SourceAccount" in granting[0]["Condition"]["StringEquals"]
