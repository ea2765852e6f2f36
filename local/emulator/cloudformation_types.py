"""The CloudFormation types this launcher adds to ministack's."""

from __future__ import annotations

import json
from typing import Any

import botocore.exceptions
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from local.emulator import cloudformation as cfn
from local.emulator import not_emulated

Properties = dict[str, Any]
Result = tuple[str, dict[str, Any]]


def register() -> None:
    """Register them all."""
    cfn.add("AWS::CloudWatch::CompositeAlarm", _composite_alarm, _delete_alarm)
    cfn.add("AWS::EC2::FlowLog", _flow_log, _delete_flow_log, replaced_by=("ResourceId", "LogGroupName", "TrafficType"))
    for direction in ("Ingress", "Egress"):
        _register_rule(direction)
    cfn.add("AWS::Events::Archive", _archive, _delete_archive)
    cfn.add("AWS::Events::EventBusPolicy", _bus_policy, _delete_bus_policy, replaced_by=("EventBusName", "StatementId"))
    cfn.add("AWS::Budgets::Budget", _budget, _delete_budget)
    cfn.add_recorded(
        "AWS::Budgets::BudgetsAction", "no cost accrues here, so no policy is ever attached", lambda name, _p: {"ActionId": name}
    )
    cfn.add("AWS::CloudTrail::Trail", _trail, _delete_trail)
    for client, kind in (("Slack", "slack-channel"), ("MicrosoftTeams", "microsoft-teams-channel")):
        cfn.add_recorded(
            f"AWS::Chatbot::{client}ChannelConfiguration", "no chat is reached, so nothing appears in a channel", _channel(kind)
        )
    cfn.add_recorded("AWS::CloudWatch::AnomalyDetector", "no band is learned, so an alarm on one never changes state")
    cfn.add_recorded("AWS::Logs::QueryDefinition", "log queries are not run", lambda name, _p: {"QueryDefinitionId": name})
    cfn.add_recorded("AWS::EC2::NetworkAcl", "packets are not filtered", lambda name, _p: {"Id": name})
    cfn.add_recorded("AWS::EC2::NetworkAclEntry", "packets are not filtered")
    cfn.add_recorded("AWS::EC2::SubnetNetworkAclAssociation", "packets are not filtered")
    cfn.add_recorded("AWS::AccessAnalyzer::Analyzer", "nothing is analysed", _arn_attribute("access-analyzer", "analyzer"))
    cfn.add_recorded("AWS::Config::ConfigRule", "rules are not evaluated", _arn_attribute("config", "config-rule"))
    cfn.add_recorded("AWS::GuardDuty::Detector", "nothing is detected", lambda name, _p: {"Id": name})
    cfn.add_recorded("AWS::S3::StorageLens", "no figures are gathered")
    cfn.add_recorded("AWS::SSM::Document", "documents are not run")
    cfn.add_recorded("AWS::Oam::Link", "nothing is shared between accounts")
    cfn.add_recorded("AWS::Lambda::CodeSigningConfig", "signatures are not checked", _arn_attribute("lambda", "code-signing-config"))
    cfn.amend("AWS::EC2::VPC", lambda _id, given, attributes: attributes.setdefault("CidrBlock", given.get("CidrBlock")))
    provisioners._cw_metric_alarm_record = with_metric_math(provisioners._cw_metric_alarm_record)


def _arn_attribute(service: str, resource: str) -> Any:
    def attributes(name: str, _properties: Properties) -> dict[str, Any]:
        return {"Arn": f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}/{name}"}

    return attributes


def _channel(kind: str) -> Any:
    def attributes(_name: str, properties: Properties) -> dict[str, Any]:
        return {"Arn": f"arn:aws:chatbot::{get_account_id()}:chat-configuration/{kind}/{properties['ConfigurationName']}"}

    return attributes


