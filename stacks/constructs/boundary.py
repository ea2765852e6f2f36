"""The permissions boundary: what no role of the environment can go beyond, whatever policy it is given later."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from contracts import names

from stacks.constructs.acknowledge import acknowledge_patterns
from stacks.constructs.statements import allow, in_region

_OWN_NAMES = (
    "A boundary names what belongs to the environment by the prefix of its stacks' names, so that a resource added to them later "
    "needs no change here; it grants nothing, and each role's own policy names its resources."
)
_ROLES_OF_THE_STACKS = (
    "The roles get their names when the stacks are deployed; the condition names the one policy, which only denies, and the role's own "
    "policy names the two roles it goes to."
)
_NO_NAMES = "These know no resource, or one whose id Bedrock, KMS or EC2 makes up; held to this account and Region, and it grants nothing."


def name_of(environment: str) -> str:
    """Of the managed policy; fixed, so that an organisation can ask for it in `iam:PermissionsBoundary`."""
    return f"rft-{environment}-boundary"


def name_of_budget(environment: str) -> str:
    """Of the managed policy that bounds the role of AWS Budgets; fixed for the same reason."""
    return f"{name_of(environment)}-budget"


class Boundary(Construct):
    """One managed policy for every role: a list of what the environment's work takes, and denials that outlast any allowance.

    The allowances are the only actions a role here can ever have. The denials hold against a resource's own policy too, which
    the allowances of a boundary do not (IAM user guide, access_policies_boundaries).

    Attributes:
        policy: set on every role by `RftEnvironment`, but for one.
        budget: set on the role of AWS Budgets, which could not do its one work within `policy`; None where no budget acts.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: str, budget: bool) -> None:
        super().__init__(scope, construct_id)
        self._stack = Stack.of(self)
        self._environment = environment
        allowed = [self._data(), self._own(), self._models(), self._nameless(), self._roles(), self._reading()]
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            managed_policy_name=name_of(environment),
            statements=[*allowed, *self._denied()],
        )
        acknowledge_patterns(self.policy, allowed)
        self.budget = self._build_budget() if budget else None

    def _build_budget(self) -> iam.ManagedPolicy:
        """Of all that `policy` denies, this lets one thing through: one policy, which only denies, onto and off the stacks' roles.

        An exception of its own and not a condition in `policy`, whose denial of every write to IAM stays whole for every other role.
        """
        denial = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:policy/{names.budget_policy(self._environment)}"
        statement = allow(
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            [f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/rft-{self._environment}-*"],
            {"ArnEquals": {"iam:PolicyARN": denial}},
            because=_ROLES_OF_THE_STACKS,
        )
        policy = iam.ManagedPolicy(self, "Budget", managed_policy_name=name_of_budget(self._environment), statements=[statement])
        acknowledge_patterns(policy, [statement])
        return policy

    def _arns(self, *resources: str) -> list[str]:
        """`service:resource`, in this account and Region."""
        parts = [resource.split(":", 1) for resource in resources]
        return [f"arn:{Aws.PARTITION}:{service}:{self._stack.region}:{Aws.ACCOUNT_ID}:{named}" for service, named in parts]

    def _data(self) -> iam.PolicyStatement:
        return allow(
            [
                *_of("s3", "GetObject GetObjectVersion PutObject DeleteObject ListBucket ListBucketVersions AbortMultipartUpload"),
                # S3 copies into the backup with these; a final record is locked until a day.
                *_of("s3", "GetReplicationConfiguration GetObjectVersionForReplication GetObjectVersionAcl GetObjectVersionTagging"),
                *_of("s3", "GetObjectRetention GetObjectLegalHold PutObjectRetention ReplicateObject ReplicateTags"),
            ],
            [f"arn:{Aws.PARTITION}:s3:::rft-{self._environment}-*"],
            {"StringEquals": {"aws:ResourceAccount": Aws.ACCOUNT_ID}},
            because=_OWN_NAMES,
        )

    def _own(self) -> iam.PolicyStatement:
        env = self._environment
        return allow(
            [
                *_of("lambda", "InvokeFunction GetAlias GetFunctionConfiguration GetPolicy PutFunctionConcurrency"),
                *_of("states", "StartExecution StopExecution DescribeExecution GetExecutionHistory ListExecutions DescribeStateMachine"),
                *_of("states", "SendTaskSuccess SendTaskFailure"),
                *_of("events", "PutEvents DisableRule EnableRule DescribeRule"),
                *_of("sns", "Publish"),
                *_of("sqs", "SendMessage ReceiveMessage GetQueueAttributes"),
                *_of("ssm", "GetParameter GetParameterHistory GetParameters PutParameter"),
                *_of("dynamodb", "GetItem PutItem UpdateItem DeleteItem Query"),
                *_of("logs", "CreateLogStream PutLogEvents DescribeLogStreams FilterLogEvents GetLogEvents"),
            ],
            [
                *self._arns(f"lambda:function:rft-{env}-*", f"states:stateMachine:rft-{env}-*", f"states:execution:rft-{env}-*"),
                *self._arns(f"events:event-bus/rft-{env}", f"events:rule/rft-{env}*", f"sns:rft-{env}-*", f"sqs:rft-{env}-*"),
                *self._arns(f"ssm:parameter/rft/{env}/*", f"dynamodb:table/rft-{env}-*", f"logs:log-group:rft-{env}-*"),
            ],
            because=_OWN_NAMES,
        )

    def _models(self) -> iam.PolicyStatement:
        return allow(
            [
                *_of(
                    "bedrock", "CreateModelCustomizationJob GetModelCustomizationJob StopModelCustomizationJob GetCustomModel TagResource"
                ),
                *_of("bedrock", "CreateCustomModelDeployment GetCustomModelDeployment DeleteCustomModelDeployment InvokeModel"),
                *_of("kms", "Encrypt Decrypt GenerateDataKey DescribeKey CreateGrant Sign Verify GetPublicKey GetKeyRotationStatus"),
            ],
            [
                *self._arns("bedrock:model-customization-job/*", "bedrock:custom-model/*", "bedrock:custom-model-deployment/*"),
                *self._arns("bedrock:inference-profile/*", "kms:key/*"),
                # AWS owns these, and a profile routes to Regions of its own choice.
                f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/*",
            ],
            because=_NO_NAMES,
        )

    def _nameless(self) -> iam.PolicyStatement:
        return allow(
            [
                *_of("ec2", "CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces AssignPrivateIpAddresses"),
                *_of("ec2", "UnassignPrivateIpAddresses CreateNetworkInterfacePermission DeleteNetworkInterfacePermission CreateTags"),
                *_of("ec2", "DescribeVpcs DescribeDhcpOptions DescribeSubnets DescribeSecurityGroups"),
                *_of("bedrock", "ListModelCustomizationJobs ListCustomModelDeployments ListProvisionedModelThroughputs"),
                *_of("cloudwatch", "GetMetricData PutMetricData DescribeAlarms GetDashboard GetMetricStatistics GetMetricWidgetImage"),
                *_of("xray", "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets"),
                *_of("logs", "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries"),
                *_of("logs", "PutResourcePolicy DescribeResourcePolicies DescribeLogGroups"),
            ],
            ["*"],
            in_region(self._stack.region),
            because=_NO_NAMES,
        )

    def _roles(self) -> iam.PolicyStatement:
        return allow(
            ["iam:PassRole", "sts:AssumeRole"],
            [f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{prefix}" for prefix in (f"rft-{self._environment}-*", "cdk-*")],
            because=_OWN_NAMES,
        )

    def _reading(self) -> iam.PolicyStatement:
        return allow(
            [
                *_of("iam", "GetRole GetPolicy GetPolicyVersion ListAttachedRolePolicies ListEntitiesForPolicy"),
                *_of("kms", "GetKeyPolicy ListKeys"),
                *_of("s3", "GetBucketPolicy GetEncryptionConfiguration GetBucketVersioning GetBucketPublicAccessBlock"),
                *_of("cloudtrail", "GetTrailStatus DescribeTrails LookupEvents"),
                *_of("cloudformation", "GetTemplate DescribeStacks ListStackResources"),
                *_of("ec2", "DescribeVpcEndpoints DescribeRouteTables DescribeFlowLogs"),
            ],
            ["*"],
            {"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}},
            because=_NO_NAMES,
        )

    def _denied(self) -> list[iam.PolicyStatement]:
        """In the order of what would be lost: control over access, the trail, keys, data, code."""
        iam_writes = "Create* Put* Attach* Detach* Delete* Update* Add* Remove* Set* Tag* Untag* Upload*"
        return [
            _deny("IamWrites", [*_of("iam", iam_writes), "organizations:*", "account:*"]),
            _deny(
                "AuditTrail",
                [
                    *_of("cloudtrail", "Delete* Stop* Update* Put*"),
                    *_of("config", "Delete* Stop*"),
                    *_of("logs", "DeleteLogGroup DeleteLogStream PutRetentionPolicy DeleteRetentionPolicy DisassociateKmsKey"),
                    *_of("ec2", "DeleteFlowLogs"),
                ],
            ),
            _deny("Keys", _of("kms", "ScheduleKeyDeletion Disable* PutKeyPolicy UpdateAlias DeleteAlias DeleteImportedKeyMaterial")),
            _deny(
                "DataProtection",
                [
                    *_of("s3", "DeleteBucket* DeleteObjectVersion PutBucket* PutEncryptionConfiguration PutLifecycleConfiguration"),
                    *_of("s3", "BypassGovernanceRetention PutObjectAcl PutReplicationConfiguration"),
                    "bedrock:DeleteCustomModel",
                ],
            ),
            _deny("Code", _of("lambda", "Create* Delete* Publish* Update* AddPermission AddLayerVersionPermission")),
            iam.PolicyStatement(
                sid="LeaveAccount",
                effect=iam.Effect.DENY,
                actions=["s3:*"],
                resources=["*"],
                conditions={"StringNotEquals": {"aws:ResourceAccount": Aws.ACCOUNT_ID}},
            ),
        ]


def _of(service: str, actions: str) -> list[str]:
    return [f"{service}:{action}" for action in actions.split()]


def _deny(sid: str, actions: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, effect=iam.Effect.DENY, actions=list(actions), resources=["*"])
