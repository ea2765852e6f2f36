"""The data perimeter: every resource policy of the templates, asked as AWS would ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from ministack.core import iam_evaluator

from stacks.perimeter_settings import PerimeterSettings
from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.stacks.template_reader import Synthesised, actions, flat, listed

OURS, TRUSTED, STRANGER = "111122223333", "222233334444", "999988887777"
ORGANIZATION = "o-a1b2c3d4e5"
BUCKET, KEY = "arn:aws:s3:::ours", f"arn:aws:kms:us-east-1:{OURS}:key/ours"
ENDPOINT = "vpce-ours"

Make = Callable[[EnvironmentSettings], Synthesised]


def plain(value: Any) -> Any:
    """A part of a template with its references filled in: our account, one bucket, one key, one endpoint."""
    if isinstance(value, Mapping):
        if set(value) & {"Ref", "Fn::Join", "Fn::GetAtt", "Fn::ImportValue"}:
            return filled(flat(value))
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def filled(text: str) -> str:
    for name, known in {"${AWS::AccountId}": OURS, "${AWS::Partition}": "aws", "${AWS::Region}": "us-east-1"}.items():
        text = text.replace(name, known)
    while "${" in text:
        head, _, rest = text.partition("${")
        name, _, tail = rest.partition("}")
        bucket, key = name.startswith(("Buckets", "BackupBucket", "TrailFiles")), name.startswith(("Keys", "BackupKey"))
        known = BUCKET if bucket else KEY if key else ENDPOINT if "VpcS3" in name else "thing"
        text = f"{head}{known}{tail}"
    return text


def asked(policy: Mapping[str, Any], action: str, resource: str, *, account: str | None = OURS, service: str = "", **keys: str) -> str:
    """Allow, Deny or ImplicitDeny, for a role of the account or for a service; `keys` are the request's, their first `_` for `:`."""
    context = {"aws:principalisawsservice": "true" if service else "false"}
    context |= {key.replace("_", ":", 1).lower(): value for key, value in keys.items()}
    principal = service or f"arn:aws:sts::{account}:assumed-role/someone/session"
    request = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="Service" if service else "AssumedRole",
        # A service's request carries no account of a principal; an absent key is None.
        principal_account=None if service else account,
        action=action,
        resource_arn=resource,
        region="us-east-1",
        secure_transport=True,
        service_context=context | {"s3:tlsversion": "1.3"},
    )
    return str(iam_evaluator.evaluate_resource_policy(plain(policy), request, service=service or None).decision)


