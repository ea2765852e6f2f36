"""Given a bad resource for each pack, when the app is synthesised, then the synthesis fails with rule, path and description."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from audit.register import Register, read_register
from stacks.constructs.acknowledge import Answer, Owner, acknowledge, acknowledge_patterns
from stacks.constructs.statements import allow
from stacks.rules import review
from stacks.rules.packs import PACKS, add_packs

PLANTED = {
    "AwsSolutions": ("AwsSolutions-S1", "planted/faults/Bucket/Resource"),
    "NIST.800.53.R5": ("NIST.800.53.R5-S3BucketVersioningEnabled", "planted/faults/Bucket/Resource"),
    "HIPAA.Security": ("HIPAA.Security-LambdaInsideVPC", "planted/faults/Function/Resource"),
    "PCI.DSS.321": ("PCI.DSS.321-VPCSubnetAutoAssignPublicIpDisabled", "planted/faults/Subnet"),
    "Serverless": ("Serverless-LambdaTracing", "planted/faults/Function/Resource"),
    "RFT": ("RFT-FunctionNetwork", "planted/faults/Function/Resource"),
}
LATER = "2099-12-31"


class Planted:
    """An app of one stack that breaks a rule of each pack, and what its synthesis said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.app = cdk.App(outdir=str(directory))
        add_packs(self.app)
        self.stack = cdk.Stack(cdk.Stage(self.app, "planted"), "faults")
        self.bucket = s3.Bucket(self.stack, "Bucket")
        role = iam.Role(self.stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.function = lambda_.Function(
            self.stack,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=lambda_.Code.from_inline("pass"),
            role=role,
        )
        ec2.CfnSubnet(self.stack, "Subnet", vpc_id="vpc-1", cidr_block="10.0.0.0/24", map_public_ip_on_launch=True)

    def synthesise(self) -> str:
        with pytest.raises(RuntimeError) as broken:
            self.app.synth()
        return str(broken.value)

    def register(self) -> Register:
        self.synthesise()
        return read_register(self.directory)


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def answer(review: str = LATER) -> Answer:
    return Answer(reason="A bucket that is there to be found wanting, in a test of the packs.", owner=Owner.SECURITY, review=review)


def test_each_pack_fails_the_synthesis_and_says_where(planted: Planted) -> None:
    report = planted.synthesise()
    register = read_register(planted.directory)
    assert set(PLANTED) == set(PACKS)
    for pack, (rule, path) in PLANTED.items():
        (found,) = [f for f in register.open() if f.pack == pack and f.rule == rule and f.path == path]
        assert found.description in report and path in report, pack


def test_an_acknowledgement_answers_one_finding_on_one_resource(planted: Planted) -> None:
    s3.Bucket(planted.stack, "Other")
    acknowledge(planted.bucket, "AwsSolutions-S1", answer=answer())
    register = planted.register()
    assert [(f.rule, f.path) for f in register.findings if f.acknowledged] == [("AwsSolutions-S1", "planted/faults/Bucket/Resource")]
    left = {(f.rule, f.path) for f in register.open()}
    assert ("AwsSolutions-S1", "planted/faults/Other/Resource") in left
    assert ("AwsSolutions-S10", "planted/faults/Bucket/Resource") in left
    assert register.stale() == []
    (known,) = register.acknowledged
    assert (known.environment, known.owner, known.review) == ("planted", "security review", LATER)


def test_a_finding_of_our_own_pack_is_acknowledged_likewise(planted: Planted) -> None:
    acknowledge(planted.function, "RFT-FunctionNetwork", answer=answer())
    assert [f.rule for f in planted.register().findings if f.acknowledged] == ["RFT-FunctionNetwork"]


def test_an_acknowledgement_without_a_finding_is_stale(planted: Planted) -> None:
    acknowledge(planted.bucket, "AwsSolutions-SQS3", answer=answer())
    assert [known.finding for known in planted.register().stale()] == ["AwsSolutions-SQS3"]


class Noon(datetime):
    """A clock that stands still, far from midnight."""

    @classmethod
    def now(cls, tz: Any = None) -> Noon:
        return cls(2026, 3, 1, 12, tzinfo=tz)


def test_an_acknowledgement_past_its_review_date_is_found(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "datetime", Noon)
    today = Noon.now().date()
    acknowledge(planted.bucket, "AwsSolutions-S1", answer=answer(today.isoformat()))
    acknowledge(planted.bucket, "AwsSolutions-S10", answer=answer((today + timedelta(days=1)).isoformat()))
    found = [f for f in planted.register().open() if f.rule == "RFT-AcknowledgementReview"]
    assert [(f.level, f.path) for f in found] == [("warning", "planted/faults/Bucket/Resource")]
    assert f"AwsSolutions-S1 was to be reviewed on {today.isoformat()} by security review" in found[0].description


def test_resource_patterns_are_acknowledged_across_stacks(planted: Planted) -> None:
    other = cdk.Stack(cdk.Stage.of(planted.stack), "policies")
    staged, records = (planted.bucket.arn_for_objects(f"{prefix}/*") for prefix in ("staged", "records"))
    statements = [
        allow(["s3:GetObject"], [staged], because="Each run has a folder of its own below staged/, in this test as in the stacks."),
        allow(["s3:PutObject"], [staged], because="It is written by the same task that reads it."),
        allow(["s3:GetObject"], [records]),
    ]
    policy = iam.ManagedPolicy(other, "Policy", statements=statements)
    acknowledge_patterns(policy, statements)
    register = planted.register()
    (answered,) = [f for f in register.findings if f.acknowledged]
    assert answered.path == "planted/policies/Policy/Resource" and answered.rule.endswith("/staged/*]")
    assert register.acknowledged[0].reason.endswith("as in the stacks. It is written by the same task that reads it.")
    assert [f.rule.endswith("/records/*]") for f in register.open() if f.rule.startswith("AwsSolutions-IAM5")] == [True]
    assert register.stale() == []


def test_nothing_answers_for_a_stack_or_a_subtree(planted: Planted) -> None:
    with pytest.raises(ValueError, match="allowed is a CloudFormation resource"):
        acknowledge(planted.stack, "AwsSolutions-S1", answer=answer())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reason": "False positive"}, "allowed is a sentence of 40 characters or more"),
        ({"review": "next year"}, "allowed is an ISO date"),
    ],
)
def test_an_answer_that_answers_nothing_is_refused(fields: dict[str, str], message: str) -> None:
    good = {"reason": "A reason that an auditor can read and check for themselves.", "review": LATER}
    with pytest.raises(ValueError, match=message):
        Answer(owner=Owner.SECURITY, **{**good, **fields})
