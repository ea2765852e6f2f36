"""The private network: isolated subnets, endpoints instead of routes, every rule written out."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.acknowledge import Answer, Owner, acknowledge
from stacks.constructs.log_group import log_group
from stacks.constructs.role import role
from stacks.constructs.statements import allow, arn, for_service
from stacks.settings import NetworkSettings

HTTPS = ec2.Port.tcp(443)

S3_PREFIX_LISTS = {"us-east-1": "pl-63a5400a"}
"""AWS-managed prefix list `com.amazonaws.<region>.s3`, the destination of the gateway endpoint.

Listed, because looking one up takes credentials at synthesis or a custom resource at deployment.
"""

# Construct id -> the service, and the prefix of its actions.
ENDPOINTS: dict[str, tuple[ec2.InterfaceVpcEndpointAwsService, str]] = {
    "Bedrock": (ec2.InterfaceVpcEndpointAwsService.BEDROCK, "bedrock"),
    "BedrockRuntime": (ec2.InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME, "bedrock"),
    "Lambda": (ec2.InterfaceVpcEndpointAwsService.LAMBDA_, "lambda"),
    "States": (ec2.InterfaceVpcEndpointAwsService.STEP_FUNCTIONS, "states"),
    "Events": (ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE, "events"),
    "Logs": (ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS, "logs"),
    "Kms": (ec2.InterfaceVpcEndpointAwsService.KMS, "kms"),
    "Sts": (ec2.InterfaceVpcEndpointAwsService.STS, "sts"),
    "Sns": (ec2.InterfaceVpcEndpointAwsService.SNS, "sns"),
    "Ssm": (ec2.InterfaceVpcEndpointAwsService.SSM, "ssm"),
}


RUNTIME_ENDPOINT = "BedrockRuntime"

OF_A_JOB = ("Lambda",)
"""What a customization job may call from its network interfaces besides S3: whether the reward is called through them or from Bedrock's
own network is not documented, so both ways are open."""

_DEFAULT_GROUP = Answer(
    reason="CloudFormation cannot empty the VPC's default security group; the custom resource that could would need a function with "
    "ec2:RevokeSecurityGroup* rights. Every interface of these stacks names a group of its own (rules RFT-FunctionNetwork, "
    "RFT-EndpointPrivate), so nothing is ever in the default one, and without a route it reaches only itself.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)


class Network(Construct):
    """A VPC without internet or NAT gateway, the endpoints the pipeline calls, and one security group per kind of client.

    Attributes:
        functions: group of the pipeline's functions: HTTPS to the endpoints and S3; None where settings have them outside.
        grader: group of the reward function: nothing in, nothing out; where a model judges, HTTPS to Bedrock's runtime endpoint.
        job: group of the customization jobs' network interfaces: HTTPS to the endpoints and S3.
        gateway: the S3 endpoint.
        endpoints: the interface endpoints by their key in `ENDPOINTS`, as many as something inside may call; `endpoint_policies.narrow`
            gives them their policies.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: NetworkSettings,
        buckets: list[s3.IBucket],
        logs_key: kms.IKey,
        log_days: int,
        protect: bool,
        judged: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.vpc_cidr),
            max_azs=settings.availability_zones,
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
            # CDK empties the default group with a Node.js custom resource. It stays as AWS makes it: nothing is ever put
            # into it, since every interface here names its own group, and without a route it reaches only itself.
            restrict_default_security_group=False,
        )
        acknowledge(
            self.vpc,
            "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
            "HIPAA.Security-VPCDefaultSecurityGroupClosed",
            "PCI.DSS.321-VPCDefaultSecurityGroupClosed",
            answer=_DEFAULT_GROUP,
        )
        self.subnets = self.vpc.isolated_subnets
        self.functions = self._group("Functions", "Pipeline functions") if settings.functions_inside else None
        self.grader = self._group("Grader", "Reward function: to its judge" if judged else "Reward function: no traffic")
        self.job = self._group("Job", "Bedrock customization jobs")
        self._endpoints = self._group("Endpoints", "Interface endpoints")
        # A second group on one endpoint, so that a rule can name that endpoint and no other.
        self._runtime = self._group("RuntimeEndpoint", "Bedrock runtime endpoint, for the reward function") if judged else None
        self.gateway = self._build_gateway(buckets)
        needed = ENDPOINTS if settings.functions_inside else (*OF_A_JOB, *([RUNTIME_ENDPOINT] if judged else []))
        self.endpoints = {name: self._build_endpoint(name, service) for name, (service, _) in ENDPOINTS.items() if name in needed}
        self._connect()
        self._build_flow_log(logs_key, log_days, protect)

    def _group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, construct_id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _build_gateway(self, buckets: list[s3.IBucket]) -> ec2.GatewayVpcEndpoint:
        gateway = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        gateway.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.StarPrincipal()],
                actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
                resources=[resource for bucket in buckets for resource in (bucket.bucket_arn, bucket.arn_for_objects("*"))],
                # Names of buckets are free to take by anyone once a bucket is gone: the owner is checked as well.
                conditions={"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID, "aws:ResourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return gateway

    def _build_endpoint(self, name: str, service: ec2.InterfaceVpcEndpointAwsService) -> ec2.InterfaceVpcEndpoint:
        return self.vpc.add_interface_endpoint(
            name,
            service=service,
            private_dns_enabled=True,
            open=False,
            security_groups=[self._endpoints, *([self._runtime] if self._runtime and name == RUNTIME_ENDPOINT else [])],
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        )

    def _connect(self) -> None:
        for group in filter(None, (self.functions, self.job)):
            group.add_egress_rule(self._endpoints, HTTPS, "Interface endpoints")
            self._endpoints.add_ingress_rule(group, HTTPS, "From inside the VPC")
            self._let_reach_s3(group)
        if self._runtime:
            self._runtime.add_ingress_rule(self.grader, HTTPS, "From the reward function")
            _egress(self.grader, description="Bedrock runtime endpoint", destination_security_group_id=self._runtime.security_group_id)

    def _let_reach_s3(self, group: ec2.SecurityGroup) -> None:
        _egress(group, description="S3 gateway endpoint", destination_prefix_list_id=S3_PREFIX_LISTS[Stack.of(self).region])

    def _build_flow_log(self, key: kms.IKey, days: int, protect: bool) -> None:
        group = log_group(self, "FlowLogs", key=key, days=days, removal_policy=RemovalPolicy.RETAIN if protect else RemovalPolicy.DESTROY)
        stack = Stack.of(self)
        deliver = role(
            self,
            "FlowLogRole",
            assumed_by=for_service("vpc-flow-logs.amazonaws.com", [arn(stack, "ec2", "vpc-flow-log/*")]),
            description="VPC flow logs to CloudWatch Logs",
            statements=[allow(["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], [group.log_group_arn])],
        )
        ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=self.vpc.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=deliver.role_arn,
        )


def _egress(group: ec2.SecurityGroup, *, description: str, **destination: str) -> None:
    # Inline, unlike the rules between groups: EC2 lets a group without any inline rule reach everything.
    resource = group.node.default_child
    assert isinstance(resource, ec2.CfnSecurityGroup)  # noqa: S101 - narrows the type; the L2 has no other child
    resource.security_group_egress = [
        ec2.CfnSecurityGroup.EgressProperty(ip_protocol="tcp", from_port=443, to_port=443, description=description, **destination)
    ]
