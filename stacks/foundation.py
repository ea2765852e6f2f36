"""The stateful stack: keys, buckets, network. It outlives every change to the pipeline."""

from __future__ import annotations

from typing import Any

from aws_cdk import Fn, Stack
from constructs import Construct

from stacks.backup import Backup
from stacks.constructs import perimeter
from stacks.constructs.boundary import Boundary
from stacks.constructs.buckets import Buckets
from stacks.constructs.keys import Keys
from stacks.constructs.network import Network
from stacks.judge_settings import uses_judge
from stacks.settings import EnvironmentSettings


class FoundationStack(Stack):
    """What holds data, or carries it.

    Attributes:
        boundary: what no role of the environment can go beyond.
        keys: data, model and logs.
        buckets: datasets, runs and access logs.
        backup: the locked copy of what cannot be made again; None where settings have none.
        network: the VPC, its endpoints and security groups.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: EnvironmentSettings, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, termination_protection=settings.protect, **kwargs)
        self.boundary = Boundary(self, "Boundary", environment=settings.name, budget=settings.budget.acts)
        self.keys = Keys(self, "Keys", environment=settings.name, protect=settings.protect, budget=settings.budget.monthly_usd is not None)
        self.buckets = Buckets(
            self,
            "Buckets",
            key=self.keys.data,
            retention=settings.retention,
            protect=settings.protect,
            replicated=settings.backup.enabled,
        )
        self.backup = Backup(self, "Backup", settings=settings, buckets=self.buckets, keys=self.keys) if settings.backup.enabled else None
        self.network = Network(
            self,
            "Network",
            settings=settings.network,
            buckets=[self.buckets.datasets, self.buckets.runs],
            logs_key=self.keys.logs,
            log_days=settings.retention.log_days,
            protect=settings.protect,
            judged=uses_judge(settings.reward.grader, settings.reward.options),
        )
        self._keep_inside(settings)

    def _keep_inside(self, settings: EnvironmentSettings) -> None:
        buckets, inside = self.buckets, settings.perimeter
        if self.backup:
            perimeter.keep_bucket_inside(self.backup.bucket, inside)
            perimeter.refuse_other_keys(self.backup.bucket, self.backup.key)
        for bucket in (buckets.datasets, buckets.runs, buckets.access_logs):
            perimeter.keep_bucket_inside(bucket, inside)
        for bucket in (buckets.datasets, buckets.runs):
            perimeter.refuse_other_keys(bucket, self.keys.data)
            if inside.data_through_vpc_only:
                exceptions = [*perimeter.roles_at_work(settings.name), *inside.outside_vpc_principals]
                perimeter.only_through(bucket, self.network.gateway.vpc_endpoint_id, exceptions)

    @property
    def availability_zones(self) -> list[str]:
        # With account and Region both known, CDK would ask the account for its zones while synthesising.
        return [Fn.select(index, Fn.get_azs()) for index in range(3)]
