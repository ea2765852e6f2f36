"""Settings beside those that ship, for tests that must see every branch of the stacks."""

from __future__ import annotations

from uuid import UUID

import attrs
from contracts.settings import TriggerSettings

from stacks.access_settings import AccessSettings
from stacks.alarm_settings import NotificationSettings
from stacks.chat_settings import EVERYTHING, ON_CALL, ChatSettings, SlackChannel, TeamsChannel
from stacks.settings import ENVIRONMENTS, OUTSIDE, EnvironmentSettings, RewardSettings, load

ACCOUNT = "111122223333"

CHAT = ChatSettings(
    slack=[
        SlackChannel(name="ml-team", workspace="T0123ABCDEF", channel="C0ALARMS0ML"),
        SlackChannel(name="both", workspace="T0123ABCDEF", channel="G0ALARMS0ML", told=[EVERYTHING, ON_CALL]),
    ],
    teams=[
        TeamsChannel(
            name="pager",
            tenant=str(UUID(int=1)),
            team=str(UUID(int=2)),
            channel="19%3a0123abcd%40thread.tacv2",
            told=[ON_CALL],
        )
    ],
)


def furnished_settings() -> EnvironmentSettings:
    """Dev with everything set that ships unset: account, schedule, addresses, channels, reserved concurrency, three zones."""
    settings = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(
        settings,
        account=ACCOUNT,
        network=attrs.evolve(settings.network, availability_zones=3),
        reward=RewardSettings(reserved_concurrency=100),
        notifications=NotificationSettings(
            emails=["ml-team@example.com"], on_call=["pager@example.com"], runbooks_url="https://example.com/runbooks/"
        ),
        chat=CHAT,
        triggers=TriggerSettings(on_dataset_registered=False, schedule="rate(7 days)", schedule_dataset="maths"),
    )


def peopled_settings() -> EnvironmentSettings:
    """Prod with somebody for each of the roles made for people, and chat channels."""
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    access = AccessSettings(
        operators=[f"{role}ml", f"{role}aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ml_*"],
        approvers=[f"{role}product"],
        auditors=["arn:aws:iam::444455556666:role/audit"],
        break_glass=[f"arn:aws:iam::{ACCOUNT}:user/break-glass-1"],
    )
    return attrs.evolve(load(ENVIRONMENTS / "prod.toml"), account=ACCOUNT, access=access, chat=CHAT)


def outside_settings() -> EnvironmentSettings:
    """Dev with its pipeline functions outside the VPC, and one endpoint left in it."""
    settings = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(settings, network=attrs.evolve(settings.network, functions=OUTSIDE))


def judged_settings() -> EnvironmentSettings:
    """Dev with a reward that asks a model, which opens a way to Bedrock's runtime endpoint."""
    reward = RewardSettings(grader="judge", options={"template": "summarisation", "model": "us.amazon.nova-pro-v1:0"})
    return attrs.evolve(load(ENVIRONMENTS / "dev.toml"), reward=reward)
