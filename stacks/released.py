"""Released: looks after the model that the pointer names, so that alarms can be on it."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct
from contracts import names
from contracts.metrics import NAMESPACE

from stacks.constructs.commons import NAMED_BY_BEDROCK, Commons, deployments
from stacks.constructs.state_machine import state_machine
from stacks.constructs.statements import allow, arn, in_region
from stacks.constructs.triggers import schedule
from stacks.released_definition import LOOK_MINUTES, released_definition


class Released(Construct):
    """A state machine that looks at the released model on a schedule.

    No function, and so nothing that would have to leave the private network to read CloudWatch: Step Functions calls each API itself,
    under a role that can read figures and write to the project's own namespace. What it reads and writes are counts, never a text.

    Attributes:
        state_machine: `rft-<environment>-released`; express, so that a look costs a fraction of a cent's thousandth.
    """

    def __init__(self, scope: Construct, construct_id: str, *, commons: Commons, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        stack, environment = Stack.of(self), commons.workshop.settings.name
        pointer = names.parameter(environment, names.PARAM_RELEASED_MODEL)
        self.state_machine = state_machine(
            self,
            name=names.released_watch(environment),
            description="Looks at the released model",
            definition=released_definition(environment=environment, pointer=pointer),
            statements=[
                allow(["ssm:GetParameter"], [arn(stack, "ssm", f"parameter{pointer}")]),
                allow(["bedrock:GetCustomModelDeployment"], [deployments(stack)], because=NAMED_BY_BEDROCK),
                allow(
                    ["cloudwatch:GetMetricData"],
                    ["*"],
                    in_region(stack.region),
                    because="The action knows no resource (service authorization reference, Amazon CloudWatch); what it reads is figures.",
                ),
                allow(
                    ["cloudwatch:PutMetricData"],
                    ["*"],
                    {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
                    because="The action knows no resource (service authorization reference, Amazon CloudWatch); it is held to the "
                    "project's own namespace.",
                ),
            ],
            workshop=commons.workshop,
            kind=sfn.StateMachineType.EXPRESS,
        )
        schedule(
            self,
            "Schedule",
            description="Looks at the released model",
            expression=f"rate({LOOK_MINUTES} minutes)",
            payload={"at": "<aws.scheduler.scheduled-time>"},
            target=self.state_machine,
            dead_letters=dead_letters,
            key=commons.workshop.keys.data,
        )
