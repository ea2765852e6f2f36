"""The budget in the templates: what it counts, whom it tells, and the one thing it may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names

from stacks.budget import COSTLY
from stacks.budget_settings import BudgetSettings
from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load
from tests.stacks.template_reader import Synthesised, actions, flat

Make = Callable[[EnvironmentSettings], Synthesised]


def with_budget(**changes: Any) -> EnvironmentSettings:
    settings = load(ENVIRONMENTS / "dev.toml")
    return attrs.evolve(settings, budget=attrs.evolve(settings.budget, **changes))


def budget_of(environment: Synthesised) -> dict[str, Any]:
    (found,) = environment.of_type("AWS::Budgets::Budget").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def action_of(environment: Synthesised) -> dict[str, Any]:
    (found,) = environment.of_type("AWS::Budgets::BudgetsAction").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def told(environment: Synthesised) -> list[tuple[str, int]]:
    found = budget_of(environment)["NotificationsWithSubscribers"]
    assert all([each["SubscriptionType"] for each in one["Subscribers"]] == ["SNS"] for one in found)
    return [(one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in found]


def test_the_budget_is_the_settings_and_counts_what_credits_would_hide(environment: Synthesised) -> None:
    settings, found = environment.settings.budget, budget_of(environment)["Budget"]
    assert found["BudgetLimit"] == {"Amount": settings.monthly_usd, "Unit": "USD"}
    assert (found["BudgetType"], found["TimeUnit"]) == ("COST", "MONTHLY")
    assert found["CostTypes"] == {"IncludeCredit": False, "IncludeRefund": False}
    assert "CostFilters" not in found
    assert told(environment) == [("ACTUAL", 50), ("ACTUAL", 80), ("FORECASTED", 100)]


def test_the_denial_goes_to_the_roles_that_start_what_costs_and_to_no_other(environment: Synthesised) -> None:
    found = action_of(environment)
    assert (found["ActionType"], found["ApprovalModel"], found["NotificationType"]) == ("APPLY_IAM_POLICY", "AUTOMATIC", "ACTUAL")
    assert found["ActionThreshold"] == {"Type": "PERCENTAGE", "Value": 100}
    denied = {flat(role) for role in found["Definition"]["IamActionDefinition"]["Roles"]}
    starters = {
        name
        for name, statement in environment.identity_statements()
        if statement["Effect"] == "Allow" and set(actions(statement)) & set(COSTLY)
    }
    assert len(starters) == len(denied) == 2
    roles = {
        name: [flat(each).strip("${}") for each in role["Properties"].get("ManagedPolicyArns", [])]
        for name, role in environment.of_type("AWS::IAM::Role").items()
    }
    assert {each.strip("${}") for each in denied} == {name for name, policies in roles.items() if set(policies) & starters}


def test_the_denial_denies_what_begins_to_cost_and_leaves_what_ends_it(environment: Synthesised) -> None:
    name, policy = environment.one("AWS::IAM::ManagedPolicy", "BudgetUsedUp")
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"], set(statement["Action"])) == ("Deny", "*", set(COSTLY))
    assert policy["Properties"]["ManagedPolicyName"] == names.budget_policy(environment.settings.name)
    assert not [action for action in COSTLY if not action.split(":")[1].startswith(("Create", "Update"))]
    assert not any(flat(policy["Properties"].get(key, "")) for key in ("Roles", "Users", "Groups")), f"{name} is attached by the templates"


def test_the_role_may_attach_that_policy_to_those_roles_and_nothing_else(environment: Synthesised) -> None:
    (statement,) = environment.statements_of("BudgetRolePolicy")
    assert set(actions(statement)) == {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
    assert "BudgetUsedUp" in flat(statement["Condition"]["ArnEquals"]["iam:PolicyARN"])
    assert len(statement["Resource"]) == 2 and "*" not in flat(statement["Resource"])
    _, role = environment.one("AWS::IAM::Role", "BudgetRole")
    assert role["Properties"]["RoleName"] == names.budget_role(environment.settings.name)


def test_its_boundary_lets_that_policy_through_and_no_other_role_has_it(environment: Synthesised) -> None:
    boundary, policy = environment.one("AWS::IAM::ManagedPolicy", "BoundaryBudget")
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert set(actions(statement)) == {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}
    assert flat(statement["Condition"]["ArnEquals"]["iam:PolicyARN"]).endswith(f":policy/{names.budget_policy(environment.settings.name)}")
    roles = environment.of_type("AWS::IAM::Role").items()
    assert [name for name, role in roles if boundary in flat(role["Properties"]["PermissionsBoundary"])] == [
        environment.one("AWS::IAM::Role", "BudgetRole")[0]
    ]


def test_budgets_may_publish_and_use_the_key_for_this_account_only(environment: Synthesised) -> None:
    policies = [
        *(each["Properties"]["PolicyDocument"] for each in environment.of_type("AWS::SNS::TopicPolicy").values()),
        *(each["Properties"]["KeyPolicy"] for each in environment.of_type("AWS::KMS::Key").values()),
    ]
    found = [
        statement
        for policy in policies
        for statement in policy["Statement"]
        if "budgets.amazonaws.com" in flat(statement.get("Principal", "")) and statement["Effect"] == "Allow"
    ]
    assert sorted(action for statement in found for action in actions(statement)) == ["kms:Decrypt", "kms:GenerateDataKey", "sns:Publish"]
    for statement in found:
        assert flat(statement["Condition"]["StringEquals"]["aws:SourceAccount"]) == "${AWS::AccountId}"
        (source,) = statement["Condition"]["ArnLike"]["aws:SourceArn"]
        assert flat(source) == "arn:${AWS::Partition}:budgets::${AWS::AccountId}:*"


def test_the_topic_lets_budgets_in_before_the_budget_is_made(environment: Synthesised) -> None:
    (budget,) = environment.of_type("AWS::Budgets::Budget").values()
    assert any("TopicPolicy" in name for name in budget["DependsOn"])


@pytest.mark.parametrize(("action", "model"), [("stop", "AUTOMATIC"), ("ask", "MANUAL")])
def test_a_person_runs_the_action_where_settings_ask_for_one(synthesise: Make, action: str, model: str) -> None:
    assert action_of(synthesise(with_budget(action=action)))["ApprovalModel"] == model


def test_telling_only_makes_no_role_and_no_exception(synthesise: Make) -> None:
    found = synthesise(with_budget(action="tell"))
    assert told(found)[-1] == ("ACTUAL", 100)
    assert not found.of_type("AWS::Budgets::BudgetsAction")
    assert not [name for name in found.of_type("AWS::IAM::Role") if name.startswith("Budget")]
    assert not [name for name in found.of_type("AWS::IAM::ManagedPolicy") if name.startswith("BoundaryBudget")]


def test_without_an_amount_there_is_nothing(synthesise: Make) -> None:
    found = synthesise(attrs.evolve(with_budget(), budget=BudgetSettings()))
    assert "budgets.amazonaws.com" not in flat(found.all())
    assert not [name for name in found.all() if name.startswith("Budget")]


def test_tags_count_what_the_stacks_and_what_runs_make(synthesise: Make) -> None:
    filters = budget_of(synthesise(with_budget(scope="tags")))["Budget"]["CostFilters"]
    assert filters == {"TagKeyValue": ["user:Environment$dev", "user:rft:environment$dev"]}


def test_other_notifications_make_a_budget_of_another_name(synthesise: Make) -> None:
    names_ = {
        budget_of(synthesise(with_budget(**each)))["Budget"]["BudgetName"] for each in ({}, {"monthly_usd": 700.0}, {"warn_percent": [90]})
    }
    assert len(names_) == 2, "CloudFormation cannot make one anew beside one of the same name; a new amount changes it in place"
