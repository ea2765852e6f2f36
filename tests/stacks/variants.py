"""Settings beside those that ship, for tests that must see every branch of the stacks."""

from __future__ import annotations

import attrs
from contracts.settings import TriggerSettings

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, NotificationSettings, RewardSettings, load

ACCOUNT = "111122223333"


def furnished_settings() -> EnvironmentSettings:
    """Dev with everything set that ships unset: account, schedule, address, reserved concurrency, three zones."""
    settings = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(
        settings,
        account=ACCOUNT,
        network=attrs.evolve(settings.network, availability_zones=3),
        reward=RewardSettings(reserved_concurrency=100),
        notifications=NotificationSettings(emails=["ml-team@example.com"]),
        triggers=TriggerSettings(on_dataset_registered=False, schedule="rate(7 days)", schedule_dataset="maths"),
    )


def judged_settings() -> EnvironmentSettings:
    """Dev with a reward that asks a model, which opens a way to Bedrock's runtime endpoint."""
    reward = RewardSettings(grader="judge", options={"template": "summarisation", "model": "us.amazon.nova-pro-v1:0"})
    return attrs.evolve(load(ENVIRONMENTS / "dev.toml"), reward=reward)
