"""The stateless stack: everything that can be deleted and deployed again without losing a byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct
from contracts import names

from stacks import packaging
from stacks.access import Access
from stacks.alarms import Alarms
from stacks.alarms.needs_person import NeedsPerson
from stacks.alarms.watched import Watched
from stacks.budget import Budget
from stacks.chat import Chat
from stacks.chat_settings import EVERYTHING, ON_CALL
from stacks.constructs import perimeter
from stacks.constructs.commons import Commons
from stacks.constructs.dead_letters import dead_letters
from stacks.constructs.task_function import ARCHITECTURE, RUNTIME, Workshop
from stacks.dashboards.build import Dashboards
from stacks.dataset import Dataset
from stacks.evaluation import Evaluation
from stacks.foundation import FoundationStack
from stacks.notifications import Notifications
from stacks.perimeter import Perimeter
from stacks.release import Release
from stacks.released import Released
from stacks.reward import Reward
from stacks.run import Run
from stacks.settings import EnvironmentSettings
from stacks.spend import Spend
from stacks.training import JobRole, Training


class PipelineStack(Stack):
    """Wires the capabilities; each builds itself in its own file.

    Attributes:
        budget: None where settings have none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        foundation: FoundationStack,
        tampering: sns.ITopic | None,
        **kwargs: Any,
    ) -> None:
        """`tampering` is the audit stack's topic; None where the environment has no such stack."""
        super().__init__(scope, construct_id, **kwargs)
        keys, buckets = foundation.keys, foundation.buckets
        kept = RemovalPolicy.RETAIN if settings.protect else RemovalPolicy.DESTROY
        events_lost = dead_letters(self, "UndeliveredEvents", key=keys.data, removal_policy=kept)
        failures = dead_letters(self, "FailedEvents", key=keys.data, removal_policy=kept)
        workshop = Workshop(settings=settings, keys=keys, network=foundation.network, layer=self._build_layer(), dead_letters=failures)
        bus = events.EventBus(self, "Bus", event_bus_name=names.bus(settings.name), description="Datasets and runs, for whoever subscribes")
        notifications = Notifications(self, "Notifications", key=keys.data, emails=settings.notifications.emails)
        perimeter.keep_bus_inside(bus, settings.perimeter)
        on_call = Notifications(self, "OnCall", key=keys.data, emails=settings.notifications.on_call)
        for topic in (notifications.topic, on_call.topic):
            perimeter.keep_topic_inside(topic, settings.perimeter)
        self._build_chat(settings, everything=notifications.topic, on_call=on_call.topic, tampering=tampering)
        for queue in (events_lost, failures):
            perimeter.keep_queue_inside(queue, settings.perimeter)
        reward = Reward(self, "Reward", workshop=workshop, code=_asset(packaging.reward_tree))
        job_role = JobRole(self, "JobRole", workshop=workshop, buckets=buckets, reward=reward.function)
        commons = Commons(
            workshop=workshop,
            code=_asset(packaging.pipeline_tree),
            buckets=buckets,
            bus=bus,
            topic=notifications.topic,
            reward=reward.function,
            reward_logs=reward.task.log_group,
            job_role=job_role.role,
        )
        dataset = Dataset(self, "Dataset", commons=commons, dead_letters=events_lost)
        training = Training(self, "Training", commons=commons, dead_letters=events_lost)
        evaluation = Evaluation(self, "Evaluation", commons=commons)
        release = Release(self, "Release", commons=commons)
        run = Run(
            self,
            "Run",
            commons=commons,
            functions={**training.functions, **evaluation.functions, **release.functions},
            dead_letters=events_lost,
        )
        spend = Spend(self, "Spend", commons=commons, dead_letters=events_lost)
        released = Released(self, "Released", commons=commons, dead_letters=events_lost)
        makers = {
            names.ENV_JOB_MAKER: training.functions["start_training"],
            names.ENV_DEPLOYMENT_MAKER: evaluation.functions["deploy_candidate"],
        }
        watch = Perimeter(self, "Perimeter", commons=commons, makers=makers, dead_letters=events_lost)
        self.budget = self._build_budget(settings, notifications, [task.role for task in makers.values()])
        queues = {"UndeliveredEvents": events_lost, "FailedEvents": failures}
        alarms = Alarms(
            self,
            "Alarms",
            watched=Watched(
                settings=settings,
                reward=reward.function,
                state_machine=run.state_machine,
                released=released.state_machine,
                rules={"Uploaded": dataset.rule, "JobEnded": training.rule, **run.rules, **watch.rules},
                queues=queues,
                backup=foundation.backup.bucket if foundation.backup else None,
                copies={buckets.datasets: names.BACKED_UP_DATASETS, buckets.runs: names.BACKED_UP_RUNS},
            ),
            topic=notifications.topic,
        )
        every = [*alarms.all, spend.alarm, watch.alarm]
        needs_person = NeedsPerson(
            self,
            "NeedsPerson",
            environment=settings.name,
            alarms=every,
            on_call=on_call.topic,
            runbooks=settings.notifications.runbooks_url,
        )
        Dashboards(
            self,
            "Dashboards",
            settings=settings,
            reward=reward.function,
            state_machine=run.state_machine,
            undelivered_events=events_lost,
            failed_events=failures,
            alarms=[needs_person.alarm, *(built.alarm for built in every)],
        )
        Access(self, "Access", commons=commons, dead_letters=events_lost)
        self._publish(
            settings.name,
            {
                names.PARAM_DATASETS_BUCKET: buckets.datasets.bucket_name,
                names.PARAM_RUNS_BUCKET: buckets.runs.bucket_name,
                names.PARAM_STATE_MACHINE: run.state_machine.state_machine_arn,
                names.PARAM_REWARD_FUNCTION: reward.function.function_name,
                names.PARAM_BUS: bus.event_bus_name,
                names.PARAM_TOPIC: notifications.topic.topic_arn,
                names.PARAM_ON_CALL: on_call.topic.topic_arn,
                names.PARAM_LINEAGE_KEYS: keys.signing.key_arn,
                names.PARAM_DASHBOARD: names.dashboard(settings.name),
                names.PARAM_RUN_DASHBOARD: names.run_dashboard(settings.name),
                **({names.PARAM_BACKUP_BUCKET: foundation.backup.bucket.bucket_name} if foundation.backup else {}),
                **({names.PARAM_BUDGET: self.budget.name} if self.budget else {}),
            },
        )

    def _build_budget(self, settings: EnvironmentSettings, notifications: Notifications, starters: Sequence[iam.IRole]) -> Budget | None:
        if settings.budget.monthly_usd is None:
            return None
        return Budget(self, "Budget", environment=settings.name, settings=settings.budget, topic=notifications.topic, starters=starters)

    def _build_chat(
        self, settings: EnvironmentSettings, *, everything: sns.ITopic, on_call: sns.ITopic, tampering: sns.ITopic | None
    ) -> None:
        if not settings.chat.channels:
            return
        # Of tampering both are told, as the addresses are.
        also = [tampering] if tampering else []
        topics = {EVERYTHING: [everything, *also], ON_CALL: [on_call, *also]}
        Chat(self, "Chat", environment=settings.name, settings=settings.chat, topics=topics)

    def _build_layer(self) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            "Sdk",
            description="AWS SDK with reinforcement fine-tuning, and the settings library",
            code=_asset(packaging.sdk_layer_tree),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )

    def _publish(self, environment: str, parameters: dict[str, str]) -> None:
        for name, value in parameters.items():
            construct_id = "".join(word.title() for word in name.split("-"))
            ssm.StringParameter(self, f"Parameter{construct_id}", parameter_name=names.parameter(environment, name), string_value=value)


def _asset(tree: Callable[[], Path]) -> lambda_.Code:
    built = tree()
    return lambda_.Code.from_asset(str(built), asset_hash=packaging.tree_hash(built))
