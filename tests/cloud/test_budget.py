"""Given a budget that is used up, a run ends before anything is paid for, and says why."""

from __future__ import annotations

import pytest
from contracts import names
from contracts.events import Outcome

from local import cloud
from tests.cloud.test_endings import check_ending

pytestmark = pytest.mark.cloud


def test_a_used_up_budget_refuses_the_job_and_the_run_says_so(dev, first_run):
    iam, policy = dev.endpoint.client("iam"), f"arn:aws:iam::{cloud.ACCOUNT}:policy/{names.budget_policy('dev')}"
    assert dev.rft("budget", "show")["refused"] == []
    roles = [each["RoleName"] for page in iam.get_paginator("list_roles").paginate() for each in page["Roles"]]
    (role,) = [name for name in roles if "TrainingStartTrainingRole" in name]
    # What AWS Budgets does at the threshold; the local cloud records the action, and no cost accrues here.
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    try:
        shown = dev.rft("budget", "show")
        dev.start("unaffordable")
        ended = dev.ended("unaffordable")
    finally:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    assert (shown["refused"], shown["limit"]) == ([role], 600.0)
    check_ending(dev, ended, Outcome.SPEND_REJECTED)
    assert "budget of the month is used up" in ended.reason and "rft budget show --env dev" in ended.reason
    assert dev.jobs("unaffordable") == []
