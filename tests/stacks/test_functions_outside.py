"""Dev with its functions outside the VPC: what is left inside. That each function's finding is answered, tests/rules says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stacks.constructs.network import OF_A_JOB
from stacks.settings import EnvironmentSettings
from tests.stacks.template_reader import Synthesised, actions, flat
from tests.stacks.variants import outside_settings


@pytest.fixture(scope="module")
def outside(synthesise: Callable[[EnvironmentSettings], Synthesised]) -> Synthesised:
    return synthesise(outside_settings())


def test_one_interface_endpoint_is_left_for_the_job_and_the_gateway_to_s3(outside: Synthesised) -> None:
    endpoints = outside.of_type("AWS::EC2::VPCEndpoint")
    kinds = {name: each["Properties"]["VpcEndpointType"] for name, each in endpoints.items()}
    assert sorted(kinds.values()) == ["Gateway", "Interface"]
    (left,) = [each for name, each in endpoints.items() if kinds[name] == "Interface"]
    assert OF_A_JOB == ("Lambda",) and flat(left["Properties"]["ServiceName"]).endswith(".lambda")
    allowed = {action for statement in left["Properties"]["PolicyDocument"]["Statement"] for action in actions(statement)}
    assert allowed == {"lambda:InvokeFunction"}, "the job's, and no function's"


def test_what_meets_a_models_words_stays_inside(outside: Synthesised) -> None:
    inside = [name for name, each in outside.of_type("AWS::Lambda::Function").items() if "VpcConfig" in each["Properties"]]
    assert len(inside) == 1 and inside[0].startswith("RewardGrader")
    groups = outside.of_type("AWS::EC2::SecurityGroup")
    assert not [name for name in groups if name.startswith("NetworkFunctions")]
    assert [name for name in groups if name.startswith("NetworkJob")]


def test_functions_outside_have_no_right_to_network_interfaces(outside: Synthesised) -> None:
    having = {name for name, statement in outside.identity_statements() if "ec2:CreateNetworkInterface" in actions(statement)}
    assert {name.split("Role")[0] for name in having} == {"RewardGrader", "Job"}
