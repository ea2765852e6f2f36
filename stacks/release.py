"""Release: ask people, move the pointer, clean up what costs money, record the lineage."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from contracts import names
from pipeline.attestation import ALGORITHM
from pipeline.cut_short import RELEASE_SECONDS

from stacks.constructs.commons import NAMED_BY_BEDROCK, Commons, customization_jobs, deployments, executions_arn, put_events
from stacks.constructs.statements import allow, arn, delete_objects, get_objects, list_objects, read_objects, write_key, write_objects
from stacks.constructs.task_function import TaskFunction


class Release(Construct):
    """The functions that ask, release, tidy and remember.

    Attributes:
        functions: by module name, for the state machine.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        self._stack = Stack.of(self)
        self.functions: dict[str, TaskFunction] = {
            "request_approval": self._request_approval(),
            "verify_approval": self._verify_approval(),
            "release": self._release(),
            "clean_up": self._clean_up(),
            "record_lineage": self._record_lineage(),
        }

    def _request_approval(self) -> TaskFunction:
        commons, region = self._commons, self._stack.region
        return commons.function(
            self,
            "request_approval",
            description="Leaves the task token of an approval and tells people about it",
            statements=[
                write_objects(commons.buckets.runs, names.TOKENS),
                write_key(commons.workshop.keys.data, region),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(commons.workshop.keys.data, region, "sns"),
            ],
        )

    def _verify_approval(self) -> TaskFunction:
        return self._commons.function(
            self,
            "verify_approval",
            description="Asks STS who gave an answer, and whether settings let them",
            # The request it sends is signed by whoever answered, and GetCallerIdentity needs no permission.
            statements=[],
        )

    def _executions(self, *actions: str) -> iam.PolicyStatement:
        return allow(
            list(actions),
            [executions_arn(self._stack, self._commons.workshop.settings.name)],
            because="An execution is named by whoever starts it; these are the executions of the one state machine.",
        )

    def _pointer(self) -> str:
        parameter = names.parameter(self._commons.workshop.settings.name, names.PARAM_RELEASED_MODEL)
        return arn(self._stack, "ssm", f"parameter{parameter}")

    def _release(self) -> TaskFunction:
        return self._commons.function(
            self,
            "release",
            description="Moves the released-model pointer and deletes the deployment before the previous one",
            timeout_seconds=RELEASE_SECONDS,
            statements=[
                allow(["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"], [self._pointer()]),
                allow(
                    ["bedrock:GetCustomModelDeployment", "bedrock:DeleteCustomModelDeployment"],
                    [deployments(self._stack)],
                    because=NAMED_BY_BEDROCK,
                ),
            ],
        )

    def _clean_up(self) -> TaskFunction:
        commons, stack = self._commons, self._stack
        return commons.function(
            self,
            "clean_up",
            description="Stops the job, deletes an unreleased deployment, expires staged data, frees the run's place",
            timeout_seconds=300,
            asynchronous=True,
            statements=[
                allow(
                    ["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"],
                    [customization_jobs(stack)],
                    because=NAMED_BY_BEDROCK,
                ),
                allow(
                    ["bedrock:GetCustomModelDeployment", "bedrock:DeleteCustomModelDeployment"],
                    [deployments(stack)],
                    because=NAMED_BY_BEDROCK,
                ),
                # What the pointer names is never deleted, nor what a Release that was under way at the end may still let it name.
                allow(["ssm:GetParameter", "ssm:GetParameterHistory"], [self._pointer()]),
                self._executions("states:GetExecutionHistory"),
                delete_objects(commons.buckets.runs, names.STAGED, names.TOKENS),
                list_objects(commons.buckets.runs, names.STAGED, names.TOKENS, names.TURNS),
                # Its place among the jobs that may run at once is given back by writing, on condition that it still holds it.
                get_objects(commons.buckets.runs, names.TURNS),
                write_objects(commons.buckets.runs, names.TURNS),
                write_key(commons.workshop.keys.data, stack.region),
            ],
        )

    def _record_lineage(self) -> TaskFunction:
        commons = self._commons
        return commons.function(
            self,
            "record_lineage",
            description="Writes the lineage record of a run, signs all its records, and tells of an end nothing else told of",
            timeout_seconds=120,
            asynchronous=True,
            statements=[
                *read_objects(commons.buckets.runs, names.RECORDS),
                *commons.write_records(),
                allow(
                    ["s3:GetObject"],
                    [commons.buckets.datasets.arn_for_objects(names.manifest_key("*", "*"))],
                    because="Any registered dataset may be the one a run was made with; of each it reads the manifest alone.",
                ),
                list_objects(commons.buckets.datasets, names.DATASETS),
                write_key(commons.workshop.keys.data, self._stack.region),
                self._executions("states:DescribeExecution", "states:GetExecutionHistory"),
                # What an execution that was cut short released is what the pointer says.
                allow(["ssm:GetParameter", "ssm:GetParameterHistory"], [self._pointer()]),
                # Who aborts an execution ends it before it can tell of its end.
                put_events(commons.bus),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(commons.workshop.keys.data, self._stack.region, "sns"),
                # A digest and nothing else, under the one algorithm that `rft audit verify` accepts.
                allow(
                    ["kms:Sign"],
                    [commons.workshop.keys.signing.key_arn],
                    {"StringEquals": {"kms:SigningAlgorithm": ALGORITHM, "kms:MessageType": "DIGEST"}},
                ),
            ],
        )
