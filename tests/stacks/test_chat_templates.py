"""Chat channels: told of the right topics, under a role and a guardrail that let nobody do anything from there."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from contracts import names

from stacks.chat import GRAPH
from tests.stacks.template_reader import Synthesised, flat

SLACK, TEAMS = "AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"


def channels(environment: Synthesised) -> dict[str, dict[str, Any]]:
    """Configuration name -> properties."""
    found = [*environment.of_type(SLACK).values(), *environment.of_type(TEAMS).values()]
    return {each["Properties"]["ConfigurationName"]: each["Properties"] for each in found}


def told(environment: Synthesised, name: str) -> list[str]:
    """The topics of a channel, by the beginning of their logical ids."""
    arns = [flat(arn) for arn in channels(environment)[name]["SnsTopicArns"]]
    return sorted(next(topic for topic in ("Notifications", "OnCall", "Tampering") if topic in arn) for arn in arns)


def test_as_it_ships_no_environment_has_a_channel_or_anything_for_one(environment: Synthesised) -> None:
    assert not channels(environment)
    assert not [name for name in environment.all() if name.startswith("Chat")]


def test_each_channel_is_told_what_settings_say_and_all_of_tampering(furnished: Synthesised) -> None:
    assert set(channels(furnished)) == {"rft-dev-ml-team", "rft-dev-both", "rft-dev-pager"}
    assert told(furnished, "rft-dev-ml-team") == ["Notifications", "Tampering"]
    assert told(furnished, "rft-dev-both") == ["Notifications", "OnCall", "Tampering"]
    assert told(furnished, "rft-dev-pager") == ["OnCall", "Tampering"]


def test_ids_go_where_each_client_wants_them(furnished: Synthesised) -> None:
    slack, teams = channels(furnished)["rft-dev-ml-team"], channels(furnished)["rft-dev-pager"]
    assert (slack["SlackWorkspaceId"], slack["SlackChannelId"]) == ("T0123ABCDEF", "C0ALARMS0ML")
    assert teams["TeamsTenantId"] == str(UUID(int=1))
    assert (teams["TeamId"], teams["TeamsChannelId"]) == (str(UUID(int=2)), "19%3a0123abcd%40thread.tacv2")


def test_no_channel_falls_back_to_administrator_access(furnished: Synthesised) -> None:
    guardrail, policy = furnished.one("AWS::IAM::ManagedPolicy", "ChatGuardrail")
    for name, channel in channels(furnished).items():
        assert channel["GuardrailPolicies"] == [{"Ref": guardrail}], name
        assert channel["UserRoleRequired"] is True, name
        assert channel["LoggingLevel"] == "NONE", name
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert sorted(statement["Action"]) == sorted(GRAPH)


def test_the_role_draws_graphs_and_nothing_else(furnished: Synthesised) -> None:
    (statement,) = furnished.statements_of("ChatRolePolicy")
    assert sorted(statement["Action"]) == sorted(GRAPH)
    assert not [action for action in statement["Action"] if action.split(":")[1].startswith(("Put", "Delete", "Set", "Disable", "Enable"))]
    assert set(statement["Condition"]["StringEquals"]) == {"aws:RequestedRegion"}


def test_the_service_takes_the_role_for_this_accounts_channels(furnished: Synthesised) -> None:
    _, role = furnished.one("AWS::IAM::Role", "ChatRole")
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "chatbot.amazonaws.com"}
    assert trust["Condition"]["StringEqualsIfExists"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert flat(trust["Condition"]["ArnLikeIfExists"]["aws:SourceArn"]).endswith(":chat-configuration/*")
    assert names.stack("dev", "foundation") in flat(role["Properties"]["PermissionsBoundary"])


def test_functions_and_run_write_the_form_of_chat_only_with_a_channel(dev: Synthesised, furnished: Synthesised) -> None:
    def given(environment: Synthesised) -> set[str]:
        variables = [
            f["Properties"].get("Environment", {}).get("Variables", {}) for f in environment.of_type("AWS::Lambda::Function").values()
        ]
        return {each[names.ENV_CHAT_RUNBOOKS] for each in variables if names.ENV_CHAT_RUNBOOKS in each}

    def notify(environment: Synthesised) -> dict[str, Any]:
        _, machine = environment.one("AWS::StepFunctions::StateMachine", "Run")
        found: dict[str, Any] = json.loads(flat(machine["Properties"]["DefinitionString"]))["States"]["Notify"]["Arguments"]
        return found

    assert given(furnished) == {"https://example.com/runbooks/"} and not given(dev)
    assert notify(furnished)["MessageStructure"] == "json" and "https://example.com/runbooks/run-failed.md" in notify(furnished)["Message"]
    assert set(notify(dev)) == {"TopicArn", "Subject", "Message"}
