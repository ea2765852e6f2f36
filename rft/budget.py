"""`rft budget`: what the environment has cost this month, and the denial that AWS Budgets attaches once that is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click
from contracts import names

from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import facts

if TYPE_CHECKING:
    from rft.target import Target

VERBS = {
    "stop": ("APPROVE_BUDGET_ACTION", ("PENDING",)),
    "lift": ("REVERSE_BUDGET_ACTION", ("EXECUTION_SUCCESS",)),
    "arm": ("RESET_BUDGET_ACTION", ("REVERSE_SUCCESS",)),
}
"""What AWS Budgets is asked to do with the action, and the states from which it makes sense (API reference, ExecuteBudgetAction)."""

_UNKNOWN_HERE = ("UnknownOperationException", "InvalidAction")


@attrs.frozen(kw_only=True)
class Budget:
    """How the environment's budget stands.

    Attributes:
        limit, spent, forecast: US dollars of the calendar month; `forecast` is None until AWS has enough of a past to say.
        action: id of the action; empty where settings have none, or where the cloud knows no actions.
        status: of the action, in AWS's words.
        refused: names of the roles the denial is attached to now.
    """

    name: str
    limit: float
    spent: float
    forecast: float | None
    action: str
    status: str
    refused: list[str]


@click.group()
def budget() -> None:
    """What the environment has cost this month, and what is refused once that is too much."""


@budget.command("show")
@cloud_options
def show(call: Invocation) -> None:
    """Spent, forecast, and whether new jobs and deployments are refused. AWS's bill is up to a day behind."""
    found = look(call.target())
    call.output.result(
        attrs.asdict(found),
        facts(
            {
                "budget": found.name,
                "spent": f"{found.spent:.2f} of {found.limit:.2f} US dollars this month, {found.spent / found.limit:.0%}",
                "forecast": "" if found.forecast is None else f"{found.forecast:.2f} US dollars by the month's end",
                "action": found.status,
                "new jobs": f"refused: the denial is attached to {', '.join(found.refused)}" if found.refused else "allowed",
            }
        ),
    )
    if found.refused:
        call.output.say(f"next: ask whoever pays, then rft budget lift --env {call.environment}, or wait for the month to end")


@budget.command("stop")
@cloud_options
def stop(call: Invocation) -> None:
    """Run the action that waits for a person (action = "ask"): new jobs and deployments are refused from then on."""
    _execute(call, "stop")


@budget.command("lift")
@cloud_options
def lift(call: Invocation) -> None:
    """Take the denial off, for the rest of the month: AWS Budgets does not look at the action again until rft budget arm."""
    _execute(call, "lift")


@budget.command("arm")
@cloud_options
def arm(call: Invocation) -> None:
    """Have AWS Budgets look at a lifted action again, as after monthly_usd was raised and deployed."""
    _execute(call, "arm")


def look(target: Target) -> Budget:
    """Reads the budget, its action and who is refused.

    Raises:
        Failure: not found, where settings have no budget.
    """
    name, account = _name(target), target.caller.split(":")[4]
    described = target.budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
    spend = described.get("CalculatedSpend", {})
    action = _action(target, account, name)
    return Budget(
        name=name,
        limit=float(described["BudgetLimit"]["Amount"]),
        spent=float(spend.get("ActualSpend", {}).get("Amount", 0)),
        forecast=float(spend["ForecastedSpend"]["Amount"]) if spend.get("ForecastedSpend") else None,
        action=action.get("ActionId", ""),
        status=action.get("Status", ""),
        refused=_refused(target, account),
    )


def _execute(call: Invocation, verb: str) -> None:
    target = call.target()
    found = look(target)
    wanted, allowed = VERBS[verb]
    if found.status not in allowed:
        raise Failure(
            f"the action is {found.status or 'not there'}; {verb} works when it is {' or '.join(allowed)}",
            where=f"budget {found.name}",
            hint=f"rft budget show --env {call.environment}",
        )
    target.budgets.execute_budget_action(
        AccountId=target.caller.split(":")[4], BudgetName=found.name, ActionId=found.action, ExecutionType=wanted
    )
    call.output.result({"budget": found.name, "asked": wanted}, f"asked AWS Budgets: {wanted}; it takes a minute: rft budget show")


def _name(target: Target) -> str:
    parameter = names.parameter(target.environment, names.PARAM_BUDGET)
    found = target.ssm.get_parameters(Names=[parameter])["Parameters"]
    if not found:
        raise Failure(
            f"environment {target.environment} has no budget in {target.place}",
            where=f"SSM parameter {parameter}",
            hint=f"set budget.monthly_usd in environments/{target.environment}.toml and deploy",
            code=Exit.NOT_FOUND,
        )
    return str(found[0]["Value"])


def _action(target: Target, account: str, name: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - the SDK takes longer to load than `--help` may

    try:
        actions = target.budgets.describe_budget_actions_for_budget(AccountId=account, BudgetName=name)["Actions"]
    except ClientError as error:
        if error.response["Error"].get("Code") in _UNKNOWN_HERE:
            return {}
        raise
    return next(iter(actions), {})


def _refused(target: Target, account: str) -> list[str]:
    policy = f"arn:{target.caller.split(':')[1]}:iam::{account}:policy/{names.budget_policy(target.environment)}"
    try:
        attached = target.iam.list_entities_for_policy(PolicyArn=policy, EntityFilter="Role")["PolicyRoles"]
    except target.iam.exceptions.NoSuchEntityException:
        return []
    return sorted(role["RoleName"] for role in attached)
