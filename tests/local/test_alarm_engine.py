"""Alarms in the running local cloud: from data to state, event and notification."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local import cloud
from tests.local.conftest import wait_for

PERIOD = 600
"""Ten minutes of an alarm, which last ten seconds by the local cloud's clock."""


def put(bench: Any, namespace: str, value: float, *, ago: float = 0, dimensions: dict[str, str] | None = None) -> None:
    bench.client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": "Reward",
                "Value": value,
                "Timestamp": datetime.now(UTC) - timedelta(seconds=ago),
                "Dimensions": [{"Name": k, "Value": v} for k, v in (dimensions or {}).items()],
                "StorageResolution": 1,
            }
        ],
    )


def alarm(bench: Any, namespace: str, **more: Any) -> str:
    name = str(bench.name("alarm"))
    watched = {} if "Metrics" in more else {"Namespace": namespace, "MetricName": "Reward", "Period": PERIOD, "Statistic": "Average"}
    if "ExtendedStatistic" in more:
        del watched["Statistic"]
    wanted = {"EvaluationPeriods": 1, "Threshold": 0.5, "ComparisonOperator": "LessThanThreshold", **watched, **more}
    bench.client("cloudwatch").put_metric_alarm(AlarmName=name, **wanted)
    return name


def state(bench: Any, name: str) -> str:
    found = bench.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])


def changes(bench: Any, name: str, *states: str) -> dict[str, datetime] | None:
    """When an alarm first went to each of these states, one after the other; None while it has not."""
    found = bench.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    items = iter(found["AlarmHistoryItems"])
    went: dict[str, datetime] = {}
    for wanted in states:
        item = next((each for each in items if each["HistorySummary"].endswith(f"to {wanted}")), None)
        if item is None:
            return None
        went[wanted] = item["Timestamp"]
    return went


def test_an_alarm_reads_its_own_dimensions_only(bench: Any) -> None:
    space = bench.name("RFT")
    dev = alarm(bench, space, Dimensions=[{"Name": "Environment", "Value": "dev"}])
    none = alarm(bench, space)
    put(bench, space, 0.1, dimensions={"Environment": "prod"})
    assert state(bench, dev) == "INSUFFICIENT_DATA"
    put(bench, space, 0.1, dimensions={"Environment": "dev"})
    assert state(bench, dev) == "ALARM"
    assert state(bench, none) == "INSUFFICIENT_DATA"


def test_m_of_n_counts_periods(bench: Any) -> None:
    space = bench.name("RFT")
    name = alarm(bench, space, EvaluationPeriods=3, DatapointsToAlarm=2)
    put(bench, space, 0.9, ago=22)
    put(bench, space, 0.1, ago=11)
    assert state(bench, name) == "OK"
    put(bench, space, 0.2)
    assert state(bench, name) == "ALARM"


def test_an_alarms_minutes_go_by_the_clock_of_wait_states(bench: Any, waiting: Callable[..., Any]) -> None:
    space = bench.name("RFT")
    name = alarm(bench, space, Period=60, TreatMissingData="notBreaching")
    waiting(lambda: state(bench, name) == "OK")
    put(bench, space, 0.1)
    went = waiting(lambda: changes(bench, name, "ALARM", "OK"))
    assert went["OK"] - went["ALARM"] > timedelta(seconds=60 * cloud.CLOCK), "the last value holds for three of its minutes"
    assert went["OK"] - went["ALARM"] < timedelta(seconds=2 * 60), "and not for as many of real time"


def test_an_alarm_that_is_on_is_shown_with_what_to_do(bench: Any) -> None:
    name = alarm(bench, bench.name("RFT"), TreatMissingData="breaching", AlarmDescription="stop the job")
    wait_for(lambda: state(bench, name) == "ALARM")
    (shown,) = [each for each in cloud.status(state_dir=bench.endpoint.state_dir)["alarms"] if each["name"] == name]
    assert shown["advice"] == "stop the job"


@pytest.mark.parametrize(("missing", "expected"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA")])
def test_an_alarm_without_data_follows_its_setting(bench: Any, waiting: Callable[..., Any], missing: str, expected: str) -> None:
    name = alarm(bench, bench.name("RFT"), TreatMissingData=missing)
    waiting(lambda: state(bench, name) == expected)


def test_an_alarm_on_a_percentile(bench: Any) -> None:
    space = bench.name("RFT")
    low = alarm(bench, space, ExtendedStatistic="p10")
    middle = alarm(bench, space, ExtendedStatistic="p50")
    bench.client("cloudwatch").put_metric_data(
        Namespace=space, MetricData=[{"MetricName": "Reward", "Values": [0.0, 0.8, 0.9], "Counts": [2, 4, 4], "StorageResolution": 1}]
    )
    assert state(bench, low) == "ALARM"
    assert state(bench, middle) == "OK"


def test_an_alarm_on_an_expression(bench: Any) -> None:
    space = bench.name("RFT")
    stat = {"Metric": {"Namespace": space, "MetricName": "Reward"}, "Period": PERIOD, "Stat": "Maximum"}
    queries = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "m2", "MetricStat": {**stat, "Stat": "Minimum"}, "ReturnData": False},
        {"Id": "spread", "Expression": "IF(m1 > 0, m1 - m2, 1)", "ReturnData": True},
    ]
    name = alarm(bench, space, Metrics=queries, Threshold=0.2)
    described = bench.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert [each["Id"] for each in described["Metrics"]] == ["m1", "m2", "spread"]
    now = time.time()
    put(bench, space, 0.2, ago=0)
    assert state(bench, name) == "ALARM"
    put(bench, space, 0.9, ago=time.time() - now)
    assert state(bench, name) == "OK"


