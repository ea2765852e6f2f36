"""The network: what can reach what, through which route, endpoint and security group rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from contracts import names

from audit.assembly import Assembly
from audit.words import Statement, Words, listed
from stacks.constructs.network import S3_PREFIX_LISTS

WAYS_OUT = (
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::VPNGateway",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCPeeringConnection",
)

NOWHERE = "255.255.255.255/32"
"""What CDK writes for "no traffic": a rule is needed, or EC2 would add one that allows everything."""


@attrs.frozen(kw_only=True)
class Subnet:
    """A subnet; `routes` leaves out the local one, which every subnet has."""

    place: str
    zone: str
    cidr: str
    public: bool
    routes: list[str]


@attrs.frozen(kw_only=True)
class Endpoint:
    """A VPC endpoint and what its policy lets through."""

    place: str
    service: str
    kind: str
    private_dns: bool
    groups: list[str]
    policy: list[Statement]


@attrs.frozen(kw_only=True)
class Rule:
    """Who may talk to whom: one direction of one security group rule."""

    group: str
    direction: str
    other: str
    ports: str
    why: str


@attrs.frozen(kw_only=True)
class Network:
    """All of it.

    Attributes:
        ways_out: gateways and connections that lead out of the VPC; empty means that no packet leaves but through an endpoint.
        members: security group -> functions that have an interface in it.
        also: security group -> what else has an interface in it, in words.
        outside: functions that run outside the VPC.
        flow_logs: what is recorded of the traffic.
    """

    vpcs: list[str]
    subnets: list[Subnet]
    ways_out: list[str]
    endpoints: list[Endpoint]
    rules: list[Rule]
    members: dict[str, list[str]]
    also: dict[str, list[str]]
    outside: list[str]
    flow_logs: list[str]


def network(assembly: Assembly) -> Network:
    words = Words(assembly)
    members, outside = _members(assembly, words)
    return Network(
        vpcs=[
            f"{words.place(stack, name)} {words.text(stack, vpc['Properties']['CidrBlock'])}"
            for stack, name, vpc in assembly.resources("AWS::EC2::VPC")
        ],
        subnets=[*_subnets(assembly, words)],
        ways_out=[f"{resource['Type']} {words.place(stack, name)}" for stack, name, resource in assembly.resources(*WAYS_OUT)],
        endpoints=[*_endpoints(assembly, words)],
        rules=sorted(_rules(assembly, words), key=lambda rule: (rule.group, rule.direction, rule.other)),
        members=members,
        also=_also(assembly, words),
        outside=outside,
        flow_logs=[
            f"{words.text(stack, log['Properties']['ResourceId'])}: {log['Properties']['TrafficType']} traffic to "
            f"{words.text(stack, log['Properties'].get('LogGroupName', log['Properties'].get('LogDestination', '')))}"
            for stack, name, log in assembly.resources("AWS::EC2::FlowLog")
        ],
    )


def _subnets(assembly: Assembly, words: Words) -> Iterator[Subnet]:
    tables = {
        words.text(stack, found["Properties"]["SubnetId"]): words.text(stack, found["Properties"]["RouteTableId"])
        for stack, _, found in assembly.resources("AWS::EC2::SubnetRouteTableAssociation")
    }
    routes: dict[str, list[str]] = {}
    for stack, _, found in assembly.resources("AWS::EC2::Route"):
        properties = dict(found["Properties"])
        table = words.text(stack, properties.pop("RouteTableId"))
        routes.setdefault(table, []).append(" ".join(words.text(stack, value) for _, value in sorted(properties.items())))
    for stack, name, found in assembly.resources("AWS::EC2::VPCEndpoint"):
        for table in found["Properties"].get("RouteTableIds", []):
            routes.setdefault(words.text(stack, table), []).append(
                f"{_service(words, stack, found)} through {{{words.place(stack, name)}}}"
            )
    for stack, name, found in assembly.resources("AWS::EC2::Subnet"):
        properties = found["Properties"]
        place = words.place(stack, name)
        yield Subnet(
            place=place.removesuffix("/Subnet"),
            zone=words.text(stack, properties.get("AvailabilityZone", "")),
            cidr=words.text(stack, properties.get("CidrBlock", "")),
            public=bool(properties.get("MapPublicIpOnLaunch", False)),
            routes=sorted(routes.get(tables.get(f"{{{place}}}", ""), [])),
        )


def _endpoints(assembly: Assembly, words: Words) -> Iterator[Endpoint]:
    for stack, name, found in assembly.resources("AWS::EC2::VPCEndpoint"):
        properties = found["Properties"]
        yield Endpoint(
            place=words.place(stack, name),
            service=_service(words, stack, found),
            kind=str(properties.get("VpcEndpointType", "Gateway")),
            private_dns=bool(properties.get("PrivateDnsEnabled", False)),
            groups=[words.text(stack, group).strip("{}") for group in properties.get("SecurityGroupIds", [])],
            policy=words.statements(stack, properties.get("PolicyDocument", {})),
        )


def _service(words: Words, stack: str, endpoint: Mapping[str, Any]) -> str:
    return re.sub(r"^com\.amazonaws\.[a-z0-9-]+\.", "", words.text(stack, endpoint["Properties"]["ServiceName"]))


def _rules(assembly: Assembly, words: Words) -> Iterator[Rule]:
    for stack, name, found in assembly.resources("AWS::EC2::SecurityGroup"):
        properties = found["Properties"]
        group = words.place(stack, name)
        for direction, key in (("in", "SecurityGroupIngress"), ("out", "SecurityGroupEgress")):
            for rule in listed(properties.get(key, [])):
                yield _rule(words, stack, group, direction, rule)
    for direction, kind in (("in", "AWS::EC2::SecurityGroupIngress"), ("out", "AWS::EC2::SecurityGroupEgress")):
        for stack, _, found in assembly.resources(kind):
            group = words.text(stack, found["Properties"]["GroupId"]).strip("{}")
            yield _rule(words, stack, group, direction, found["Properties"])


def _rule(words: Words, stack: str, group: str, direction: str, rule: Mapping[str, Any]) -> Rule:
    keys = (
        ("SourceSecurityGroupId", "SourcePrefixListId", "CidrIp", "CidrIpv6")
        if direction == "in"
        else ("DestinationSecurityGroupId", "DestinationPrefixListId", "CidrIp", "CidrIpv6")
    )
    other = next((words.text(stack, rule[key]) for key in keys if key in rule), "")
    other = f"S3 ({other})" if other in S3_PREFIX_LISTS.values() else other
    if other == NOWHERE:
        return Rule(group=group, direction=direction, other="nothing", ports="none", why="the rule that keeps EC2 from adding one")
    first, last = rule.get("FromPort"), rule.get("ToPort")
    protocol = "any protocol" if str(rule.get("IpProtocol")) == "-1" else str(rule.get("IpProtocol"))
    ports = protocol if first is None else f"{protocol} {first}" + ("" if first == last else f" to {last}")
    return Rule(group=group, direction=direction, other=other.strip("{}"), ports=ports, why=words.text(stack, rule.get("Description", "")))


def _members(assembly: Assembly, words: Words) -> tuple[dict[str, list[str]], list[str]]:
    members: dict[str, list[str]] = {}
    outside: list[str] = []
    for stack, name, found in assembly.resources("AWS::Lambda::Function"):
        place = words.place(stack, name)
        groups = found["Properties"].get("VpcConfig", {}).get("SecurityGroupIds", [])
        for group in groups:
            members.setdefault(words.text(stack, group).strip("{}"), []).append(place)
        if not groups:
            outside.append(place)
    return dict(sorted(members.items())), outside


def _also(assembly: Assembly, words: Words) -> dict[str, list[str]]:
    """Interfaces that are no function's: of endpoints, and of the jobs a function is configured to start."""
    found: dict[str, list[str]] = {}
    for stack, name, resource in assembly.resources("AWS::EC2::VPCEndpoint"):
        for group in resource["Properties"].get("SecurityGroupIds", []):
            found.setdefault(words.text(stack, group).strip("{}"), []).append(f"endpoint {words.place(stack, name).rpartition('/')[2]}")
    for stack, _, resource in assembly.resources("AWS::Lambda::Function"):
        variables = resource["Properties"].get("Environment", {}).get("Variables", {})
        if names.ENV_SECURITY_GROUPS in variables:
            found.setdefault(words.text(stack, variables[names.ENV_SECURITY_GROUPS]).strip("{}"), []).append(
                "customization jobs of Bedrock"
            )
    return {group: sorted(set(held)) for group, held in sorted(found.items())}
