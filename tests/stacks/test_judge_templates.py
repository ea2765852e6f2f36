"""Given settings whose reward asks a judge, then the reward function may invoke that model and reach that endpoint; otherwise neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names
from reward.graders.judge import grader

from stacks.judge_settings import JudgeSettings, permissions, uses_judge
from stacks.settings import ENVIRONMENTS, EnvironmentSettings, RewardSettings, load
from tests.stacks.template_reader import Synthesised, actions, flat, resources

APPLICATION = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123def456"
DEPLOYMENT = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abc123def456"
OWN = "arn:${AWS::Partition}:bedrock:us-east-1:${AWS::AccountId}"


def settings(grader: str, options: dict[str, Any], judge: JudgeSettings | None = None) -> EnvironmentSettings:
    return attrs.evolve(
        load(ENVIRONMENTS / "dev.toml"), reward=RewardSettings(grader=grader, options=options), judge=judge or JudgeSettings()
    )


def invoking(found: Synthesised) -> list[dict[str, Any]]:
    return [s for s in found.statements_of("RewardGrader") if "bedrock:InvokeModel" in actions(s)]


@pytest.fixture(scope="module")
def judged(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    return synthesise(settings("judge", {"template": "summarisation", "model": "us.amazon.nova-pro-v1:0"}))


def test_without_a_judge_there_is_no_permission_and_no_network(environment: Synthesised) -> None:
    assert invoking(environment) == []
    assert not [name for name in environment.of_type("AWS::EC2::SecurityGroup") if "RuntimeEndpoint" in name]
    _, group = environment.one("AWS::EC2::SecurityGroup", "NetworkGrader")
    assert [rule["CidrIp"] for rule in group["Properties"]["SecurityGroupEgress"]] == ["255.255.255.255/32"]


def test_the_judge_is_invoked_through_its_profile_only(judged: Synthesised) -> None:
    direct, behind = invoking(judged)
    assert (actions(direct), resources(direct)) == (["bedrock:InvokeModel"], [f"{OWN}:inference-profile/us.amazon.nova-pro-v1:0"])
    assert resources(behind) == ["arn:${AWS::Partition}:bedrock:*::foundation-model/amazon.nova-pro-v1:0"]
    assert {key: flat(value) for key, value in behind["Condition"]["StringEquals"].items()} == {
        "bedrock:InferenceProfileArn": f"{OWN}:inference-profile/us.amazon.nova-pro-v1:0"
    }


def test_nobody_else_gains_anything_by_a_judge(judged: Synthesised, dev: Synthesised) -> None:
    def others(found: Synthesised) -> list[str]:
        return sorted(repr((name, statement)) for name, statement in found.identity_statements() if not name.startswith("RewardGrader"))

    def without_version(lines: list[str]) -> list[str]:
        return [line for line in lines if "CurrentVersion" not in line]

    assert without_version(others(judged)) == without_version(others(dev))


def test_the_grader_reaches_bedrocks_runtime_endpoint_and_nothing_else(judged: Synthesised) -> None:
    grader, group = judged.one("AWS::EC2::SecurityGroup", "NetworkGrader")
    (rule,) = group["Properties"]["SecurityGroupEgress"]
    runtime, runtime_group = judged.one("AWS::EC2::SecurityGroup", "NetworkRuntimeEndpoint")
    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (443, 443, "tcp")
    assert flat(rule["DestinationSecurityGroupId"]) == f"${{{runtime}.GroupId}}"
    assert "CidrIp" not in rule and "DestinationPrefixListId" not in rule
    for further in judged.of_type("AWS::EC2::SecurityGroupEgress").values():
        assert grader not in flat(further["Properties"]["GroupId"])
    assert [each["CidrIp"] for each in runtime_group["Properties"]["SecurityGroupEgress"]] == ["255.255.255.255/32"]
    entering = [
        r["Properties"] for r in judged.of_type("AWS::EC2::SecurityGroupIngress").values() if runtime in flat(r["Properties"]["GroupId"])
    ]
    assert [flat(each["SourceSecurityGroupId"]) for each in entering] == [f"${{{grader}.GroupId}}"]


def test_only_the_runtime_endpoint_carries_that_group(judged: Synthesised) -> None:
    runtime, _ = judged.one("AWS::EC2::SecurityGroup", "NetworkRuntimeEndpoint")
    carrying = [
        flat(endpoint["Properties"]["ServiceName"])
        for endpoint in judged.of_type("AWS::EC2::VPCEndpoint").values()
        if any(runtime in flat(group) for group in endpoint["Properties"].get("SecurityGroupIds", []))
    ]
    assert carrying == ["com.amazonaws.us-east-1.bedrock-runtime"]


def test_a_judge_within_another_grader_is_found_and_permitted_once() -> None:
    one = {"grader": "judge", "weight": 0.25, "options": {"model": "us.amazon.nova-pro-v1:0", "template": "reasoning"}}
    two = {"grader": "judge", "weight": 0.25}
    deep = {"parts": [{"grader": "math", "weight": 0.5}, one, {"grader": "composite", "options": {"parts": [two]}}]}
    assert uses_judge("composite", deep)
    (found,) = permissions("composite", deep, JudgeSettings())
    assert (found.profile, found.foundation_models) == ("us.amazon.nova-pro-v1:0", ("amazon.nova-pro-v1:0",))
    assert not uses_judge("composite", {"parts": [{"grader": "math", "options": {"mode": "strict"}}]})


@pytest.mark.parametrize(
    ("model", "judge", "expected"),
    [
        ("amazon.nova-lite-v1:0", None, ["arn:${AWS::Partition}:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"]),
        (DEPLOYMENT, JudgeSettings(offered={DEPLOYMENT: ["us-east-1"]}), [DEPLOYMENT]),
        (
            APPLICATION,
            JudgeSettings(offered={APPLICATION: ["us-east-1"]}, behind={APPLICATION: ["amazon.nova-pro-v1:0"]}),
            [APPLICATION, "arn:${AWS::Partition}:bedrock:*::foundation-model/amazon.nova-pro-v1:0"],
        ),
    ],
)
def test_other_ways_to_name_a_judge(
    synthesise: Callable[[EnvironmentSettings], Synthesised], model: str, judge: JudgeSettings | None, expected: list[str]
) -> None:
    found = synthesise(settings("judge", {"model": model}, judge))
    assert [resource for statement in invoking(found) for resource in resources(statement)] == expected
    for statement in invoking(found):
        if "*" in resources(statement)[0]:
            assert flat(statement["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"]) == model


def test_a_change_of_the_judge_publishes_another_version(
    synthesise: Callable[[EnvironmentSettings], Synthesised], judged: Synthesised
) -> None:
    other = synthesise(settings("judge", {"template": "summarisation", "model": "us.amazon.nova-lite-v1:0"}))
    (before,), (after,) = (set(each.of_type("AWS::Lambda::Version")) for each in (judged, other))
    assert before != after
    _, function = other.one("AWS::Lambda::Function", "RewardGrader")
    assert "us.amazon.nova-lite-v1:0" in function["Properties"]["Environment"]["Variables"][names.ENV_GRADER_OPTIONS]


def test_the_judges_identity_is_part_of_the_version_and_absent_without_a_judge(judged: Synthesised, dev: Synthesised) -> None:
    def variables(found: Synthesised) -> dict[str, str]:
        _, function = found.one("AWS::Lambda::Function", "RewardGrader")
        given: dict[str, str] = function["Properties"]["Environment"]["Variables"]
        return given

    assert variables(judged)[names.ENV_REWARD_IDENTITY] == grader(template="summarisation", model="us.amazon.nova-pro-v1:0").identity
    assert names.ENV_REWARD_IDENTITY not in variables(dev)
