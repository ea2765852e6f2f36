"""What an alarm does when its state changes: an EventBridge event always, its actions when they are enabled."""

from __future__ import annotations

import functools
import json
import time
import uuid
from typing import Any

import botocore.loaders
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch as upstream
from ministack.services import sns

from local.emulator import alarms, metric_queries
from local.emulator.clients import client, root
from local.emulator.metric_series import stamp
from local.emulator.ports import put_service_event

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}

_STATISTICS = {"SampleCount": "SAMPLE_COUNT", "Average": "AVERAGE", "Sum": "SUM", "Minimum": "MINIMUM", "Maximum": "MAXIMUM"}

_previous: dict[str, dict[str, Any]] = {}


def install() -> None:
    """Replace ministack's actions, which know SNS only and no event."""
    upstream._dispatch_alarm_actions = announce


def announce(alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
    """Put the state-change event and perform the actions of the new state."""
    detail = _detail(alarm, old, new, reason)
    put_service_event(
        account=get_account_id(),
        region=get_region(),
        source="aws.cloudwatch",
        detail_type="CloudWatch Alarm State Change",
        detail=detail,
        resources=[alarm["AlarmArn"]],
    )
    if alarm.get("ActionsEnabled", True):
        for action in alarm.get(_ACTIONS[new]) or []:
            _perform(action, alarm, detail, _message(alarm, old, new, reason))


def _state(alarm: dict[str, Any], value: str, reason: str) -> dict[str, Any]:
    state = {"value": value, "reason": reason, "timestamp": stamp(alarm.get("StateUpdatedTimestamp") or time.time())}
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    return state


def _detail(alarm: dict[str, Any], old: str, new: str, reason: str) -> dict[str, Any]:
    """The detail as the CloudWatch user guide shows it ("Alarm events and EventBridge")."""
    state = _state(alarm, new, reason)
    previous = _previous.get(alarm["AlarmArn"])
    if previous is None or previous["value"] != old:
        previous = {"value": old, "reason": "Unchecked: Initial alarm creation", "timestamp": state["timestamp"]}
    _previous[alarm["AlarmArn"]] = state
    return {"alarmName": alarm["AlarmName"], "configuration": _configuration(alarm), "previousState": previous, "state": state}


def _configuration(alarm: dict[str, Any]) -> dict[str, Any]:
    described = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {**described, "alarmRule": alarm["AlarmRule"]}
    metrics = []
    for query in alarms.queries_of(alarm)[0]:
        shown: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True) is not False}
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            shown["metricStat"] = {
                "metric": {
                    "namespace": metric.get("Namespace"),
                    "name": metric.get("MetricName"),
                    "dimensions": {each["Name"]: each["Value"] for each in metric.get("Dimensions") or []},
                },
                "period": int(query["MetricStat"]["Period"]),
                "stat": query["MetricStat"]["Stat"],
            }
        else:
            shown["expression"] = query["Expression"]
            shown["label"] = query.get("Label", query["Id"])
        metrics.append(shown)
    return {**described, "metrics": metrics}


def _perform(action: str, alarm: dict[str, Any], detail: dict[str, Any], message: dict[str, Any]) -> None:
    service = action.split(":")[2] if action.count(":") >= 5 else ""
    if service == "sns":
        subject = f'{detail["state"]["value"]}: "{alarm["AlarmName"]}" in {_region_name(get_region())}'[:100]
        sns._fanout(action, str(uuid.uuid4()), json.dumps(message), subject)
    elif service == "lambda":
        payload = {
            "source": "aws.cloudwatch",
            "alarmArn": alarm["AlarmArn"],
            "accountId": get_account_id(),
            "time": stamp(time.time()),
            "region": get_region(),
            "alarmData": detail,
        }
        functions = client("lambda", region=get_region(), credentials=root(get_account_id()))
        spawn_background(functions.invoke, FunctionName=action, InvocationType="Event", Payload=json.dumps(payload))


def _message(alarm: dict[str, Any], old: str, new: str, reason: str) -> dict[str, Any]:
    """The JSON an SNS subscriber gets."""
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.get("AlarmConfigurationUpdatedTimestamp") or time.time()),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": stamp(time.time()),
        "Region": _region_name(get_region()),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
    }
    if "AlarmRule" in alarm:
        return {**message, "AlarmRule": alarm["AlarmRule"], "TriggeringChildren": _children(alarm)}
    return {**message, "Trigger": _trigger(alarm)}


def _children(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The alarms that changed the state of a composite alarm."""
    found = json.loads(alarm.get("StateReasonData") or "{}").get("triggeringAlarms", [])
    return [{"Arn": each["arn"], "State": {"Value": each["state"]["value"], "Timestamp": each["state"]["timestamp"]}} for each in found]


def _trigger(alarm: dict[str, Any]) -> dict[str, Any]:
    shared = {
        "EvaluationPeriods": alarm.get("EvaluationPeriods"),
        **({"DatapointsToAlarm": alarm["DatapointsToAlarm"]} if alarm.get("DatapointsToAlarm") else {}),
        "ComparisonOperator": alarm.get("ComparisonOperator"),
        "Threshold": alarm.get("Threshold"),
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }
    if alarm.get("Metrics"):
        period = metric_queries.period_of(alarm["Metrics"][0], alarm["Metrics"])
        return {"Period": period, **shared, "Metrics": [_query(each) for each in alarm["Metrics"]]}
    extended = alarm.get("ExtendedStatistic")
    return {
        "MetricName": alarm.get("MetricName"),
        "Namespace": alarm.get("Namespace"),
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        **({"ExtendedStatistic": extended} if extended else {"Statistic": _STATISTICS[alarm.get("Statistic") or "Average"]}),
        "Unit": alarm.get("Unit"),
        "Dimensions": _dimensions(alarm),
        "Period": alarm.get("Period"),
        **shared,
    }


def _query(query: dict[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in query:
        return query
    metric = query["MetricStat"]["Metric"]
    return {**query, "MetricStat": {**query["MetricStat"], "Metric": {**metric, "Dimensions": _dimensions(metric)}}}


def _dimensions(metric: dict[str, Any]) -> list[dict[str, str]]:
    return [{"value": each["Value"], "name": each["Name"]} for each in metric.get("Dimensions") or []]


@functools.cache
def _region_name(region: str) -> str:
    """The Region as people call it, which is how notices name it: us-east-1 is US East (N. Virginia)."""
    partitions = botocore.loaders.Loader().load_data("endpoints")["partitions"]
    return str(next((each["regions"][region]["description"] for each in partitions if region in each["regions"]), region))
