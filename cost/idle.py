"""What an environment costs in a month in which nobody uses it, resource by resource."""

from __future__ import annotations

from collections import Counter
from typing import Any

from audit.assembly import Assembly
from cost.prices import HOURS_PER_MONTH, Line, Prices
from stacks.released_definition import FIGURES, LOOK_MINUTES

BY_USE = {
    "AWS::CloudTrail::Trail": "data events and log objects",
    "AWS::DynamoDB::Table": "requests and storage, on demand",
    "AWS::EC2::FlowLog": "log lines",
    "AWS::Events::Archive": "events and storage",
    "AWS::Events::EventBus": "events put on it",
    "AWS::Events::Rule": "events of other services are free",
    "AWS::Lambda::Function": "calls and their duration",
    "AWS::Lambda::LayerVersion": "storage, within what an account has free",
    "AWS::Lambda::Version": "storage, within what an account has free",
    "AWS::Logs::LogGroup": "what is written and kept",
    "AWS::S3::Bucket": "what is stored, and requests",
    "AWS::SNS::Topic": "messages",
    "AWS::SQS::Queue": "requests; nobody polls the dead-letter queues",
    "AWS::Scheduler::Schedule": "invocations",
    "AWS::StepFunctions::StateMachine": "state transitions",
}
"""Types that cost nothing while idle, and what they cost by when used."""

_FREE_SERVICES = ("AWS::IAM::", "AWS::Chatbot::", "AWS::CDK::", "AWS::CloudFormation::", "AWS::ResourceGroups::", "Custom::")
_FREE = frozenset(
    {
        "AWS::Budgets::Budget",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::Events::EventBusPolicy",
        "AWS::KMS::Alias",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
        "AWS::Logs::ResourcePolicy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Parameter",
        "AWS::Scheduler::ScheduleGroup",
    }
)


class Unpriced(ValueError):
    """A resource type nobody has said the price of."""


def idle(assembly: Assembly, prices: Prices) -> list[Line]:
    """The lines of a month's bill, the dearest first; what costs by use alone stands there with 0.

    Raises:
        Unpriced: naming each type that is neither priced nor known to be free.
    """
    endpoints: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    quantities: Counter[str] = Counter()
    acting: set[str] = set()
    unknown: set[str] = set()
    for _, _, resource in assembly.resources():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind == "AWS::EC2::VPCEndpoint":
            if properties.get("VpcEndpointType") == "Interface":
                endpoints["count"] += 1
                endpoints["zones"] += len(properties["SubnetIds"])
        elif kind in ("AWS::KMS::Key", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Dashboard"):
            counts[kind] += 1
            quantities[kind] += _metrics(properties) if kind == "AWS::CloudWatch::Alarm" else 1
        elif kind == "AWS::Budgets::BudgetsAction":
            acting.add(str(properties["BudgetName"]))
        elif kind in BY_USE:
            counts[kind] += 1
        elif kind not in _FREE and not kind.startswith(_FREE_SERVICES):
            unknown.add(kind)
    if unknown:
        raise Unpriced(f"no price is known for {', '.join(sorted(unknown))}; allowed are the types cost/idle.py names")
    lines = [
        prices.line(
            f"{endpoints['count']} interface endpoints in {endpoints['zones'] // max(endpoints['count'], 1)} zone(s)",
            endpoints["zones"] * HOURS_PER_MONTH,
            "endpoint_hour",
        ),
        prices.line(f"{counts['AWS::KMS::Key']} KMS keys", quantities["AWS::KMS::Key"], "key_month"),
        prices.line(f"{counts['AWS::CloudWatch::Alarm']} alarms", quantities["AWS::CloudWatch::Alarm"], "alarm_month"),
        prices.line(
            f"{counts['AWS::CloudWatch::CompositeAlarm']} composite alarms",
            quantities["AWS::CloudWatch::CompositeAlarm"],
            "composite_alarm_month",
        ),
        prices.line(f"{counts['AWS::CloudWatch::Dashboard']} dashboards", quantities["AWS::CloudWatch::Dashboard"], "dashboard_month"),
    ]
    lines.append(prices.line(f"{len(acting)} budgets with an action", len(acting) * HOURS_PER_MONTH / 24, "budget_day"))
    lines += _looking(prices)
    lines = sorted((line for line in lines if line.quantity), key=lambda line: -line.usd)
    return [
        *lines,
        *(
            Line(what=f"{counts[kind]} {kind.removeprefix('AWS::')}: {BY_USE[kind]}", quantity=0.0, price="", usd=0.0)
            for kind in sorted(BY_USE)
            if counts[kind]
        ),
    ]


def _looking(prices: Prices) -> list[Line]:
    """What looks at a released model while nobody asks it: one figure, whether it is there. Nothing is read before a first release."""
    looks = HOURS_PER_MONTH * 60 / LOOK_MINUTES
    return [
        prices.line("1 custom metric of the released model", 1, "metric_month"),
        prices.line(f"{looks:,.0f} looks at it, {len(FIGURES)} figures each", looks * (len(FIGURES) + 1), "metric_request"),
        prices.line("executions for these looks", looks, "express_execution"),
    ]


def _metrics(alarm: dict[str, Any]) -> int:
    """Metrics an alarm looks at: one, or as many as its expression reads."""
    return sum("MetricStat" in each for each in alarm.get("Metrics", [])) or 1