def _without_missing(call: Any, *codes: str, **arguments: Any) -> None:
    """Delete something that may be gone already."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as problem:
        code = problem.response["Error"]["Code"]
        if code not in codes and "NotFound" not in code:
            raise


# --- CloudWatch -------------------------------------------------------------------------------------------------------


def with_metric_math(upstream: Any) -> Any:
    """ministack's reader of an alarm's properties, with alarms on expressions let through: the alarm engine here evaluates them."""

    def record(name: str, properties: Properties) -> Any:
        queries = properties.get("Metrics")
        if not queries:
            return upstream(name, properties)
        stand_in = {key: value for key, value in properties.items() if key != "Metrics"}
        threshold = stand_in.get("Threshold", 0)
        alarm = upstream(name, {**stand_in, "MetricName": "-", "Namespace": "-", "Threshold": threshold})
        for unused in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"):
            alarm.pop(unused, None)
        if properties.get("ThresholdMetricId"):
            alarm["ThresholdMetricId"] = properties["ThresholdMetricId"]
            not_emulated.record("anomaly detection alarm", "no band is learned, so the alarm stays INSUFFICIENT_DATA")
        alarm["Metrics"] = _typed_queries(queries)
        return alarm

    return record


def _typed_queries(queries: list[Properties]) -> list[Properties]:
    typed = []
    for query in cfn.plain(queries):
        copied = dict(query)
        if "Period" in copied:
            copied["Period"] = int(copied["Period"])
        if "MetricStat" in copied:
            copied["MetricStat"] = {**copied["MetricStat"], "Period": int(copied["MetricStat"]["Period"])}
        typed.append(copied)
    return typed


def _composite_alarm(logical_id: str, properties: Properties, stack: str) -> Result:
    name = cfn.name_of(properties, "AlarmName", logical_id, stack)
    cfn.api("cloudwatch").put_composite_alarm(**{**cfn.plain(properties), "AlarmName": name})
    return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def _delete_alarm(name: str, _properties: Properties) -> None:
    _without_missing(cfn.api("cloudwatch").delete_alarms, "ResourceNotFound", AlarmNames=[name])


# --- network ----------------------------------------------------------------------------------------------------------


def _flow_log(_logical_id: str, properties: Properties, _stack: str) -> Result:
    ec2 = cfn.api("ec2")
    resource = properties["ResourceId"]
    kept = [
        log
        for log in ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [resource]}])["FlowLogs"]
        if log.get("LogGroupName") == properties.get("LogGroupName") and log.get("ResourceId") == resource
    ]
    if kept:
        return kept[0]["FlowLogId"], {"Id": kept[0]["FlowLogId"]}
    wanted = {
        "ResourceIds": [resource],
        "ResourceType": properties["ResourceType"],
        "LogDestinationType": properties.get("LogDestinationType", "cloud-watch-logs"),
    }
    for key in ("TrafficType", "LogGroupName", "DeliverLogsPermissionArn", "LogDestination"):
        if key in properties:
            wanted[key] = properties[key]
    created = ec2.create_flow_logs(**wanted)["FlowLogIds"][0]
    return created, {"Id": created}


def _delete_flow_log(physical_id: str, _properties: Properties) -> None:
    _without_missing(cfn.api("ec2").delete_flow_logs, FlowLogIds=[physical_id])


def _register_rule(direction: str) -> None:
    """AWS::EC2::SecurityGroupIngress and Egress: one rule of a group, as a resource of its own."""
    peer = "SourceSecurityGroupId" if direction == "Ingress" else "DestinationSecurityGroupId"
    peer_list = "SourcePrefixListId" if direction == "Ingress" else "DestinationPrefixListId"

    def permission(properties: Properties) -> list[Properties]:
        rule: Properties = {"IpProtocol": str(properties.get("IpProtocol", "-1"))}
        rule.update({key: int(properties[key]) for key in ("FromPort", "ToPort") if key in properties})
        if properties.get("CidrIp"):
            rule["IpRanges"] = [{"CidrIp": properties["CidrIp"]}]
        if properties.get("CidrIpv6"):
            rule["Ipv6Ranges"] = [{"CidrIpv6": properties["CidrIpv6"]}]
        if properties.get(peer):
            rule["UserIdGroupPairs"] = [{"GroupId": properties[peer]}]
        if properties.get(peer_list):
            rule["PrefixListIds"] = [{"PrefixListId": properties[peer_list]}]
        return [rule]

    def put(logical_id: str, properties: Properties, stack: str) -> Result:
        authorize = getattr(cfn.api("ec2"), f"authorize_security_group_{direction.lower()}")
        try:
            authorize(GroupId=properties["GroupId"], IpPermissions=permission(properties))
        except botocore.exceptions.ClientError as problem:
            if problem.response["Error"]["Code"] != "InvalidPermission.Duplicate":
                raise
        physical_id = cfn.name_of({}, "", logical_id, stack)
        return physical_id, {"Id": physical_id}

    def delete(_physical_id: str, properties: Properties) -> None:
        revoke = getattr(cfn.api("ec2"), f"revoke_security_group_{direction.lower()}")
        _without_missing(revoke, GroupId=properties["GroupId"], IpPermissions=permission(properties))

    changes = ("GroupId", "IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", peer, peer_list)
    cfn.add(f"AWS::EC2::SecurityGroup{direction}", put, delete, replaced_by=changes)


# --- events, logs, budgets, trails ------------------------------------------------------------------------------------


def _archive(logical_id: str, properties: Properties, stack: str) -> Result:
    events = cfn.api("events")
    name = cfn.name_of(properties, "ArchiveName", logical_id, stack, longest=48)
    wanted: Properties = {"ArchiveName": name}
    pattern = properties.get("EventPattern")
    if pattern:
        wanted["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
    if properties.get("RetentionDays"):
        wanted["RetentionDays"] = int(properties["RetentionDays"])
    try:
        arn = events.create_archive(**wanted, EventSourceArn=properties["SourceArn"])["ArchiveArn"]
    except events.exceptions.ResourceAlreadyExistsException:
        arn = events.update_archive(**wanted)["ArchiveArn"]
    return name, {"Arn": arn, "ArchiveName": name}


def _delete_archive(name: str, _properties: Properties) -> None:
    _without_missing(cfn.api("events").delete_archive, ArchiveName=name)


def _bus_policy(_logical_id: str, properties: Properties, _stack: str) -> Result:
    not_emulated.record("AWS::Events::EventBusPolicy", "kept with the bus; callers are held to their own policies only")
    bus, statement = properties.get("EventBusName", "default"), cfn.plain(properties["Statement"])
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    others = [each for each in policy["Statement"] if each.get("Sid") != properties["StatementId"]]
    # PutPermission itself knows whole policies only, and ministack's knows neither Effect nor those.
    policy["Statement"] = [*others, {**statement, "Sid": properties["StatementId"]}]
    return f"{bus}|{properties['StatementId']}", {}


def _delete_bus_policy(_physical_id: str, properties: Properties) -> None:
    bus = properties.get("EventBusName", "default")
    _without_missing(cfn.api("events").remove_permission, EventBusName=bus, StatementId=properties["StatementId"])


def _budget(logical_id: str, properties: Properties, stack: str) -> Result:
    not_emulated.record("AWS::Budgets::Budget", "no cost accrues here, so no notification is ever sent")
    budgets = cfn.api("budgets")
    budget = {**properties["Budget"]}
    name = budget["BudgetName"] = cfn.name_of(budget, "BudgetName", logical_id, stack)
    limit = budget.get("BudgetLimit")
    if limit:
        budget["BudgetLimit"] = {"Amount": str(limit["Amount"]), "Unit": limit["Unit"]}
    notifications = cfn.plain(properties.get("NotificationsWithSubscribers", []))
    for each in notifications:
        each["Notification"]["Threshold"] = float(each["Notification"]["Threshold"])
    _delete_budget(name, properties)
    budgets.create_budget(AccountId=get_account_id(), Budget=budget, NotificationsWithSubscribers=notifications)
    return name, {}


def _delete_budget(name: str, _properties: Properties) -> None:
    _without_missing(cfn.api("budgets").delete_budget, AccountId=get_account_id(), BudgetName=name)


_TRAIL_SETTINGS = (
    "S3BucketName",
    "S3KeyPrefix",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "EnableLogFileValidation",
    "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn",
)


def _trail(logical_id: str, properties: Properties, stack: str) -> Result:
    trails = cfn.api("cloudtrail")
    name = cfn.name_of(properties, "TrailName", logical_id, stack)
    wanted = {"Name": name, **cfn.plain({key: properties[key] for key in _TRAIL_SETTINGS if key in properties})}
    if properties.get("KMSKeyId"):
        wanted["KmsKeyId"] = properties["KMSKeyId"]
    exists = any(each["Name"] == name for each in trails.describe_trails()["trailList"])
    arn = (trails.update_trail if exists else trails.create_trail)(**wanted)["TrailARN"]
    for selectors in ("EventSelectors", "AdvancedEventSelectors"):
        if properties.get(selectors):
            trails.put_event_selectors(TrailName=name, **{selectors: _selectors(properties[selectors])})
    if cfn.plain(properties.get("IsLogging")) in (True, "True"):
        trails.start_logging(Name=name)
    return name, {"Arn": arn, "SnsTopicArn": properties.get("SnsTopicName", "")}


def _selectors(given: Any) -> Any:
    """Selectors under the names of the API, of which CloudFormation writes one in its own way."""
    if isinstance(given, list):
        return [_selectors(item) for item in given]
    return {key: _selectors(item) for key, item in given.items()} if isinstance(given, dict) else cfn.plain(given)


def _delete_trail(name: str, _properties: Properties) -> None:
    _without_missing(cfn.api("cloudtrail").delete_trail, Name=name)
