"""Rules on the network: everything inside, endpoints with policies, no way out."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.rules.rule import Fault, Rule
from stacks.rules.templates import Resource, Statement, Templates, listed, required_keys, statements

_WAYS_OUT = (
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::CarrierGateway",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::TransitGatewayVpcAttachment",
    "AWS::EC2::VPNGateway",
    "AWS::EC2::EIP",
)
_ANYWHERE = {"0.0.0.0/0", "::/0"}


def _endpoints(templates: Templates, kind: str) -> list[Resource]:
    return [e for e in templates.of("AWS::EC2::VPCEndpoint") if e.properties.get("VpcEndpointType", "Gateway") == kind]


def _function_network(templates: Templates) -> Iterator[Fault]:
    for function in templates.of("AWS::Lambda::Function"):
        vpc = function.properties.get("VpcConfig", {})
        if not vpc.get("SubnetIds") or not vpc.get("SecurityGroupIds"):
            yield Fault(resource=function, what="the function runs outside the VPC", property_path="Properties/VpcConfig")


def _private_dns(templates: Templates) -> Iterator[Fault]:
    for endpoint in _endpoints(templates, "Interface"):
        if endpoint.properties.get("PrivateDnsEnabled") is not True:
            yield Fault(resource=endpoint, what="no private DNS", property_path="Properties/PrivateDnsEnabled")
        if not endpoint.properties.get("SecurityGroupIds"):
            yield Fault(resource=endpoint, what="the VPC's default security group", property_path="Properties/SecurityGroupIds")


def _endpoint_policy(templates: Templates) -> Iterator[Fault]:
    for endpoint in templates.of("AWS::EC2::VPCEndpoint"):
        found = list(statements(endpoint.properties.get("PolicyDocument")))
        if not found:
            yield Fault(resource=endpoint, what="AWS's default policy lets everyone do everything through it")
        for statement in found:
            if statement["Effect"] == "Allow" and _anyone(statement) and not _holds_principal(statement):
                yield Fault(resource=endpoint, what="a statement lets any principal through", property_path="Properties/PolicyDocument")


def _anyone(statement: Statement) -> bool:
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, dict) and "*" in [p for value in principal.values() for p in listed(value)])


def _holds_principal(statement: Statement) -> bool:
    return any(key.startswith("aws:Principal") or key in {"aws:SourceAccount", "aws:SourceOrgID"} for key in required_keys(statement))


def _no_way_out(templates: Templates) -> Iterator[Fault]:
    for way in templates.of(*_WAYS_OUT):
        yield Fault(resource=way, what=f"{way.kind} leads out of the VPC")
    for route in templates.of("AWS::EC2::Route"):
        if set(route.properties) - {"RouteTableId"}:
            yield Fault(resource=route, what="a route beyond the VPC's own")
    for subnet in templates.of("AWS::EC2::Subnet"):
        if subnet.properties.get("MapPublicIpOnLaunch"):
            yield Fault(resource=subnet, what="the subnet gives out public addresses", property_path="Properties/MapPublicIpOnLaunch")


def _open_group(templates: Templates) -> Iterator[Fault]:
    for resource in templates.of("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"):
        rules = [
            resource.properties,
            *listed(resource.properties.get("SecurityGroupEgress")),
            *listed(resource.properties.get("SecurityGroupIngress")),
        ]
        for rule in rules:
            open_to = {str(rule.get(key)) for key in ("CidrIp", "CidrIpv6")} & _ANYWHERE
            if open_to:
                yield Fault(resource=resource, what=f"a rule is open to {', '.join(sorted(open_to))}")
        if resource.kind == "AWS::EC2::SecurityGroup" and not resource.properties.get("SecurityGroupEgress"):
            yield Fault(resource=resource, what="no rule for what goes out, which EC2 takes for everything")


RULES = (
    Rule(
        name="FunctionNetwork",
        checks="Every function has subnets and security groups.",
        why="Outside a VPC a function reaches the internet, past every endpoint policy (Lambda developer guide, configuration-vpc).",
        remedy="Make it with TaskFunction of stacks/constructs/task_function.py.",
        check=_function_network,
    ),
    Rule(
        name="EndpointPrivate",
        checks="Every interface endpoint answers under the service's own name (private DNS), to a security group of these stacks.",
        why="Without private DNS the SDK's name resolves to the public address, which isolated subnets cannot reach "
        "(PrivateLink guide, privatelink-access-aws-services).",
        remedy="Add it to ENDPOINTS of stacks/constructs/network.py, whose loop sets both.",
        check=_private_dns,
    ),
    Rule(
        name="EndpointPolicy",
        checks="Every endpoint has a policy of its own, none of whose statements lets an unconditioned principal through.",
        why="The default policy lets stolen keys of another account carry data out through this network "
        "(PrivateLink guide, vpc-endpoints-access; AWS whitepaper on data perimeters).",
        remedy="Condition each statement on aws:PrincipalAccount or aws:PrincipalOrgID.",
        check=_endpoint_policy,
    ),
    Rule(
        name="NoWayOut",
        checks="No internet, NAT or other gateway, no peering, no route beyond the VPC and its endpoints, no public address.",
        why="Training data and prompts could leave by it, and nothing here needs one.",
        remedy="Reach AWS through an endpoint; there is no other destination.",
        check=_no_way_out,
    ),
    Rule(
        name="SecurityGroup",
        checks="Security groups name what they let in and out: other groups and prefix lists, never everyone.",
        why="EC2 lets a group without an inline egress rule reach every address (EC2 user guide, security group rules).",
        remedy="Write the rule between groups, or to the S3 prefix list.",
        check=_open_group,
    ),
)
