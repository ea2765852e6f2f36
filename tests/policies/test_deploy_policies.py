"""The policies for whoever deploys, evaluated: what `docs/policies/deploy/` let through and what they stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audit.policies import Document, Principal
from audit.policy_engine import Request, allowed
from stacks.constructs.boundary import name_of

POLICIES = Path(__file__).resolve().parents[2] / "docs" / "policies" / "deploy"
ACCOUNT, REGION, ENVIRONMENT = "111122223333", "us-east-1", "prod"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/{name_of(ENVIRONMENT)}"
ADMINISTRATOR: Document = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TRUSTED: Document = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]}
MAX_CHARACTERS = 6144
"""Of a managed policy, white space not counted (IAM user guide, reference_iam-quotas)."""


def policy(name: str) -> Document:
    text = (POLICIES / f"{name}.json").read_text(encoding="utf-8")
    for placeholder, value in {"<account>": ACCOUNT, "<region>": REGION, "<environment>": ENVIRONMENT}.items():
        text = text.replace(placeholder, value)
    assert "<" not in text, "a placeholder that the page does not explain"
    found: Document = json.loads(text)
    return found


def may(identity: list[Document], action: str, resource: str, context: dict[str, Any] | None = None, trust: Document | None = None) -> bool:
    principal = Principal(
        place="Deploy", arn=f"arn:aws:iam::{ACCOUNT}:role/ci", account=ACCOUNT, identity=identity, boundary=None, trust={"Statement": []}
    )
    request = Request(principal=principal, action=action, resource=resource, region=REGION, owner=ACCOUNT, context=context or {})
    return allowed(request, resource_policy=trust)


@pytest.mark.parametrize("role", ["deploy", "file-publishing", "lookup"])
def test_the_deploying_principal_may_take_the_bootstrap_roles(role: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{role}-role-{ACCOUNT}-{REGION}"
    assert may([policy("principal")], "sts:AssumeRole", arn, trust=TRUSTED)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/rft-prod-break-glass"),
        ("sts:AssumeRole", f"arn:aws:iam::444455556666:role/cdk-hnb659fds-deploy-role-444455556666-{REGION}"),
        ("s3:GetObject", "arn:aws:s3:::rft-prod-foundation-bucketsdatasets/datasets/x"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rft-prod-pipeline-reward"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/rft-prod-pipeline-JobRole"),
    ],
)
def test_the_deploying_principal_may_do_nothing_else(action: str, resource: str) -> None:
    assert not may([policy("principal")], action, resource, trust=TRUSTED if action.startswith("sts:") else None)


ROLE = f"arn:aws:iam::{ACCOUNT}:role/rft-prod-pipeline-X"


def guarded(action: str, resource: str, **context: str) -> bool:
    """Whether CloudFormation's role, given everything and the guard, may."""
    keys = {key.replace("_", ":", 1): value for key, value in context.items()}
    return may([ADMINISTRATOR, policy("guard")], action, resource, keys)


def test_roles_are_made_with_the_boundary_or_not_at_all() -> None:
    assert guarded("iam:CreateRole", ROLE, iam_PermissionsBoundary=BOUNDARY)
    assert not guarded("iam:CreateRole", ROLE)
    assert not guarded("iam:CreateRole", ROLE, iam_PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/wider")
    assert not guarded("iam:PutRolePermissionsBoundary", ROLE, iam_PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/wider")
    assert not guarded("iam:DeleteRolePermissionsBoundary", ROLE)


def test_no_other_role_is_touched_and_nobody_is_made() -> None:
    assert guarded("iam:AttachRolePolicy", ROLE)
    assert not guarded("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/somebody-elses")
    assert not guarded("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/rft-stage-pipeline-JobRole")
    for action in ("iam:CreateUser", "iam:CreateAccessKey", "iam:CreateServiceSpecificCredential"):
        assert not guarded(action, f"arn:aws:iam::{ACCOUNT}:user/x")


def test_a_deployment_makes_buckets_and_functions_and_reads_no_data_and_trains_nothing() -> None:
    assert guarded("lambda:CreateFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rft-prod-pipeline-x")
    assert guarded("s3:PutBucketPolicy", "arn:aws:s3:::rft-prod-foundation-bucketsdatasets")
    assert not guarded("s3:GetObject", "arn:aws:s3:::rft-prod-foundation-bucketsdatasets/datasets/x")
    assert not guarded("bedrock:CreateModelCustomizationJob", f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/x")


@pytest.mark.parametrize("name", ["principal", "guard"])
def test_each_fits_a_managed_policy(name: str) -> None:
    assert len(json.dumps(policy(name), separators=(",", ":"))) < MAX_CHARACTERS
