"""The customer managed keys: data, models, logs, and the one that signs. Each can be disabled without stopping the others."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct
from contracts import names

from stacks.constructs import key_policy
from stacks.constructs.statements import arn, budgets_arn, for_service


class Keys(Construct):
    """`data` for buckets, topic and queues; `model` for custom models; `logs` for log groups: these rotate every year.

    `signing` is an asymmetric pair that signs the records of runs. KMS rotates no such key: docs/audit.md says how a new one takes over.

    Roles get their use of a key in their own policies, which `key_policy`'s statements let count. Beside those, a key's
    policy names only the services that have no role.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: str, protect: bool, budget: bool) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._removal = RemovalPolicy.RETAIN if protect else RemovalPolicy.DESTROY
        self._stack = Stack.of(self)
        region = self._stack.region
        self.data = self._build(
            "Data", "RFT: datasets, runs, notifications and dead letters", [key_policy.use_through(region, ["s3", "sns", "sqs"])]
        )
        self.model = self._build(
            "Model", "RFT: custom models", [key_policy.use_through(region, ["bedrock"]), key_policy.grants_through(region, ["bedrock"])]
        )
        self.logs = self._build("Logs", "RFT: log groups", [])
        self.signing = self._build_signing()
        self._let_services_use_data_key(budget)
        self._let_cloudwatch_logs_use_logs_key()

    def _build(self, construct_id: str, description: str, use: Sequence[iam.PolicyStatement]) -> kms.Key:
        return kms.Key(
            self,
            construct_id,
            description=description,
            policy=iam.PolicyDocument(statements=[key_policy.administration(), *use]),
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            pending_window=Duration.days(30),
            removal_policy=self._removal,
        )

    def _build_signing(self) -> kms.Key:
        key = kms.Key(
            self,
            "Signing",
            description="RFT: signs the records of runs",
            policy=iam.PolicyDocument(statements=[key_policy.administration(), key_policy.signing()]),
            key_spec=kms.KeySpec.ECC_NIST_P384,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            pending_window=Duration.days(30),
            removal_policy=self._removal,
        )
        # Whoever may do everything in the account, its root user included, may not sign: the one statement that must hold against
        # policies elsewhere names the role by the beginning of its generated name, since the role lives in the other stack.
        signer = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{names.signer_role_prefix(self._environment)}*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"ArnNotLike": {"aws:PrincipalArn": signer}},
            )
        )
        return key

    def _let_services_use_data_key(self, budget: bool) -> None:
        # An alarm and a budget write to the encrypted topic, a rule to the encrypted dead-letter queue, without a role.
        sources = {
            "cloudwatch": arn(self._stack, "cloudwatch", "alarm:*"),
            "events": arn(self._stack, "events", "rule/*"),
            **({"budgets": budgets_arn("*")} if budget else {}),
        }
        for service, source in sources.items():
            self.data.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[for_service(f"{service}.amazonaws.com", [source])],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],
                )
            )

    def _let_cloudwatch_logs_use_logs_key(self) -> None:
        # CloudWatch Logs user guide, encrypt-log-data-kms: these actions, tied to the log groups by encryption context.
        groups = arn(self._stack, "logs", "log-group:*")
        self.logs.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{self._stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
