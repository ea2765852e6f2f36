"""CloudFormation types the launcher adds: each can be created, updated twice over and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


def template(period: int) -> dict[str, Any]:
    network = {
        "Network": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Network"}}},
        "RuleIn": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "CidrIp": {"Fn::GetAtt": ["Network", "CidrBlock"]},
            },
        },
        "RuleOut": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "DestinationSecurityGroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
            },
        },
        "Flow": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {"ResourceId": {"Ref": "Network"}, "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flow"},
        },
    }
    stat = {"Metric": {"Namespace": "RFT", "MetricName": "Reward"}, "Period": period, "Stat": "Average"}
    watch = {
        "Math": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "cfn-math",
                "ComparisonOperator": "LessThanThreshold",
                "EvaluationPeriods": 2,
                "Threshold": 0.5,
                "TreatMissingData": "notBreaching",
                "Metrics": [
                    {"Id": "m1", "MetricStat": stat, "ReturnData": False},
                    {"Id": "e1", "Expression": "FILL(m1, 1)", "ReturnData": True},
                ],
            },
        },
        "Any": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmName": "cfn-any", "AlarmRule": {"Fn::Sub": 'ALARM("${Math}")'}},
        },
        "Band": {"Type": "AWS::CloudWatch::AnomalyDetector", "Properties": {"Namespace": "RFT", "MetricName": "Reward", "Stat": "Average"}},
        "Query": {"Type": "AWS::Logs::QueryDefinition", "Properties": {"Name": "q", "QueryString": "fields @message"}},
    }
    record = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "cfn-bus"}},
        "Kept": {
            "Type": "AWS::Events::Archive",
            "Properties": {
                "ArchiveName": "kept",
                "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
                "RetentionDays": period,
                "EventPattern": {"source": ["rft"]},
            },
        },
        "Spend": {
            "Type": "AWS::Budgets::Budget",
            "Properties": {"Budget": {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": period, "Unit": "USD"}}},
        },
        "StopSpend": {
            "Type": "AWS::Budgets::BudgetsAction",
            "Properties": {
                "BudgetName": {"Ref": "Spend"},
                "ActionType": "APPLY_IAM_POLICY",
                "ActionThreshold": {"Type": "PERCENTAGE", "Value": period},
            },
        },
        "Channel": {
            "Type": "AWS::Chatbot::SlackChannelConfiguration",
            "Properties": {
                "ConfigurationName": "alarms",
                "SlackWorkspaceId": "T0WORKSPACE",
                "SlackChannelId": "C0CHANNEL",
                "IamRoleArn": "arn:aws:iam::000000000000:role/chat",
                "SnsTopicArns": [f"arn:aws:sns:us-east-1:000000000000:{period}"],
            },
        },
        "TrailBucket": {"Type": "AWS::S3::Bucket"},
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {"S3BucketName": {"Ref": "TrailBucket"}, "IsLogging": True, "IsMultiRegionTrail": False},
        },
    }
    return {"Resources": {**network, **watch, **record}}


@pytest.fixture
def deploy(bench: Any, waiting: Callable[..., Any]) -> Callable[[str, dict[str, Any], bool], str]:
    cloudformation = bench.client("cloudformation")

    def run(name: str, body: dict[str, Any], update: bool) -> str:
        act = cloudformation.update_stack if update else cloudformation.create_stack
        act(StackName=name, TemplateBody=json.dumps(body))

        def ended() -> Any:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

        stack = waiting(ended)
        return str(stack["StackStatus"]) + str(stack.get("StackStatusReason", ""))

    return run


def test_the_added_types_are_created_updated_and_deleted(bench: Any, deploy: Callable[..., str], waiting: Callable[..., Any]) -> None:
    cloudformation, cloudwatch = bench.client("cloudformation"), bench.client("cloudwatch")
    assert deploy("added", template(60), False) == "CREATE_COMPLETE"
    assert deploy("added", template(30), True) == "UPDATE_COMPLETE"
    assert deploy("added", template(10), True) == "UPDATE_COMPLETE"

    alarm = cloudwatch.describe_alarms(AlarmNames=["cfn-math"])["MetricAlarms"][0]
    assert [query.get("Expression") for query in alarm["Metrics"]] == [None, "FILL(m1, 1)"]
    assert alarm["Metrics"][0]["MetricStat"]["Period"] == 10
    assert bench.client("events").describe_archive(ArchiveName="kept")["RetentionDays"] == 10
    resources = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in cloudformation.list_stack_resources(StackName="added")["StackResourceSummaries"]
    }
    group = bench.client("ec2").describe_security_groups(GroupIds=[resources["Group"]])["SecurityGroups"][0]
    assert [each["IpRanges"][0]["CidrIp"] for each in group["IpPermissions"]] == ["10.0.0.0/16"]
    assert len(bench.client("ec2").describe_flow_logs()["FlowLogs"]) == 1
    assert [each["Name"] for each in bench.client("cloudtrail").describe_trails()["trailList"]] == [resources["Trail"]]
    listed = {each["what"] for each in bench.endpoint.admin("GET", "status")["not_emulated"]}
    assert {
        "AWS::CloudWatch::AnomalyDetector",
        "AWS::Logs::QueryDefinition",
        "AWS::Budgets::Budget",
        "AWS::Budgets::BudgetsAction",
        "AWS::Chatbot::SlackChannelConfiguration",
    } <= listed

    cloudformation.delete_stack(StackName=cloudformation.describe_stacks(StackName="added")["Stacks"][0]["StackId"])
    waiting(lambda: not cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"], AlarmNamePrefix="cfn-")["MetricAlarms"])
    waiting(lambda: not bench.client("cloudtrail").describe_trails()["trailList"])
    assert bench.client("ec2").describe_flow_logs()["FlowLogs"] == []


def test_a_template_reserves_concurrency_changes_it_and_gives_it_back(bench: Any, deploy: Callable[..., str]) -> None:
    def body(**reserved: int) -> dict[str, Any]:
        source = {"ZipFile": "def handler(event, context):\n    return 1\n"}
        role = bench.role("lambda.amazonaws.com")
        given = {"FunctionName": "held", "Role": role, "Runtime": "python3.14", "Handler": "index.handler", "Code": source, **reserved}
        return {"Resources": {"Held": {"Type": "AWS::Lambda::Function", "Properties": given}}}

    found = [deploy("held", body(ReservedConcurrentExecutions=3), False)]
    reserved = [bench.client("lambda").get_function_concurrency(FunctionName="held").get("ReservedConcurrentExecutions")]
    for change in ({"ReservedConcurrentExecutions": 5}, {}):
        found.append(deploy("held", body(**change), True))
        reserved.append(bench.client("lambda").get_function_concurrency(FunctionName="held").get("ReservedConcurrentExecutions"))
    assert (found, reserved) == (["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE"], [3, 5, None])


def test_a_type_nobody_knows_is_refused_before_anything_is_made(bench: Any) -> None:
    body = {"Resources": {"Good": {"Type": "AWS::SQS::Queue"}, "Bad": {"Type": "AWS::Unheard::Of"}}}
    with pytest.raises(Exception, match="AWS::Unheard::Of"):
        bench.client("cloudformation").create_stack(StackName="bad", TemplateBody=json.dumps(body))
