"""Template values in words."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from audit.assembly import Assembly
from audit.words import Words


@pytest.fixture(scope="module")
def words(assemblies: dict[str, Assembly]) -> Words:
    return Words(assemblies["prod"])


def logical_id(assembly: Assembly, stack: str, path: str) -> str:
    return next(name for (of, name), found in assembly.paths.items() if of == stack and found == path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("plain", "plain"),
        (True, "true"),
        (1.2, "1.2"),
        (["a", "b"], "a, b"),
        ({"Ref": "AWS::AccountId"}, "<account>"),
        ({"Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, "s3"]]}, "arn:aws:s3"),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${!Literal}"}, "arn:aws:s3:::${Literal}"),
        ({"Fn::Sub": ["${Name}-x", {"Name": "given"}]}, "given-x"),
        ({"Fn::Select": [1, {"Fn::GetAZs": ""}]}, "zone 2"),
        ({"Fn::Select": [0, ["first", "second"]]}, "first"),
        ({"Fn::Cidr": ["a", 2, 8]}, '{"Fn::Cidr": ["a", 2, 8]}'),
        ({"Fn::ImportValue": "nowhere"}, "{nowhere}"),
    ],
)
def test_values_in_words(words: Words, value: Any, said: str) -> None:
    assert words.text("pipeline", value) == said


def test_resources_are_named_by_their_place(words: Words, assemblies: dict[str, Assembly]) -> None:
    bucket = logical_id(assemblies["prod"], "foundation", "Buckets/Runs")
    grader = logical_id(assemblies["prod"], "pipeline", "Reward/Grader/Function")
    assert words.text("foundation", {"Fn::GetAtt": [bucket, "Arn"]}) == "{Buckets/Runs}"
    assert words.text("foundation", {"Fn::GetAtt": [bucket, "DomainName"]}) == "{Buckets/Runs.DomainName}"
    assert words.text("pipeline", {"Fn::Join": ["", [{"Fn::GetAtt": [grader, "Arn"]}, ":*"]]}) == "{Reward/Grader}:*"


def test_a_value_of_another_stack_leads_to_its_resource(words: Words, assemblies: dict[str, Assembly]) -> None:
    outputs = assemblies["prod"].templates["foundation"]["Outputs"].values()
    exported = next(
        output["Export"]["Name"] for output in outputs if "BucketsRuns" in str(output["Value"]) and "Arn" in str(output["Value"])
    )
    assert words.text("pipeline", {"Fn::ImportValue": exported}) == "{Buckets/Runs}"


def test_the_account_never_shows(assemblies: dict[str, Assembly]) -> None:
    assembly = assemblies["dev"]
    known = attrs.evolve(assembly, settings=attrs.evolve(assembly.settings, account="111122223333"))
    assert Words(known).text("pipeline", "arn:aws:iam::111122223333:root") == "arn:aws:iam::<account>:root"


def test_statements_in_words(words: Words) -> None:
    document = {
        "Statement": {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "NotAction": "s3:GetObject",
            "Resource": ["*"],
            "Condition": {
                "Bool": {"aws:SecureTransport": "false"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]},
                "New": {"k": "v"},
            },
        }
    }
    (statement,) = words.statements("pipeline", document)
    assert (statement.effect, statement.principals, statement.actions) == ("Deny", ["anyone"], ["not s3:GetObject"])
    assert statement.conditions == ["aws:SecureTransport is false", "every aws:TagKeys is a or b", "k New v"]
    assert statement.wildcards == ["*"]
