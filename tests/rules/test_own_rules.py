"""Given a fault of each kind in dev's own templates, when the pack reads them, then its rule, and no other, speaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contracts import names

from stacks.rules.pack import RULES, faults
from stacks.rules.policies import policies_of
from stacks.rules.templates import Templates
from stacks.rules.training import CREATE_JOB, job_roles
from tests.rules.planting import MACHINES, Garden

Plant = Callable[[Garden], object]

DATASETS_KEY = {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Somewhere"}, "/datasets/*"]]}
SLACK = "AWS::Chatbot::SlackChannelConfiguration"
EVERYONE = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}
ALARM = {"Namespace": "RFT", "MetricName": "Reward", "Dimensions": [{"Name": "Environment", "Value": "dev"}]}


def _loop(garden: Garden) -> None:
    rule = next(r for r in garden.templates.of("AWS::Events::Rule") if "aws.s3" in r.properties["EventPattern"]["source"])
    rule.body["Properties"]["EventPattern"]["detail"]["object"]["key"] = [{"suffix": ".jsonl"}]


def _unpinned(garden: Garden) -> None:
    garden.properties("AWS::Lambda::Alias")["FunctionVersion"] = "$LATEST"


FAULTS: dict[str, list[Plant]] = {
    "RFT-ServiceTrust": [
        lambda g: g.trust(job_roles(g.templates)[0]).pop("Condition"),
        lambda g: g.trust(job_roles(g.templates)[0])["Condition"].pop("ArnLike"),
        lambda g: g.trust(job_roles(g.templates)[0])["Condition"].update(
            StringEquals={}, StringEqualsIfExists={"aws:SourceAccount": "111122223333"}
        ),
        lambda g: g.trust(g.role("RunRole")).update(Principal={"Service": "chatbot.amazonaws.com"}, Condition={}),
    ],
    "RFT-ServiceAccess": [
        lambda g: g.add(
            "AWS::SQS::QueuePolicy",
            {
                "PolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Principal": {"Service": "sns.amazonaws.com"}}]
                }
            },
        ),
        lambda g: g.properties("AWS::Lambda::Permission").pop("SourceArn"),
    ],
    "RFT-PassRole": [
        lambda g: g.allow(g.role("TrainingStartTraining"), Action="iam:PassRole", Resource="arn:aws:iam::111122223333:role/any"),
        lambda g: g.allow(
            g.role("TrainingStartTraining"), Action="iam:PassRole", Resource={"Fn::GetAtt": [g.role("JobRole").logical_id, "Arn"]}
        ),
    ],
    "RFT-ActionWildcard": [
        lambda g: g.allow(g.role("TrainingStartTraining"), Action="bedrock:*"),
        lambda g: g.allow(g.role("EvaluationGate"), Action=["s3:GetObject", "s3:List*"]),
        lambda g: g.allow(g.role("EvaluationGate"), NotAction="iam:*"),
    ],
    "RFT-RoleBoundary": [lambda g: g.add("AWS::IAM::Role", {"AssumeRolePolicyDocument": MACHINES})],
    "RFT-InlinePolicy": [
        lambda g: g.add("AWS::IAM::Policy", {"PolicyName": "inline", "PolicyDocument": {"Statement": []}, "Roles": []}),
        lambda g: g.role("JobRole").body["Properties"].update(Policies=[{"PolicyName": "inline", "PolicyDocument": {"Statement": []}}]),
    ],
    "RFT-StandingIdentity": [
        lambda g: g.add("AWS::IAM::User", {}),
        lambda g: g.trust(g.role("Run")).update(Principal={"AWS": "*"}, Condition={}),
    ],
    "RFT-ChatGuardrail": [
        lambda g: g.add(SLACK, {"UserRoleRequired": True}),
        lambda g: g.add(SLACK, {"UserRoleRequired": True, "GuardrailPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
        lambda g: g.add(SLACK, {"GuardrailPolicies": [{"Ref": policies_of(g.templates, g.role("EvaluationGate"))[0].logical_id}]}),
    ],
    "RFT-JobRole": [
        lambda g: g.job(Resource={"Fn::Join": ["", ["arn:aws:s3:::", g.runs_bucket(), "/records/*"]]}),
        lambda g: g.job(Resource=DATASETS_KEY),
        lambda g: g.job(Action="s3:PutObject", Resource={"Fn::Join": ["", ["arn:aws:s3:::", g.runs_bucket(), "/staged/*"]]}),
        lambda g: g.job(Action="s3:DeleteObject", Resource={"Fn::Join": ["", ["arn:aws:s3:::", g.runs_bucket(), "/output/*"]]}),
        lambda g: g.job(Action="lambda:InvokeFunction", Resource={"Fn::GetAtt": [g.holder_of(names.ENV_RUNS_BUCKET).logical_id, "Arn"]}),
        lambda g: g.job(Action="ssm:GetParameter"),
    ],
    "RFT-JobTrust": [lambda g: g.trust(job_roles(g.templates)[0])["Condition"].update(ArnLike={"aws:SourceArn": "arn:aws:bedrock:*:*:*"})],
    "RFT-JobStarter": [lambda g: g.allow(g.role("RunRole"), Action=CREATE_JOB)],
    "RFT-ModelKey": [
        lambda g: g.variable(names.ENV_MODEL_KEY, None),
        lambda g: g.variable(names.ENV_MODEL_KEY, "arn:aws:kms:us-east-1:111122223333:key/elsewhere"),
        lambda g: g.properties("AWS::KMS::Key", "KeysModel").update(EnableKeyRotation=False),
    ],
    "RFT-KeyViaService": [
        lambda g: g.allow(g.role("EvaluationGate"), Action="kms:Decrypt", Resource="arn:aws:kms:us-east-1:111122223333:key/any"),
        lambda g: g.allow(
            g.role("EvaluationGate"),
            Action="kms:Decrypt",
            Resource="*",
            Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
        ),
    ],
    "RFT-JobNetwork": [
        lambda g: g.variable(names.ENV_SUBNETS, ""),
        lambda g: g.variable(names.ENV_SECURITY_GROUPS, "sg-0123456789abcdef0"),
    ],
    "RFT-RewardPinned": [
        _unpinned,
        lambda g: g.one("AWS::Lambda::Version").update(DeletionPolicy="Delete"),
        lambda g: g.properties("AWS::Lambda::Alias").update(RoutingConfig={"AdditionalVersionWeights": []}),
        lambda g: g.variable(names.ENV_REWARD_FUNCTION, "rft-reward:$LATEST"),
    ],
    "RFT-FunctionNetwork": [lambda g: g.properties("AWS::Lambda::Function", "EvaluationGate").pop("VpcConfig")],
    "RFT-EndpointPrivate": [
        lambda g: g.endpoint("Interface").update(PrivateDnsEnabled=False),
        lambda g: g.endpoint("Interface").pop("SecurityGroupIds"),
    ],
    "RFT-EndpointPolicy": [
        lambda g: g.endpoint("Interface").pop("PolicyDocument"),
        lambda g: g.endpoint("Gateway").pop("PolicyDocument"),
        lambda g: g.endpoint("Interface").update(PolicyDocument={"Statement": [EVERYONE]}),
        lambda g: g.endpoint("Interface").update(
            PolicyDocument={"Statement": [{**EVERYONE, "Condition": {"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}}}]}
        ),
        lambda g: g.endpoint("Interface").update(
            PolicyDocument={"Statement": [{**EVERYONE, "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]}
        ),
    ],
    "RFT-NoWayOut": [
        lambda g: g.add("AWS::EC2::InternetGateway", {}),
        lambda g: g.add("AWS::EC2::NatGateway", {}),
        lambda g: g.add("AWS::EC2::Route", {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}),
        lambda g: g.properties("AWS::EC2::Subnet").update(MapPublicIpOnLaunch=True),
    ],
    "RFT-SecurityGroup": [
        lambda g: g.add("AWS::EC2::SecurityGroupEgress", {"GroupId": "sg-1", "CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}),
        lambda g: g.properties("AWS::EC2::SecurityGroup", "NetworkJob").pop("SecurityGroupEgress"),
    ],
    "RFT-TriggerLoop": [_loop],
    "RFT-LogGroup": [
        lambda g: g.properties("AWS::Logs::LogGroup").pop("KmsKeyId"),
        lambda g: g.properties("AWS::Logs::LogGroup").pop("RetentionInDays"),
    ],
    "RFT-OwnLogs": [
        lambda g: g.properties("AWS::Lambda::Function", "EvaluationGate").pop("LoggingConfig"),
        lambda g: g.properties("AWS::StepFunctions::StateMachine")["LoggingConfiguration"].update(IncludeExecutionData=True),
        lambda g: g.properties("AWS::StepFunctions::StateMachine")["LoggingConfiguration"].pop("Destinations"),
    ],
    "RFT-AlarmMetric": [
        lambda g: g.add("AWS::CloudWatch::Alarm", {**ALARM, "MetricName": "Rewards"}),
        lambda g: g.add("AWS::CloudWatch::Alarm", {**ALARM, "Dimensions": []}),
        lambda g: g.add("AWS::CloudWatch::Alarm", {**ALARM, "Dimensions": [{"Name": "Environment", "Value": "prod"}]}),
        lambda g: g.add("AWS::CloudWatch::Alarm", {**ALARM, "Namespace": "Rft"}),
        lambda g: g.add(
            "AWS::CloudWatch::Alarm",
            {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"Name": "FunctionName", "Value": "elsewhere"}]},
        ),
        lambda g: g.add("AWS::CloudWatch::Alarm", {"Metrics": [{"MetricStat": {"Metric": {**ALARM, "MetricName": "Rewards"}}}]}),
    ],
    "RFT-AlarmActions": [
        lambda g: g.properties("AWS::CloudWatch::Alarm").update(ActionsEnabled=False),
        lambda g: g.properties("AWS::CloudWatch::CompositeAlarm").pop("AlarmActions"),
        lambda g: g.add("AWS::CloudWatch::Alarm", ALARM),
    ],
}

PLANTED = [pytest.param(rule, plant, id=f"{rule}-{index}") for rule, plants in FAULTS.items() for index, plant in enumerate(plants)]


@pytest.mark.parametrize(("rule", "plant"), PLANTED)
def test_a_planted_fault_is_found_by_its_rule(dev: Templates, rule: str, plant: Plant) -> None:
    before = {(found.id, fault.resource.reference, fault.what) for found, fault in faults(dev)}
    plant(Garden(dev))
    after = {(found.id, fault.resource.reference, fault.what) for found, fault in faults(dev)}
    assert rule in {found for found, _, _ in after - before}


def test_each_rule_has_a_planted_fault() -> None:
    assert {rule.id for rule in RULES} == {*FAULTS, "RFT-AcknowledgementReview"}, "the last has a test of its own"


def test_each_rule_says_what_why_and_what_to_do() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.checks.endswith(".") and rule.why.endswith(".") and rule.remedy.endswith("."), rule.id


def test_a_role_for_another_service_needs_its_source_too(dev: Templates) -> None:
    Garden(dev).add("AWS::IAM::Role", {"AssumeRolePolicyDocument": MACHINES})
    found = [fault.what for rule, fault in faults(dev) if rule.id == "RFT-ServiceTrust"]
    assert found == ["the role trusts states.amazonaws.com without aws:SourceAccount and aws:SourceArn"]
