"""Budget: what an environment may cost in a month, and what happens when it has."""

from __future__ import annotations

import attrs
from contracts.guard_settings import ASK, STOP, TELL
from contracts.validation import number, one_of, whole

ACCOUNT, TAGS = "account", "tags"
MIN_REASON = 40
"""Characters: less does not tell whoever pays why there is no budget."""

MOST_WARNINGS = 4
"""A budget takes five notifications (Cost Management user guide, budgets-create), and the stop is one of them."""


def _percentages(_instance: object, _attribute: object, value: list[int]) -> None:
    if any(not 1 <= each <= 1000 for each in value) or len(set(value)) < len(value):
        raise ValueError("allowed are whole numbers from 1 to 1000, each once")


def _a_reason(_instance: object, _attribute: object, value: str) -> None:
    if value and len(value) < MIN_REASON:
        raise ValueError(f"allowed is a sentence of {MIN_REASON} characters or more, or an empty string")


@attrs.frozen(kw_only=True)
class BudgetSettings:
    """A monthly cost budget of AWS Budgets. It is the net below the guard rails: AWS's bill is known hours after the money is spent.

    Attributes:
        monthly_usd: US dollars the environment may cost in a calendar month; absent, it has no budget.
        scope: what counts: `account`, all that AWS bills the account for, or `tags`, what carries this environment's tags. Tags count
            only once the payer account has activated `Environment` and `rft:environment` as cost allocation tags.
        warn_percent: shares of it, spent, at which people are told.
        forecast_percent: shares of it, forecast for the month's end, at which people are told.
        stop_percent: share of it, spent, at which nothing that costs is started any more.
        action: then: `stop` refuses new jobs and deployments at once, `ask` once a person runs the action, `tell` only tells.
        none_because: in an environment with `protect`, why it needs no budget.
    """

    monthly_usd: float | None = attrs.field(default=None, validator=number(1, 10_000_000))
    scope: str = attrs.field(default=ACCOUNT, validator=one_of(ACCOUNT, TAGS))
    warn_percent: list[int] = attrs.field(factory=lambda: [50, 80], validator=_percentages)
    forecast_percent: list[int] = attrs.field(factory=lambda: [100], validator=_percentages)
    stop_percent: int = attrs.field(default=100, validator=whole(1, 1000))
    action: str = attrs.field(default=STOP, validator=one_of(STOP, ASK, TELL))
    none_because: str = attrs.field(default="", validator=_a_reason)

    @property
    def acts(self) -> bool:
        """Whether the budget may refuse what costs."""
        return self.monthly_usd is not None and self.action != TELL


def problems(budget: BudgetSettings, *, protect: bool) -> list[str]:
    """Keys that contradict each other, one line each."""
    found = []
    if budget.monthly_usd is None and protect and not budget.none_because:
        found.append(
            "budget.monthly_usd: allowed is US dollars a month, or budget.none_because with the reason why there is no budget, "
            "because protect = true"
        )
    if budget.monthly_usd is not None and budget.none_because:
        found.append(f"budget.none_because: allowed is an empty string, because budget.monthly_usd = {budget.monthly_usd:g}")
    count = len(budget.warn_percent) + len(budget.forecast_percent)
    if count > MOST_WARNINGS:
        found.append(f"budget.warn_percent, budget.forecast_percent: allowed are {MOST_WARNINGS} entries together, and these are {count}")
    if budget.stop_percent in budget.warn_percent:
        found.append(f"budget.warn_percent = {budget.warn_percent!r}: allowed is any but budget.stop_percent, which tells people as well")
    return found
