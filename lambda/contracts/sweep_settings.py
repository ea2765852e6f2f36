"""How an environment looks for what costs money and belongs to no run. Read by the stacks and by the function."""

from __future__ import annotations

import attrs

from contracts.validation import number, whole


@attrs.frozen(kw_only=True)
class SweepSettings:
    """The sweep for orphans: jobs, deployments and provisioned throughput of this environment that no run needs any more.

    Attributes:
        hours: between two sweeps.
        remove: whether an orphaned job is stopped and an orphaned deployment deleted; otherwise they are only reported.
            Provisioned throughput is never made by the pipeline, and never removed by it.
        grace_minutes: how young a job or deployment may be and still be left alone, however orphaned it looks.
        provisioned_usd_per_unit_hour: of a model unit, for the report; from the Bedrock price page.
    """

    hours: int = attrs.field(default=1, validator=whole(1, 24))
    remove: bool = attrs.field(default=True)
    grace_minutes: int = attrs.field(default=30, validator=whole(5, 1440))
    provisioned_usd_per_unit_hour: float = attrs.field(default=0.0, validator=number(0, 1e5))
