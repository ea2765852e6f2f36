"""A function of the pipeline: its own role, encrypted logs, private network, current runtime, nothing inherited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from contracts import names

from stacks.constructs.acknowledge import Answer, Owner, acknowledge
from stacks.constructs.keys import Keys
from stacks.constructs.log_group import log_group
from stacks.constructs.network import Network
from stacks.constructs.role import role
from stacks.constructs.statements import allow, arn, in_region, write_key
from stacks.settings import EnvironmentSettings

RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.ARM_64

_DEAD_LETTERS = ("NIST.800.53.R5-LambdaDLQ", "HIPAA.Security-LambdaDLQ", "Serverless-LambdaDLQ")
_CONCURRENCY = ("NIST.800.53.R5-LambdaConcurrency", "HIPAA.Security-LambdaConcurrency")

_INSIDE = (
    "RFT-FunctionNetwork",
    "NIST.800.53.R5-LambdaInsideVPC",
    "HIPAA.Security-LambdaInsideVPC",
    "PCI.DSS.321-LambdaInsideVPC",
)

_OUTSIDE_TO_SAVE = Answer(
    reason='network.functions = "outside", which settings refuse where protect is true: this environment does without most interface '
    "endpoints, nine tenths of its idle cost, and its pipeline functions reach AWS, and anything else, over the internet under their own "
    "roles. The reward function and the jobs, which meet what a model wrote, stay inside (docs/security.md).",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)
_FAILED_EVENTS_KEPT = Answer(
    reason="Events that fail after their retries go to an encrypted queue by the function's on-failure destination, which holds the error "
    "beside the event; the rule knows only the older DeadLetterConfig. An alarm calls when the queue is not empty.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)
_NEVER_ASYNCHRONOUS = Answer(
    reason="Nothing invokes the function asynchronously, and a dead-letter queue takes only asynchronous events: its caller, the state "
    "machine or Bedrock, waits for the answer, retries, and ends the run with a recorded outcome when it fails.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)
_BOUNDED_BY_CALLERS = Answer(
    reason="Calls at once are few by design: the state machine takes one step of a run at a time and maps with a fixed MaxConcurrency. A "
    "reservation is taken from the account's pool, which in a new account is too small for one, so it would stop the first deployment. "
    "The reward function's calls are Bedrock's: reward.reserved_concurrency sets its reservation, and an alarm watches throttles.",
    owner=Owner.PLATFORM,
    review="2027-11-30",
)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What every function of one environment is built with.

    Attributes:
        layer: the AWS SDK and the validation library.
        dead_letters: takes events of asynchronous functions that failed after their retries.
    """

    settings: EnvironmentSettings
    keys: Keys
    network: Network
    layer: lambda_.ILayerVersion
    dead_letters: sqs.IQueue

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Of log groups: a protected environment keeps its logs when the pipeline is deleted."""
        return RemovalPolicy.RETAIN if self.settings.protect else RemovalPolicy.DESTROY


class TaskFunction(Construct):
    """One Lambda function with a role that may do what `statements` says, write its own log, and nothing else.

    Attributes:
        function: the Lambda function.
        role: its execution role.
        log_group: where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workshop: Workshop,
        code: lambda_.Code,
        handler: str,
        description: str,
        timeout: Duration,
        memory_mb: int = 512,
        environment: Mapping[str, str] | None = None,
        statements: Iterable[iam.PolicyStatement] = (),
        security_group: ec2.ISecurityGroup | None = None,
        asynchronous: bool = False,
        reserved_concurrency: int | None = None,
        version_options: lambda_.VersionOptions | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = workshop.settings
        group = security_group or workshop.network.functions
        self.log_group = log_group(
            self, "Logs", key=workshop.keys.logs, days=settings.retention.log_days, removal_policy=workshop.removal_policy
        )
        self.role = role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=description,
            statements=[
                *_own_needs(self, self.log_group),
                *(_interface(Stack.of(self)) if group else []),
                *statements,
                *(_send_dead_letters(self, workshop) if asynchronous else []),
            ],
        )
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=code,
            handler=handler,
            description=description,
            timeout=timeout,
            memory_size=memory_mb,
            layers=[workshop.layer],
            role=self.role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.TEXT,
            environment={names.ENV_ENVIRONMENT: settings.name, **(environment or {})},
            vpc=workshop.network.vpc if group else None,
            vpc_subnets=ec2.SubnetSelection(subnets=workshop.network.subnets) if group else None,
            security_groups=[group] if group else None,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=reserved_concurrency,
            current_version_options=version_options,
        )
        acknowledge(self.function, *_DEAD_LETTERS, answer=_FAILED_EVENTS_KEPT if asynchronous else _NEVER_ASYNCHRONOUS)
        if reserved_concurrency is None:
            acknowledge(self.function, *_CONCURRENCY, answer=_BOUNDED_BY_CALLERS)
        if group is None:
            acknowledge(self.function, *_INSIDE, answer=_OUTSIDE_TO_SAVE)
        if asynchronous:
            self._keep_failed_events(workshop)

    def _keep_failed_events(self, workshop: Workshop) -> None:
        lambda_.CfnEventInvokeConfig(
            self,
            "OnFailure",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=6 * 3600,
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=workshop.dead_letters.queue_arn)
            ),
        )


def _send_dead_letters(scope: Construct, workshop: Workshop) -> Sequence[iam.PolicyStatement]:
    return [allow(["sqs:SendMessage"], [workshop.dead_letters.queue_arn]), write_key(workshop.keys.data, Stack.of(scope).region, "sqs")]


def _own_needs(scope: Construct, group: logs.LogGroup) -> Sequence[iam.PolicyStatement]:
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], [group.log_group_arn]),
        allow(
            ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            ["*"],
            in_region(Stack.of(scope).region),
            because="X-Ray knows no resource for these (service authorization reference, AWS X-Ray); they are held to the Region.",
        ),
    ]


def _interface(stack: Stack) -> Sequence[iam.PolicyStatement]:
    interfaces = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return [
        allow(
            interfaces,
            ["*"],
            in_region(stack.region),
            because="Lambda checks its network interface calls against * before it attaches a function to a VPC (Lambda developer guide, "
            "configuration-vpc); the function's own code is denied them.",
        ),
        # They are for the Lambda service only: the same guide's deny for calls made by the function's code.
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=interfaces,
            resources=["*"],
            conditions={"ArnLike": {"lambda:SourceFunctionArn": arn(stack, "lambda", "function:*")}},
        ),
    ]
