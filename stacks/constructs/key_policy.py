"""Key policies: who looks after a key cannot use it, and who uses it does so through one AWS service.

Every statement names the account, which hands the decision on to its IAM policies: both must allow. Nobody is named twice, nobody can
be locked out, and without a policy of their own nobody but the services named beside the keys has anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""Everything but cryptography and new grants. With PutKeyPolicy the account can always mend a policy: no lock-out."""

USE = ("kms:Decrypt", "kms:GenerateDataKey")
"""Of a symmetric key: the services ask for data keys and never encrypt with the key itself."""


COPYING = ("kms:Encrypt",)
"""S3 replication encrypts the copy's data key (S3 user guide, replication-config-for-kms-objects)."""


def administration() -> iam.PolicyStatement:
    """Lets the account's IAM policies give out the care of a key, and nothing that reads or writes data."""
    return iam.PolicyStatement(
        sid="AdministrationByTheAccount", principals=[iam.AccountRootPrincipal()], actions=list(ADMINISTRATION), resources=["*"]
    )


def use_through(region: str, services: Sequence[str], *more: str) -> iam.PolicyStatement:
    """Lets the account's IAM policies give out the use of a key, and the actions in `more`, only in what these services do."""
    return iam.PolicyStatement(
        sid="UseThroughServices",
        principals=[iam.AccountRootPrincipal()],
        actions=[*USE, *more],
        resources=["*"],
        conditions={"StringEquals": _through(region, services)},
    )


def signing() -> iam.PolicyStatement:
    """Lets the account's IAM policies give out an asymmetric key's use. Callers sign and verify with it directly, through no service."""
    return iam.PolicyStatement(
        sid="SigningAndVerifying",
        principals=[iam.AccountRootPrincipal()],
        actions=["kms:Sign", "kms:Verify", "kms:GetPublicKey"],
        resources=["*"],
        conditions={"StringEquals": {"kms:CallerAccount": Aws.ACCOUNT_ID}},
    )


def grants_through(region: str, services: Sequence[str]) -> iam.PolicyStatement:
    """Lets these services keep using a key after the call that asked them to: Bedrock, for as long as a custom model exists.

    `kms:GrantIsForAWSResource` rules out grants to people, roles and other accounts, which no other policy could take back.
    """
    return iam.PolicyStatement(
        sid="GrantsToServicesOnly",
        principals=[iam.AccountRootPrincipal()],
        actions=["kms:CreateGrant"],
        resources=["*"],
        conditions={"StringEquals": _through(region, services), "Bool": {"kms:GrantIsForAWSResource": "true"}},
    )


def _through(region: str, services: Sequence[str]) -> dict[str, str | list[str]]:
    # The principal says the account already; said again, so that a reader of the statement need not know what `root` stands for.
    return {"kms:CallerAccount": Aws.ACCOUNT_ID, "kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in services]}
