"""Settings beside those that ship, for tests that must see every branch of the stacks."""

from __future__ import annotations

import attrs
from contracts.settings import TriggerSettings

from stacks.access_settings import AccessSettings
from stacks.alarm_settings import NotificationSettings
from stacks.settings import ENVIRONMENTS, OUTSIDE, EnvironmentSettings, RewardSettings, load

ACCOUNT = "111122223333"


def furnished_settings() -> EnvironmentSettings:
    """Dev with everything set that ships unset: account, schedule, address, reserved concurrency, three zones."""
    settings = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(
        settings,
        account=ACCOUNT,
        network=attrs.evolve(settings.network, availability_zones=3),
        reward=RewardSettings(reserved_concurrency=100),
        notifications=NotificationSettings(
            emails=["ml-team@example.com"], on_call=["pager@example.com"], runbooks_url="https://example.com/runbooks/"
        ),
        triggers=TriggerSettings(on_dataset_registered=False, schedule="rate(7 days)", schedule_dataset="maths"),
    )


def peopled_settings() -> EnvironmentSettings:
    """Prod with somebody for each of the roles made for people."""
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    access = AccessSettings(
        operators=[f"{role}ml", f"{role}aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ml_*"],
        approvers=[f"{role}product"],
        auditors=["arn:aws:iam::444455556666:role/audit"],
        break_glass=[f"arn:aws:iam::{ACCOUNT}:user/break-glass-1"],
    )
    return attrs.evolve(load(ENVIRONMENTS / "prod.toml"), account=ACCOUNT, access=access)


def outside_settings() -> EnvironmentSettings:
    """Dev with its pipeline functions outside the VPC, and one endpoint left in it."""
    settings = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(settings, network=attrs.evolve(settings.network, functions=OUTSIDE))


def judged_settings() -> EnvironmentSettings:
    """Dev with a reward that asks a model, which opens a way to Bedrock's runtime endpoint."""
    reward = RewardSettings(grader="judge", options={"template": "summarisation", "model": "us.amazon.nova-pro-v1:0"})
    return attrs.evolve(load(ENVIRONMENTS / "dev.toml"), reward=reward)
