"""`rft budget`: how the budget stands, and what AWS Budgets is asked to do about its action; requests checked against AWS's own models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from contracts import names

from rft import target as targets
from rft.cli import invoke
from rft.exits import Exit
from rft.target import Target

ACCOUNT = "111122223333"
BUDGET = "rft-prod-0a1b2c3d"
OF_BUDGET = {"AccountId": ACCOUNT, "BudgetName": BUDGET}
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/{names.budget_policy('prod')}"
SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")


class Account:
    """An account whose clients answer what a test says, once each and in order."""

    def __init__(self, target: Target) -> None:
        self.stubs = {}
        target.__dict__["caller"] = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/me"
        for service in ("budgets", "iam", "ssm"):
            client: Any = SESSION.client(service)
            target.__dict__[service] = client
            self.stubs[service] = Stubber(client)
            self.stubs[service].activate()

    def has_budget(self, *, spent: float, status: str = "STANDBY", refused: tuple[str, ...] = ()) -> None:
        self.stubs["ssm"].add_response(
            "get_parameters",
            {"Parameters": [{"Name": names.parameter("prod", names.PARAM_BUDGET), "Value": BUDGET}]},
            {"Names": [names.parameter("prod", names.PARAM_BUDGET)]},
        )
        spend = {"ActualSpend": {"Amount": str(spent), "Unit": "USD"}, "ForecastedSpend": {"Amount": "5100.5", "Unit": "USD"}}
        described = {
            "BudgetName": BUDGET,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "5000.0", "Unit": "USD"},
            "CalculatedSpend": spend,
        }
        self.stubs["budgets"].add_response("describe_budget", {"Budget": described}, OF_BUDGET)
        action = {
            "ActionId": "a" * 8 + "-aaaa-4aaa-8aaa-" + "a" * 12,
            "BudgetName": BUDGET,
            "NotificationType": "ACTUAL",
            "ActionType": "APPLY_IAM_POLICY",
            "ActionThreshold": {"ActionThresholdValue": 100.0, "ActionThresholdType": "PERCENTAGE"},
            "Definition": {"IamActionDefinition": {"PolicyArn": POLICY, "Roles": ["starter"]}},
            "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/rft-prod-budget",
            "ApprovalModel": "AUTOMATIC",
            "Status": status,
            "Subscribers": [{"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:111122223333:topic"}],
        }
        self.stubs["budgets"].add_response("describe_budget_actions_for_budget", {"Actions": [action]}, OF_BUDGET)
        self.stubs["iam"].add_response(
            "list_entities_for_policy",
            {"PolicyRoles": [{"RoleName": name} for name in refused]},
            {"PolicyArn": POLICY, "EntityFilter": "Role"},
        )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    target = Target(environment="prod", session=SESSION)
    monkeypatch.setattr(targets, "find_target", lambda **_: target)
    made = Account(target)
    yield made
    for stub in made.stubs.values():
        stub.assert_no_pending_responses()


def test_show_says_what_is_spent_and_that_new_jobs_are_allowed(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.has_budget(spent=1250.0)
    assert invoke(["budget", "show", "--env", "prod"]) == Exit.OK
    out = capsys.readouterr().out
    assert "1250.00 of 5000.00 US dollars this month, 25%" in out
    assert "5100.50 US dollars by the month's end" in out
    assert "allowed" in out


def test_show_names_who_is_refused_and_what_to_do(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.has_budget(spent=5001.0, status="EXECUTION_SUCCESS", refused=("starts", "deploys"))
    assert invoke(["budget", "show", "--env", "prod", "--json"]) == Exit.OK
    found = capsys.readouterr()
    assert json.loads(found.out)["refused"] == ["deploys", "starts"]
    assert "rft budget lift --env prod" in found.err


@pytest.mark.parametrize(
    ("verb", "status", "asked"),
    [
        ("lift", "EXECUTION_SUCCESS", "REVERSE_BUDGET_ACTION"),
        ("arm", "REVERSE_SUCCESS", "RESET_BUDGET_ACTION"),
        ("stop", "PENDING", "APPROVE_BUDGET_ACTION"),
    ],
)
def test_a_verb_asks_aws_budgets_for_one_thing(account: Account, verb: str, status: str, asked: str) -> None:
    account.has_budget(spent=5001.0, status=status)
    action = "a" * 8 + "-aaaa-4aaa-8aaa-" + "a" * 12
    done = {**OF_BUDGET, "ActionId": action, "ExecutionType": asked}
    account.stubs["budgets"].add_response("execute_budget_action", done, done)
    assert invoke(["budget", verb, "--env", "prod"]) == Exit.OK


@pytest.mark.parametrize(("verb", "status"), [("lift", "STANDBY"), ("arm", "EXECUTION_SUCCESS"), ("stop", "STANDBY")])
def test_a_verb_that_makes_no_sense_is_refused_before_anything_is_asked(
    account: Account, verb: str, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account.has_budget(spent=10.0, status=status)
    assert invoke(["budget", verb, "--env", "prod"]) == Exit.FAILED
    assert f"the action is {status}; {verb} works when it is" in capsys.readouterr().err


def test_an_environment_without_a_budget_says_where_to_set_one(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.stubs["ssm"].add_response("get_parameters", {"Parameters": []})
    assert invoke(["budget", "show", "--env", "prod"]) == Exit.NOT_FOUND
    assert "set budget.monthly_usd in environments/prod.toml" in capsys.readouterr().err
