"""Alarms on what a run costs."""

from __future__ import annotations

from contracts.metrics import Metric

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import AlarmRule


def rules(watched: Watched) -> list[AlarmRule]:
    usd, share = watched.settings.training.caps.usd, watched.settings.alarms.limit_share
    return [
        AlarmRule(
            construct_id="SpendOverBudget",
            metric=watched.metric(Metric.SPEND_SO_FAR, "Maximum", watched.look),
            threshold=share * usd,
            what=f"A job has taken more than {share:.0%} of the ${usd:,.0f} a run may, by the prices in settings. At the cap it is stopped "
            "and leaves no model.",
            first="compare spend and trend with `rft report`: let it end, stop it now, or raise training.caps.usd and deploy.",
            quiet_because="Spend is reckoned at each look at a running job; without one nothing is spent.",
        ),
    ]
