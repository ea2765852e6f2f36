"""What an alarm does when its state changes: an EventBridge event always, its actions when they are enabled."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch as upstream
from ministack.services import sns

from local.emulator import alarms
from local.emulator.clients import client, root
from local.emulator.ports import put_service_event

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}

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
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(alarm.get("StateUpdatedTimestamp") or time.time()))
    state = {"value": value, "reason": reason, "timestamp": stamp}
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
        subject = f'{detail["state"]["value"]}: "{alarm["AlarmName"]}" in {get_region()}'[:100]
        sns._fanout(action, str(uuid.uuid4()), json.dumps(message), subject)
    elif service == "lambda":
        payload = {
            "source": "aws.cloudwatch",
            "alarmArn": alarm["AlarmArn"],
            "accountId": get_account_id(),
            "time": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime()),
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
        "AlarmConfigurationUpdatedTimestamp": alarm.get("AlarmConfigurationUpdatedTimestamp"),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime()),
        "Region": get_region(),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
    }
    if "AlarmRule" in alarm:
        return {**message, "AlarmRule": alarm["AlarmRule"]}
    trigger = {
        key: alarm.get(key) for key in ("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData")
    }
    if alarm.get("Metrics"):
        trigger["Metrics"] = alarm["Metrics"]
    else:
        dimensions = [{"name": each["Name"], "value": each["Value"]} for each in alarm.get("Dimensions") or []]
        trigger.update({key: alarm.get(key) for key in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")})
        trigger["Dimensions"] = dimensions
    return {**message, "Trigger": trigger}
