"""`[chat]`: channels of Slack and Teams, and what each fault says."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from contracts.errors import InvalidInput

from stacks.chat_settings import EVERYTHING, ON_CALL
from stacks.settings import EnvironmentSettings, load
from tests.settings.test_environment_settings import DEV, written

ID = str(UUID(int=1))
SLACK = '{ name = "ml", workspace = "T0123ABCDEF", channel = "C0ALARMS0ML" }'
TEAMS = f'{{ name = "pager", tenant = "{ID}", team = "{ID}", channel = "19%3a01ab%40thread.tacv2", told = ["on_call"] }}'


def loaded(directory: Path, *, slack: str = "", teams: str = "") -> EnvironmentSettings:
    text = DEV.replace("\nslack = []", f"\nslack = [{slack}]").replace("\nteams = []", f"\nteams = [{teams}]")
    return load(written(directory, text))


def refusal(directory: Path, **channels: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        loaded(directory, **channels)
    return str(caught.value)


def test_no_channel_is_set_as_it_ships(tmp_path: Path) -> None:
    chat = loaded(tmp_path).chat
    assert not chat.channels and not chat.shows_messages


def test_channels_of_both_kinds_are_read_in_their_order(tmp_path: Path) -> None:
    chat = loaded(tmp_path, slack=SLACK, teams=TEAMS).chat
    assert [(channel.name, channel.told) for channel in chat.channels] == [("ml", [EVERYTHING]), ("pager", [ON_CALL])]
    assert chat.shows_messages


def test_a_pager_alone_is_told_of_alarms_and_of_no_message(tmp_path: Path) -> None:
    assert not loaded(tmp_path, teams=TEAMS).chat.shows_messages


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"T0123ABCDEF"', '"acme"', "chat.slack[0].workspace = 'acme': allowed is the id of a Slack workspace, such as T0123ABCDEF"),
        ('"T0123ABCDEF"', '""', "chat.slack[0].workspace = '': allowed is the id of a Slack workspace"),
        ('"C0ALARMS0ML"', '"#alarms"', "chat.slack[0].channel = '#alarms': allowed is the id of a Slack channel"),
        ('"C0ALARMS0ML"', '"D0ALARMS0ML"', "chat.slack[0].channel = 'D0ALARMS0ML': allowed is"),
        ('"ml"', '"ML Team"', "chat.slack[0].name = 'ML Team': allowed is 1 to 40 lower-case letters, digits and single hyphens"),
        (' }', ', told = ["everyone"] }', "chat.slack[0].told = ['everyone']: allowed is a list of everything and on_call"),
        (' }', ", told = [] }", "chat.slack[0].told = []: allowed is a list of everything and on_call"),
        (' }', ', told = ["on_call", "on_call"] }', "each once"),
        (', channel = "C0ALARMS0ML"', "", "chat.slack[0].channel is missing"),
        (' }', ", webhook = 'https://example.com' }", "chat.slack[0].webhook is not a known key; known here: name, workspace,"),
    ],
)  # fmt: skip
def test_a_wrong_slack_channel_is_refused_by_name(tmp_path: Path, old: str, new: str, problem: str) -> None:
    said = refusal(tmp_path, slack=SLACK.replace(old, new, 1))
    assert "environments/dev.toml" in said and problem in said


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (f'tenant = "{ID}"', 'tenant = "contoso"', "chat.teams[0].tenant = 'contoso': allowed is a UUID, 36"),
        (f'team = "{ID}"', 'team = "19%3aab%40thread"', "chat.teams[0].team = '19%3aab%40thread': allowed is a UUID"),
        (
            "19%3a01ab%40thread.tacv2",
            "19:01ab@thread.tacv2",
            "chat.teams[0].channel = '19:01ab@thread.tacv2': allowed is the id of a",
        ),
        ("19%3a01ab", f"19%3a{'a' * 250}", "percent-encoded"),
    ],
)
def test_a_wrong_teams_channel_is_refused_by_name(tmp_path: Path, old: str, new: str, problem: str) -> None:
    said = refusal(tmp_path, teams=TEAMS.replace(old, new, 1))
    assert "environments/dev.toml" in said and problem in said


def test_two_channels_of_one_name_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, slack=SLACK, teams=TEAMS.replace("pager", "ml"))
    assert "chat.slack[0].name = 'ml': allowed is a name that no other channel has" in said and "chat.teams[0].name" in said


def test_a_channel_is_configured_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, slack=f"{SLACK}, {SLACK.replace('ml', 'again')}")
    assert "chat.slack[1].channel = 'C0ALARMS0ML': allowed is one entry for a channel, with told = ['everything', 'on_call']" in said
