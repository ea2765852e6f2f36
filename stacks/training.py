"""Training: the role Bedrock runs jobs under, and the functions that plan, rehearse, start and follow a job."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from contracts import names
from contracts.events import BEDROCK_JOB_STATE_CHANGE, BEDROCK_SOURCE, JOB_ENDED

from stacks.constructs.buckets import Buckets
from stacks.constructs.commons import (
    NAMED_BY_BEDROCK,
    NAMED_BY_THE_RUN,
    VERSIONS_OF_THE_REWARD,
    Commons,
    custom_models,
    customization_jobs,
    executions_arn,
    state_machine_arn,
)
from stacks.constructs.role import role
from stacks.constructs.statements import (
    allow,
    arn,
    delete_objects,
    for_service,
    in_region,
    read_key,
    read_objects,
    use_key,
    write_key,
    write_objects,
)
from stacks.constructs.task_function import TaskFunction, Workshop
from stacks.constructs.triggers import Trigger, rule

_JOB_TAG = "BedrockModelCustomizationJobArn"
_MADE_BY_THE_CALL = (
    "The network interface comes into being by this very call, so its id cannot be named; the conditions hold it to the tags Bedrock gives "
    "the interfaces of this account's jobs."
)


class JobRole(Construct):
    """What Bedrock may do while a customization job runs (user guide, custom-model-job-access-security).

    Attributes:
        role: passed to Bedrock by `start_training` and assumable by Bedrock for this account's jobs only.
    """

    def __init__(self, scope: Construct, construct_id: str, *, workshop: Workshop, buckets: Buckets, reward: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        model_use = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant")
        self.role = role(
            self,
            "Role",
            assumed_by=for_service("bedrock.amazonaws.com", [customization_jobs(stack)]),
            description="Bedrock reinforcement fine-tuning jobs",
            statements=[
                *read_objects(buckets.runs, names.STAGED, names.OUTPUT),
                write_objects(buckets.runs, names.OUTPUT),
                write_key(workshop.keys.data, stack.region),
                # Published versions of the one reward function; a job is never given the unqualified name.
                allow(["lambda:InvokeFunction"], [f"{reward.function_arn}:*"], because=VERSIONS_OF_THE_REWARD),
                # The guide leaves open whether caller or job role needs the key: both have it.
                use_key(workshop.keys.model, stack.region, "bedrock", *model_use),
                *self._interfaces(workshop),
            ],
        )

    def _interfaces(self, workshop: Workshop) -> list[iam.PolicyStatement]:
        """Network interfaces in our subnets, tagged by Bedrock as this account's jobs' own."""
        stack = Stack.of(self)
        jobs = customization_jobs(stack)
        interface = arn(stack, "ec2", "network-interface/*")
        subnets = [arn(stack, "ec2", f"subnet/{subnet.subnet_id}") for subnet in workshop.network.subnets]
        group = arn(stack, "ec2", f"security-group/{workshop.network.job.security_group_id}")
        return [
            allow(
                [
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeVpcs",
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeSecurityGroups",
                ],
                ["*"],
                in_region(stack.region),
                because="EC2's Describe calls know no resource (service authorization reference, Amazon EC2); they are held to the Region.",
            ),
            allow(
                ["ec2:CreateNetworkInterface"],
                [interface],
                {"StringEquals": {"aws:RequestTag/BedrockManaged": "true"}, "ArnLike": {f"aws:RequestTag/{_JOB_TAG}": jobs}},
                because=_MADE_BY_THE_CALL,
            ),
            allow(["ec2:CreateNetworkInterface"], [*subnets, group]),
            allow(
                ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission"],
                ["*"],
                {"ArnEquals": {"ec2:Subnet": subnets}, "ArnLike": {f"ec2:ResourceTag/{_JOB_TAG}": jobs}},
                because="A job's interfaces are told by their subnet and the job's tag, in the condition; their ids are not known before "
                "(Bedrock user guide, vpc-model-customization).",
            ),
            allow(
                ["ec2:CreateTags"],
                [interface],
                {
                    "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
                    "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", _JOB_TAG]},
                },
                because=_MADE_BY_THE_CALL,
            ),
        ]


class Training(Construct):
    """The functions from request to trained model.

    Attributes:
        functions: by module name, for the state machine.
        rule: gives Bedrock's event to `on_job_event`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        self._stack = Stack.of(self)
        self._region = self._stack.region
        self.functions: dict[str, TaskFunction] = {
            "prepare_run": self._prepare_run(),
            "rehearse_reward": self._rehearse_reward(),
            "claim_turn": self._claim_turn(),
            "start_training": self._start_training(),
            "await_job": self._await_job(),
            "track_training": self._track_training(),
        }
        self.rule = self._on_job_event(dead_letters)

    def _prepare_run(self) -> TaskFunction:
        commons = self._commons
        reward = commons.reward.function_arn
        return commons.function(
            self,
            "prepare_run",
            description="Resolves a run request against the caps, stages its data, estimates its cost",
            timeout_seconds=600,
            memory_mb=2048,
            statements=[
                *read_objects(commons.buckets.datasets, names.DATASETS),
                *read_objects(commons.buckets.runs, names.RECORDS),
                write_objects(commons.buckets.runs, names.STAGED),
                *commons.write_records(),
                write_key(commons.workshop.keys.data, self._region),
                allow(["lambda:GetAlias"], [reward]),
                allow(["lambda:GetFunctionConfiguration"], [reward, f"{reward}:*"], because=VERSIONS_OF_THE_REWARD),
            ],
        )

    def _rehearse_reward(self) -> TaskFunction:
        commons = self._commons
        return commons.function(
            self,
            "rehearse_reward",
            description="Calls the pinned reward version with probes before any money is spent",
            timeout_seconds=900,
            memory_mb=1024,
            statements=[
                *read_objects(commons.buckets.runs, names.STAGED),
                *read_objects(commons.buckets.datasets, names.FEEDBACK),
                *commons.write_records(),
                write_key(commons.workshop.keys.data, self._region),
                allow(["lambda:InvokeFunction"], [f"{commons.reward.function_arn}:*"], because=VERSIONS_OF_THE_REWARD),
            ],
        )

    def _claim_turn(self) -> TaskFunction:
        commons = self._commons
        return commons.function(
            self,
            "claim_turn",
            description="Takes one of the environment's places for a job",
            statements=[
                *read_objects(commons.buckets.runs, names.TURNS),
                write_objects(commons.buckets.runs, names.TURNS),
                write_key(commons.workshop.keys.data, self._region),
                allow(
                    ["states:DescribeExecution"],
                    [executions_arn(self._stack, commons.workshop.settings.name)],
                    because=NAMED_BY_THE_RUN,
                ),
            ],
        )

    def _start_training(self) -> TaskFunction:
        commons, stack = self._commons, self._stack
        base = commons.workshop.settings.training.base_model
        model_use = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant")
        jobs = [custom_models(stack), customization_jobs(stack)]
        return commons.function(
            self,
            "start_training",
            description="Starts the Bedrock customization job of a run, once",
            statements=[
                allow(
                    ["bedrock:CreateModelCustomizationJob"],
                    [arn(stack, "bedrock", f"foundation-model/{base}", account=False), *jobs],
                    because=NAMED_BY_BEDROCK,
                ),
                allow(["bedrock:TagResource"], jobs, because=NAMED_BY_BEDROCK),
                allow(["bedrock:GetModelCustomizationJob"], [customization_jobs(stack)], because=NAMED_BY_BEDROCK),
                iam.PolicyStatement(
                    actions=["iam:PassRole"],
                    resources=[commons.job_role.role_arn],
                    conditions={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
                ),
                use_key(commons.workshop.keys.model, stack.region, "bedrock", *model_use),
            ],
        )

    def _await_job(self) -> TaskFunction:
        commons = self._commons
        return commons.function(
            self,
            "await_job",
            description="Leaves the task token that Bedrock's event will answer",
            statements=[
                write_objects(commons.buckets.runs, names.TOKENS),
                delete_objects(commons.buckets.runs, names.TOKENS),
                write_key(commons.workshop.keys.data, self._region),
                allow(["bedrock:GetModelCustomizationJob"], [customization_jobs(self._stack)], because=NAMED_BY_BEDROCK),
                self._answer_run(),
            ],
        )

    def _track_training(self) -> TaskFunction:
        commons = self._commons
        return commons.function(
            self,
            "track_training",
            description="Reads a job's status and reward trend; holds the job to its guard rails",
            timeout_seconds=180,
            variables={names.ENV_REWARD_LOGS: commons.reward_logs.log_group_name},
            statements=[
                allow(
                    ["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"],
                    [customization_jobs(self._stack)],
                    because=NAMED_BY_BEDROCK,
                ),
                # The grader's records: figures only, as no text of a sample is ever logged.
                allow(["logs:FilterLogEvents"], [commons.reward_logs.log_group_arn]),
                *read_objects(commons.buckets.runs, names.OUTPUT, names.RECORDS),
                write_objects(commons.buckets.runs, names.RECORDS),
                write_key(commons.workshop.keys.data, self._region),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(commons.workshop.keys.data, self._region, "sns"),
            ],
        )

    def _answer_run(self) -> iam.PolicyStatement:
        return allow(["states:SendTaskSuccess"], [state_machine_arn(self._stack, self._commons.workshop.settings.name)])

    def _on_job_event(self, dead_letters: sqs.IQueue) -> Trigger:
        commons = self._commons
        environment = commons.workshop.settings.name
        task = commons.function(
            self,
            "on_job_event",
            description="Tells the waiting run that its Bedrock job has ended",
            asynchronous=True,
            statements=[
                *read_objects(commons.buckets.runs, names.TOKENS),
                delete_objects(commons.buckets.runs, names.TOKENS),
                read_key(commons.workshop.keys.data, self._region),
                self._answer_run(),
            ],
        )
        return rule(
            self,
            "JobEnded",
            description="A customization job of this environment has ended",
            pattern=events.EventPattern(
                source=[BEDROCK_SOURCE],
                detail_type=[BEDROCK_JOB_STATE_CHANGE],
                # The status's case in events is not documented, so any is taken.
                detail={
                    "jobStatus": [{"equals-ignore-case": status} for status in JOB_ENDED],
                    "jobName": [{"prefix": names.job_name_prefix(environment)}],
                },
            ),
            function=task.function,
            dead_letters=dead_letters,
        )