def documents(environment: Synthesised, kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"]["PolicyDocument"] for name, resource in environment.of_type(kind).items()}


def data_buckets(environment: Synthesised) -> list[dict[str, Any]]:
    others = ("AccessLogs", "TrailFiles")
    return [
        policy for name, policy in documents(environment, "AWS::S3::BucketPolicy").items() if not any(other in name for other in others)
    ]


@pytest.fixture(scope="session")
def shared(synthesise: Make) -> Synthesised:
    """Dev in an organisation, with one trusted account besides."""
    settings = load(ENVIRONMENTS / "dev.toml")
    return synthesise(attrs.evolve(settings, perimeter=PerimeterSettings(organization_id=ORGANIZATION, trusted_accounts=[TRUSTED])))


@pytest.fixture(scope="session")
def closed(synthesise: Make) -> Synthesised:
    """Dev whose data is reached through the VPC only, but for CI."""
    settings = load(ENVIRONMENTS / "dev.toml")
    ci = f"arn:aws:iam::{OURS}:role/ci-*"
    return synthesise(attrs.evolve(settings, perimeter=PerimeterSettings(data_through_vpc_only=True, outside_vpc_principals=[ci])))


def everything_with_a_policy(environment: Synthesised) -> list[tuple[str, dict[str, Any], str, str]]:
    """Each bucket, topic, queue and bus: its name, its policy, an action, and a resource of its own."""
    found = [(name, policy, "s3:GetObject", f"{BUCKET}/x") for name, policy in documents(environment, "AWS::S3::BucketPolicy").items()]
    found += [(name, policy, "sns:Publish", "thing") for name, policy in documents(environment, "AWS::SNS::TopicPolicy").items()]
    found += [(name, policy, "sqs:ReceiveMessage", "thing") for name, policy in documents(environment, "AWS::SQS::QueuePolicy").items()]
    statements = [resource["Properties"]["Statement"] for resource in environment.of_type("AWS::Events::EventBusPolicy").values()]
    found += [("bus", {"Statement": statements}, "events:PutEvents", "thing")]
    return found


def test_everything_with_a_policy_keeps_strangers_out(environment: Synthesised) -> None:
    holders = everything_with_a_policy(environment)
    kinds = ("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::Events::EventBus")
    assert len(holders) == sum(len(environment.of_type(kind)) for kind in kinds)
    for name, policy, action, resource in holders:
        # As if a statement had been added by mistake that lets everyone in.
        opened = {"Statement": [*policy["Statement"], {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
        assert asked(opened, action, resource) == "Allow", name
        assert asked(opened, action, resource, account=STRANGER) == "Deny", name
        assert asked(opened, action, resource, account=None) == "Deny", f"{name}, anonymously"
        assert asked(opened, action, resource, account=STRANGER, aws_PrincipalOrgID="o-stranger00") == "Deny", name


def test_services_are_let_through_unless_they_act_for_a_stranger(environment: Synthesised) -> None:
    for name, policy, action, resource in everything_with_a_policy(environment):
        opened = {"Statement": [*policy["Statement"], {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
        assert asked(opened, action, resource, service="bedrock.amazonaws.com") == "Allow", name
        assert asked(opened, action, resource, service="bedrock.amazonaws.com", aws_SourceAccount=OURS) == "Allow", name
        assert asked(opened, action, resource, service="bedrock.amazonaws.com", aws_SourceAccount=STRANGER) == "Deny", name


def test_an_organisation_and_trusted_accounts_are_inside_and_are_granted_nothing(shared: Synthesised) -> None:
    for name, policy, action, resource in everything_with_a_policy(shared):
        assert asked(policy, action, resource, account=TRUSTED) == "ImplicitDeny", name
        assert asked(policy, action, resource, account=STRANGER, aws_PrincipalOrgID=ORGANIZATION) == "ImplicitDeny", name
        assert asked(policy, action, resource, account=STRANGER, aws_PrincipalOrgID="o-stranger00") == "Deny", name
        assert asked(policy, action, resource, account=OURS) == "ImplicitDeny", f"{name}: our account was locked out"


def test_no_resource_policy_grants_anything_to_a_principal_outside(environment: Synthesised) -> None:
    for name, policy, _, _ in everything_with_a_policy(environment):
        for statement in policy["Statement"]:
            if statement["Effect"] == "Allow":
                assert set(statement["Principal"]) == {"Service"}, name


@pytest.mark.parametrize(
    ("asks", "answer"),
    [
        ({}, "ImplicitDeny"),
        ({"s3_x-amz-server-side-encryption": "aws:kms"}, "ImplicitDeny"),
        ({"s3_x-amz-server-side-encryption": "aws:kms", "s3_x-amz-server-side-encryption-aws-kms-key-id": KEY}, "ImplicitDeny"),
        ({"s3_x-amz-server-side-encryption": "aws:kms", "s3_x-amz-server-side-encryption-aws-kms-key-id": KEY + "2"}, "Deny"),
        ({"s3_x-amz-server-side-encryption": "AES256"}, "Deny"),
        ({"s3_x-amz-server-side-encryption-customer-algorithm": "AES256"}, "Deny"),
    ],
)
def test_a_write_may_ask_for_our_key_or_for_nothing(environment: Synthesised, asks: dict[str, str], answer: str) -> None:
    policies = data_buckets(environment)
    assert len(policies) == (3 if environment.settings.backup.enabled else 2)
    for policy in policies:
        assert asked(policy, "s3:PutObject", f"{BUCKET}/output/run/.write_access_check_file.tmp", **asks) == answer


def test_data_through_the_vpc_only_is_off_as_it_ships(environment: Synthesised) -> None:
    for policy in data_buckets(environment):
        assert asked(policy, "s3:GetObject", f"{BUCKET}/x") == "ImplicitDeny"


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObjectVersion"])
def test_data_through_the_vpc_only(closed: Synthesised, action: str) -> None:
    job_role, _ = closed.one("AWS::IAM::Role", "JobRole")
    resource = BUCKET if action == "s3:ListBucket" else f"{BUCKET}/x"
    for policy in data_buckets(closed):
        assert asked(policy, action, resource) == "Deny"
        assert asked(policy, action, resource, aws_SourceVpce="vpce-theirs") == "Deny"
        assert asked(policy, action, resource, aws_SourceVpce=ENDPOINT) == "ImplicitDeny"
        assert asked(policy, action, resource, service="bedrock.amazonaws.com") == "ImplicitDeny"
        assert asked(policy, action, resource, aws_ViaAWSService="true") == "ImplicitDeny"
    (statement,) = [s for s in data_buckets(closed)[0]["Statement"] if s.get("Sid") == "OnlyThroughTheVpc"]
    job, copier, ci = plain(statement["Condition"]["ArnNotLikeIfExists"]["aws:PrincipalArn"])
    # CloudFormation names a role by its stack and its logical id.
    assert f"arn:aws:iam::{OURS}:role/rft-dev-pipeline-{job_role}".startswith(job.removesuffix("*"))
    assert f"arn:aws:iam::{OURS}:role/rft-dev-foundation-BackupReplicationRole1A2B".startswith(copier.removesuffix("*"))
    assert ci == f"arn:aws:iam::{OURS}:role/ci-*"
    assert "s3:PutBucketPolicy" not in actions(statement), "CloudFormation could no longer mend the policy"


ADMINISTER = "kms:ScheduleKeyDeletion"


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt", "kms:CreateGrant", "kms:ReEncryptFrom"])
def test_a_key_is_used_through_its_services_and_never_directly(environment: Synthesised, action: str) -> None:
    keys = environment.of_type("AWS::KMS::Key")
    assert len(keys) >= 4
    for name, key in keys.items():
        assert asked(key["Properties"]["KeyPolicy"], action, KEY) == "ImplicitDeny", name
        assert asked(key["Properties"]["KeyPolicy"], ADMINISTER, KEY) == "Allow", name


def test_each_key_is_open_to_the_services_that_need_it(environment: Synthesised) -> None:
    region = environment.settings.region
    policies = {part: environment.one("AWS::KMS::Key", f"Keys{part}")[1]["Properties"]["KeyPolicy"] for part in ("Data", "Model", "Logs")}

    def use(part: str, service: str, action: str = "kms:Decrypt", account: str = OURS, **more: str) -> str:
        through = f"{service}.{region}.amazonaws.com"
        return asked(policies[part], action, KEY, account=account, kms_ViaService=through, kms_CallerAccount=account, **more)

    assert {service: use("Data", service) for service in ("s3", "sns", "sqs", "bedrock", "dynamodb")} == {
        "s3": "Allow",
        "sns": "Allow",
        "sqs": "Allow",
        "bedrock": "ImplicitDeny",
        "dynamodb": "ImplicitDeny",
    }
    assert (use("Model", "bedrock"), use("Model", "s3"), use("Logs", "s3")) == ("Allow", "ImplicitDeny", "ImplicitDeny")
    assert use("Data", "s3", account=STRANGER) == use("Model", "bedrock", account=STRANGER) == "ImplicitDeny"
    grant = "kms:CreateGrant"
    assert use("Model", "bedrock", grant, kms_GrantIsForAWSResource="true") == "Allow"
    assert use("Model", "bedrock", grant, kms_GrantIsForAWSResource="false") == "ImplicitDeny"
    assert use("Data", "s3", grant, kms_GrantIsForAWSResource="true") == "ImplicitDeny"


def test_no_statement_of_a_key_joins_administration_and_use(environment: Synthesised) -> None:
    use = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:Sign"}
    for name, key in environment.of_type("AWS::KMS::Key").items():
        statements = [s for s in key["Properties"]["KeyPolicy"]["Statement"] if s["Effect"] == "Allow"]
        assert any(ADMINISTER in actions(s) for s in statements), f"nobody can look after {name}"
        for statement in statements:
            granted = set(actions(statement))
            assert not any("*" in action for action in granted), name
            assert not (ADMINISTER in granted and granted & use), name


def passes(environment: Synthesised, endpoint: str, action: str, resource: str, account: str = OURS) -> bool:
    _, found = environment.one("AWS::EC2::VPCEndpoint", f"NetworkVpc{endpoint}")
    owner = {"aws_ResourceAccount": OURS if resource.startswith(BUCKET) else STRANGER} if endpoint == "S3" else {}
    return asked(found["Properties"]["PolicyDocument"], action, resource, account=account, **owner) == "Allow"


def test_a_strangers_credential_is_of_no_use_in_the_vpc(environment: Synthesised) -> None:
    for name, endpoint in environment.of_type("AWS::EC2::VPCEndpoint").items():
        for statement in plain(endpoint["Properties"]["PolicyDocument"])["Statement"]:
            for action in actions(statement):
                for resource in listed(statement["Resource"]):
                    one = {"Statement": [statement]}
                    owner = {"aws_ResourceAccount": OURS}
                    assert asked(one, action, resource.replace("*", "x"), account=STRANGER, **owner) == "ImplicitDeny", name
                    assert asked(one, action, resource.replace("*", "x"), **owner) == "Allow", name


def test_nothing_of_another_account_is_in_reach_of_the_vpc(environment: Synthesised) -> None:
    theirs = f"us-east-1:{STRANGER}"
    for endpoint, action, resource in [
        ("S3", "s3:PutObject", "arn:aws:s3:::theirs/leak"),
        ("Lambda", "lambda:InvokeFunction", f"arn:aws:lambda:{theirs}:function:exfiltrate"),
        ("Sns", "sns:Publish", f"arn:aws:sns:{theirs}:topic"),
        ("Events", "events:PutEvents", f"arn:aws:events:{theirs}:event-bus/default"),
        ("States", "states:StartExecution", f"arn:aws:states:{theirs}:stateMachine:x"),
        ("Ssm", "ssm:PutParameter", f"arn:aws:ssm:{theirs}:parameter/x"),
        ("Kms", "kms:Decrypt", f"arn:aws:kms:{theirs}:key/x"),
        ("Logs", "logs:PutLogEvents", f"arn:aws:logs:{theirs}:log-group:x"),
        ("BedrockRuntime", "bedrock:InvokeModel", f"arn:aws:bedrock:{theirs}:custom-model-deployment/x"),
    ]:
        assert not passes(environment, endpoint, action, resource), endpoint
        ours = f"{BUCKET}/x" if endpoint == "S3" else resource.replace(STRANGER, OURS)
        assert passes(environment, endpoint, action, ours), endpoint


def test_a_model_of_aws_can_be_asked_and_trained_though_it_is_of_no_account(environment: Synthesised) -> None:
    model = "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-2-lite-v1:0"
    assert passes(environment, "BedrockRuntime", "bedrock:InvokeModel", model)
    _, control = next(
        (n, e) for n, e in environment.of_type("AWS::EC2::VPCEndpoint").items() if flat(e["Properties"]["ServiceName"]).endswith(".bedrock")
    )
    policy = control["Properties"]["PolicyDocument"]
    assert asked(policy, "bedrock:CreateModelCustomizationJob", model) == "Allow"
    assert asked(policy, "bedrock:DeleteCustomModel", f"arn:aws:bedrock:us-east-1:{OURS}:custom-model/x") == "ImplicitDeny"


def test_an_endpoint_lets_through_what_roles_in_the_vpc_may_do_and_nothing_else(environment: Synthesised) -> None:
    inside = [
        role
        for role in environment.of_type("AWS::IAM::Role").values()
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"].get("Service") in ("lambda.amazonaws.com", "bedrock.amazonaws.com")
    ]
    policies = environment.of_type("AWS::IAM::ManagedPolicy")
    may: set[str] = set()
    for role in inside:
        for named in role["Properties"]["ManagedPolicyArns"]:
            statements = policies[named["Ref"]]["Properties"]["PolicyDocument"]["Statement"]
            may |= {action for statement in statements if statement["Effect"] == "Allow" for action in actions(statement)}
    passing = {
        action
        for endpoint in environment.of_type("AWS::EC2::VPCEndpoint").values()
        if endpoint["Properties"]["VpcEndpointType"] == "Interface"
        for statement in endpoint["Properties"]["PolicyDocument"]["Statement"]
        for action in actions(statement)
    }
    services = {action.partition(":")[0] for action in passing}
    assert passing == {action for action in may if action.partition(":")[0] in services} | {"sts:GetCallerIdentity"}
    assert not any("*" in action for action in passing)
