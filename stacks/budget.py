"""Budget: what AWS may bill the environment for in a month, and what is refused once it has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct
from contracts import names
from contracts.guard_settings import STOP

from stacks.budget_settings import TAGS, BudgetSettings
from stacks.constructs.role import role
from stacks.constructs.statements import allow, budgets_arn, for_service

COSTLY = (
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateCustomModelDeployment",
    "bedrock:CreateModelCopyJob",
    "bedrock:CreateModelImportJob",
    "bedrock:CreateProvisionedModelThroughput",
    "bedrock:UpdateProvisionedModelThroughput",
)
"""What begins to cost. Looking, stopping and deleting stay allowed, and so does InvokeModel: a job whose grader or evaluation is refused
has cost its money for nothing."""

_COST_TAGS = ("Environment", "rft:environment")
"""Tags of what the stacks deploy, and of the jobs, models and deployments that runs make (`pipeline.jobs.tags`)."""


class Budget(Construct):
    """A monthly cost budget that tells people as it fills, and then has AWS Budgets attach a denial to the roles that start what costs.

    The denial is an identity policy like any other: runs that wait for money are refused, what runs may end and be cleaned up. AWS Budgets
    takes it off when the next month begins, a person by `rft budget lift` (docs/budget.md).

    Attributes:
        name: of the budget.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        settings: BudgetSettings,
        topic: sns.Topic,
        starters: Sequence[iam.IRole],
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._settings = settings
        self._topic = topic
        told = [
            *(("ACTUAL", share) for share in settings.warn_percent),
            *(("FORECASTED", share) for share in settings.forecast_percent),
            # An action tells its subscribers itself.
            *([] if settings.acts else [("ACTUAL", settings.stop_percent)]),
        ]
        # CloudFormation makes a budget anew when its notifications change, before it deletes the old one: the names must differ.
        self.name = f"rft-{environment}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]}"
        self._let_budgets_publish()
        self._budget = self._build_budget([self._notification(kind, share) for kind, share in told])
        if settings.acts:
            self._build_action(starters)

    def _notification(self, kind: str, share: int) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
        return budgets.CfnBudget.NotificationWithSubscribersProperty(
            notification=budgets.CfnBudget.NotificationProperty(
                notification_type=kind, comparison_operator="GREATER_THAN", threshold=share, threshold_type="PERCENTAGE"
            ),
            subscribers=[budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=self._topic.topic_arn)],
        )

    def _let_budgets_publish(self) -> None:
        self._topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="BudgetsPublish",
                principals=[for_service("budgets.amazonaws.com", [budgets_arn("*")])],
                actions=["sns:Publish"],
                resources=[self._topic.topic_arn],
            )
        )

    def _build_budget(self, notifications: Sequence[budgets.CfnBudget.NotificationWithSubscribersProperty]) -> budgets.CfnBudget:
        settings = self._settings
        tagged = {"TagKeyValue": [f"user:{key}${self._environment}" for key in _COST_TAGS]}
        budget = budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self.name,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=settings.monthly_usd or 0, unit="USD"),
                # What is spent counts in full, whoever pays for it: a credit hides a runaway until it is used up.
                cost_types=budgets.CfnBudget.CostTypesProperty(include_credit=False, include_refund=False),
                cost_filters=tagged if settings.scope == TAGS else None,
            ),
            notifications_with_subscribers=list(notifications),
        )
        # AWS Budgets tries the topic when it is given it.
        budget.node.add_dependency(self._topic)
        return budget

    def _build_action(self, starters: Sequence[iam.IRole]) -> None:
        denial = iam.ManagedPolicy(
            self,
            "UsedUp",
            managed_policy_name=names.budget_policy(self._environment),
            description="Attached by AWS Budgets while the environment's budget is used up: nothing that costs is started",
            statements=[iam.PolicyStatement(sid="BudgetUsedUp", effect=iam.Effect.DENY, actions=list(COSTLY), resources=["*"])],
        )
        executor = role(
            self,
            "Role",
            assumed_by=for_service("budgets.amazonaws.com", [budgets_arn(f"budget/rft-{self._environment}-*")]),
            description="AWS Budgets: attaches the denial and takes it off",
            name=names.budget_role(self._environment),
            statements=[
                allow(
                    ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
                    [starter.role_arn for starter in starters],
                    {"ArnEquals": {"iam:PolicyARN": denial.managed_policy_arn}},
                )
            ],
        )
        action = budgets.CfnBudgetsAction(
            self,
            "Action",
            budget_name=self.name,
            action_type="APPLY_IAM_POLICY",
            notification_type="ACTUAL",
            action_threshold=budgets.CfnBudgetsAction.ActionThresholdProperty(type="PERCENTAGE", value=self._settings.stop_percent),
            approval_model="AUTOMATIC" if self._settings.action == STOP else "MANUAL",
            definition=budgets.CfnBudgetsAction.DefinitionProperty(
                iam_action_definition=budgets.CfnBudgetsAction.IamActionDefinitionProperty(
                    policy_arn=denial.managed_policy_arn, roles=[starter.role_name for starter in starters]
                )
            ),
            execution_role_arn=executor.role_arn,
            subscribers=[budgets.CfnBudgetsAction.SubscriberProperty(type="SNS", address=self._topic.topic_arn)],
        )
        action.node.add_dependency(self._budget, executor)