def test_a_composite_alarm_follows_its_rule(bench: Any) -> None:
    space = bench.name("RFT")
    low = alarm(bench, space)
    other = alarm(bench, bench.name("RFT"))
    name = bench.name("both")
    bench.client("cloudwatch").put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{low}") AND NOT ALARM("{other}")')
    assert state(bench, name) == "OK"
    put(bench, space, 0.1)
    assert state(bench, name) == "ALARM"


def test_a_change_of_state_is_an_event_and_a_notification(bench: Any) -> None:
    space = bench.name("RFT")
    url, queue = bench.queue("sns.amazonaws.com")
    topic = bench.client("sns").create_topic(Name=bench.name("topic"))["TopicArn"]
    bench.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    events_url, events_queue = bench.queue("events.amazonaws.com")
    name = alarm(bench, space, AlarmActions=[topic], AlarmDescription="what to do")
    rule = bench.name("rule")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}}}
    bench.client("events").put_rule(Name=rule, EventPattern=json.dumps(pattern))
    bench.client("events").put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": events_queue}])
    put(bench, space, 0.1)

    notified = json.loads(json.loads(bench.received(url)["Body"])["Message"])
    assert (notified["AlarmName"], notified["OldStateValue"], notified["NewStateValue"]) == (name, "INSUFFICIENT_DATA", "ALARM")
    event = json.loads(bench.received(events_url)["Body"])
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"][0].endswith(f":alarm:{name}")
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert event["detail"]["configuration"]["description"] == "what to do"
    assert event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["namespace"] == space


def test_embedded_metrics_of_a_function_reach_metrics_and_alarms(bench: Any, waiting: Callable[..., Any]) -> None:
    space = bench.name("RFT")
    name = alarm(bench, space, Dimensions=[{"Name": "Environment", "Value": "dev"}])
    function = bench.function(f"""
        import json, time
        def handler(event, context):
            print(json.dumps({{
                "_aws": {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{{
                    "Namespace": "{space}", "Dimensions": [["Environment"], ["Environment", "RunId"]],
                    "Metrics": [{{"Name": "Reward", "Unit": "None", "StorageResolution": 1}}]}}]}},
                "Environment": "dev", "RunId": "r1", "Reward": [0.0, 0.1, 0.5]}}))
    """)
    bench.invoke(function, {})
    waiting(lambda: state(bench, name) == "ALARM")
    now = datetime.now(UTC)
    found = bench.client("cloudwatch").get_metric_statistics(
        Namespace=space,
        MetricName="Reward",
        Dimensions=[{"Name": "Environment", "Value": "dev"}, {"Name": "RunId", "Value": "r1"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(seconds=5),
        Period=1,
        Statistics=["SampleCount", "Average"],
        ExtendedStatistics=["p90", "PR(:0)"],
    )["Datapoints"]
    assert [(each["SampleCount"], each["Average"]) for each in found] == [(3.0, pytest.approx(0.2))]
    assert found[0]["ExtendedStatistics"] == {"p90": pytest.approx(0.42), "PR(:0)": pytest.approx(100 / 3)}


def test_a_metric_filter_counts_log_lines(bench: Any, waiting: Callable[..., Any]) -> None:
    space, group = bench.name("RFT"), bench.name("group")
    logs = bench.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    logs.put_metric_filter(
        logGroupName=group,
        filterName="f",
        filterPattern='{ $.level = "ERROR" }',
        metricTransformations=[{"metricName": "Reward", "metricNamespace": space, "metricValue": "$.count"}],
    )
    name = alarm(bench, space, ComparisonOperator="GreaterThanThreshold", Threshold=2)
    stamp = int(time.time() * 1000)
    lines = ['{"level": "INFO", "count": 50}', '{"level": "ERROR", "count": 3}', "plain text"]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": stamp, "message": each} for each in lines])
    waiting(lambda: state(bench, name) == "ALARM")


def test_metric_data_answers_expressions_newest_first(bench: Any) -> None:
    space = bench.name("RFT")
    for ago, value in ((3, 0.2), (1, 0.6)):
        put(bench, space, value, ago=ago)
    now = datetime.now(UTC)
    query = {"MetricStat": {"Metric": {"Namespace": space, "MetricName": "Reward"}, "Period": 1, "Stat": "Average"}}
    answer = bench.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m1", **query}, {"Id": "e1", "Expression": "m1 * 100"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(seconds=1),
    )["MetricDataResults"]
    assert [each["Values"] for each in answer] == [[0.6, 0.2], [pytest.approx(60), pytest.approx(20)]]
    assert answer[0]["Timestamps"][0] > answer[0]["Timestamps"][1]


def test_an_unknown_function_in_an_expression_is_refused_by_name(bench: Any) -> None:
    with pytest.raises(Exception, match="SEARCH"):
        bench.client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "e1", "Expression": "SEARCH('x', 'Average', 60)"}],
            StartTime=datetime.now(UTC) - timedelta(minutes=1),
            EndTime=datetime.now(UTC),
        )
