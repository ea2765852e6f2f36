"""Given an administrator and the example policies, when a call is made, then only what the policies mean to let through passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contracts import names

from stacks.constructs.audit_bucket import DEPLOYER
from stacks.constructs.boundary import name_of
from tests.policies.organization import ACCOUNT, ORGANIZATION, ROOT, rcp_lets, scp_lets

JOB, DEPLOYMENT = "bedrock:CreateModelCustomizationJob", "bedrock:CreateCustomModelDeployment"
TAGS = {f"aws:RequestTag/rft:{tag}": "x" for tag in ("run", "environment", "dataset", "reward")}
ADMINISTRATOR = "AWSReservedSSO_AdministratorAccess"
CLOUDFORMATION = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-us-west-2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/rft-prod-pipeline-TrainingStartTrainingRole"
BOUNDARY = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{name_of('prod')}"}


ROLES = json.loads((ROOT / "docs/evidence/prod/evidence.json").read_text(encoding="utf-8"))["roles"]


def name(role: dict[str, Any]) -> str:
    """As CloudFormation may give it: 24 characters of the logical id, which CDK begins with the place, then a suffix."""
    return f"rft-prod-{role['stack']}-{role['place'].replace('/', '')[:24]}-SUFFIX"


def holders(action: str) -> list[str]:
    """The roles of prod which may do this."""
    return [name(role) for role in ROLES if any(action in s["actions"] and s["effect"] == "Allow" for s in role["statements"])]


@pytest.mark.parametrize("action", [JOB, DEPLOYMENT])
def test_the_pipelines_role_may_and_an_administrator_may_not(action: str) -> None:
    assert len(holders(action)) == 1
    assert all(scp_lets("scp-training", role, action, keys=TAGS) for role in holders(action))
    assert not scp_lets("scp-training", ADMINISTRATOR, action, keys=TAGS)


@pytest.mark.parametrize("action", [JOB, DEPLOYMENT])
def test_no_other_role_of_the_environment_meets_the_pattern(action: str) -> None:
    others = {name(role) for role in ROLES} - set(holders(action))
    assert len(others) > 10
    assert not [role for role in others if scp_lets("scp-training", role, action, keys=TAGS)]


def test_one_step_may_not_do_the_others_work() -> None:
    assert not scp_lets("scp-training", holders(JOB)[0], DEPLOYMENT, keys=TAGS)
    assert not scp_lets("scp-training", holders(DEPLOYMENT)[0], JOB, keys=TAGS)


@pytest.mark.parametrize("action", [JOB, DEPLOYMENT])
def test_not_even_the_pipeline_may_outside_the_approved_region_or_without_a_tag(action: str) -> None:
    role = holders(action)[0]
    assert not scp_lets("scp-training", role, action, keys=TAGS, region="eu-west-1")
    for tag in TAGS:
        assert not scp_lets("scp-training", role, action, keys={key: value for key, value in TAGS.items() if key != tag}), tag


@pytest.mark.parametrize("what", ["CreateProvisionedModelThroughput", "CreateModelCopyJob", "CreateModelImportJob", "CreateCustomModel"])
def test_nobody_buys_copies_or_imports(what: str) -> None:
    assert not scp_lets("scp-training", holders(JOB)[0], f"bedrock:{what}", keys=TAGS)
    assert not scp_lets("scp-training", ADMINISTRATOR, f"bedrock:{what}", keys=TAGS)


def test_reading_and_invoking_go_on() -> None:
    assert scp_lets("scp-training", ADMINISTRATOR, "bedrock:GetModelCustomizationJob")
    assert scp_lets("scp-training", ADMINISTRATOR, "bedrock:InvokeModel", region="us-east-1")
    assert scp_lets("scp-mantle", ADMINISTRATOR, "bedrock-mantle:CreateInference")


def test_mantle_trains_nothing() -> None:
    assert not scp_lets("scp-mantle", ADMINISTRATOR, "bedrock-mantle:CreateFineTuningJob")


@pytest.mark.parametrize("service", ["bedrock", "bedrock-mantle"])
def test_bearer_tokens(service: str) -> None:
    for kind, short_term_policy in (("LONG_TERM", False), ("SHORT_TERM", True)):
        asked = {f"{service}:BearerTokenType": kind}
        assert not scp_lets("scp-bearer-tokens", ADMINISTRATOR, f"{service}:CallWithBearerToken", keys=asked)
        assert scp_lets("scp-bearer-tokens-short-term", ADMINISTRATOR, f"{service}:CallWithBearerToken", keys=asked) is short_term_policy
    assert not scp_lets("scp-bearer-tokens-short-term", ADMINISTRATOR, f"{service}:CallWithBearerToken")


@pytest.mark.parametrize("name", ["scp-bearer-tokens", "scp-bearer-tokens-short-term"])
def test_a_long_term_key_is_not_made_and_other_services_credentials_are(name: str) -> None:
    key, action = "iam:ServiceSpecificCredentialServiceName", "iam:CreateServiceSpecificCredential"
    assert not scp_lets(name, ADMINISTRATOR, action, keys={key: "bedrock.amazonaws.com"})
    assert scp_lets(name, ADMINISTRATOR, action, keys={key: "codecommit.amazonaws.com"})


@pytest.mark.parametrize("mode", ["default", "aws_review", "provider_data_share", "inherit", "none"])
def test_data_retention_can_only_be_switched_off(mode: str) -> None:
    for service in ("bedrock", "bedrock-mantle"):
        asked = {f"{service}:DataRetentionMode": mode}
        assert scp_lets("scp-data-retention", ADMINISTRATOR, f"{service}:PutAccountDataRetention", keys=asked) is (mode == "none")
    asked = {"bedrock-mantle:DataRetentionMode": mode}
    let = scp_lets("scp-data-retention", ADMINISTRATOR, "bedrock-mantle:UpdateProject", keys=asked)
    assert let is (mode in ("none", "inherit"))


def test_a_project_that_names_no_mode_is_made() -> None:
    assert scp_lets("scp-data-retention", ADMINISTRATOR, "bedrock-mantle:CreateProject")


def test_only_a_deployment_makes_roles_and_only_with_the_boundary() -> None:
    assert DEPLOYER == "cdk-*-cfn-exec-role-*"
    assert scp_lets("scp-foundations", CLOUDFORMATION, "iam:CreateRole", resource=ROLE, keys=BOUNDARY)
    assert not scp_lets("scp-foundations", CLOUDFORMATION, "iam:CreateRole", resource=ROLE)
    assert not scp_lets("scp-foundations", CLOUDFORMATION, "iam:DeleteRolePermissionsBoundary", resource=ROLE)
    # A name like the pipeline's would otherwise be the way past OnlyThePipelineTrains.
    assert not scp_lets("scp-foundations", ADMINISTRATOR, "iam:CreateRole", resource=ROLE, keys=BOUNDARY)
    assert not scp_lets("scp-foundations", ADMINISTRATOR, "iam:UpdateAssumeRolePolicy", resource=ROLE)
    assert scp_lets("scp-foundations", ADMINISTRATOR, "iam:CreateRole", resource=f"arn:aws:iam::{ACCOUNT}:role/other")


def test_aws_budgets_may_attach_its_denial_and_no_administrator_may_take_it_off() -> None:
    budgets = f"arn:aws:iam::{ACCOUNT}:role/{names.budget_role('prod')}"
    assert scp_lets("scp-foundations", budgets, "iam:AttachRolePolicy", resource=ROLE)
    assert not scp_lets("scp-foundations", ADMINISTRATOR, "iam:DetachRolePolicy", resource=ROLE)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:us-west-2:{ACCOUNT}:trail/rft-prod"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:us-west-2:{ACCOUNT}:function:rft-prod-reward"),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/{name_of('prod')}"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::rft-prod-audit-trail"),
        ("kms:ScheduleKeyDeletion", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1"),
        ("kms:UntagResource", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1"),
    ],
)
def test_trail_code_buckets_and_keys_are_changed_by_a_deployment_only(action: str, resource: str) -> None:
    ours = {"aws:ResourceTag/Project": "bedrock-rft"}
    assert not scp_lets("scp-foundations", ADMINISTRATOR, action, resource=resource, keys=ours)
    assert scp_lets("scp-foundations", CLOUDFORMATION, action, resource=resource, keys=ours)


@pytest.mark.parametrize("action", ["s3:GetObject", "kms:Decrypt", "sqs:SendMessage", "sts:AssumeRole"])
def test_resources_are_for_the_organization_and_for_services_that_act_for_it(action: str) -> None:
    assert rcp_lets(action, keys={"aws:PrincipalOrgID": ORGANIZATION})
    assert not rcp_lets(action, account="444444444444", keys={"aws:PrincipalOrgID": "o-f0f0f0f0f0"})
    assert not rcp_lets(action, account="444444444444")  # in no organization
    ours = {"aws:SourceAccount": ACCOUNT, "aws:SourceOrgID": ORGANIZATION}
    assert rcp_lets(action, service="bedrock.amazonaws.com", keys=ours)
    assert rcp_lets(action, service="lambda.amazonaws.com")
    theirs = {"aws:SourceAccount": "444444444444", "aws:SourceOrgID": "o-f0f0f0f0f0"}
    assert not rcp_lets(action, service="bedrock.amazonaws.com", keys=theirs)
