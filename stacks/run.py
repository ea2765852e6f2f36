"""The run: the state machine, and what may start it."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct
from contracts import names
from contracts.events import RunEvent

from stacks import run_notice
from stacks.constructs.commons import Commons, put_events, state_machine_arn
from stacks.constructs.state_machine import state_machine
from stacks.constructs.statements import allow, write_key
from stacks.constructs.task_function import TaskFunction
from stacks.constructs.triggers import Trigger, rule, schedule
from stacks.run_definition import run_definition

SCHEDULE_REQUESTER = "schedule"


class Run(Construct):
    """One state machine per environment, started by a person, a registered dataset or a schedule.

    Its execution data holds names, URIs and scores and no prompt or answer, and is encrypted with Step Functions' own key:
    a key of ours would have to be opened to everyone who starts, approves or looks at a run.

    Attributes:
        state_machine: `rft-<environment>-run`.
        request: the function that starts runs for events.
        rules: what starts runs, for the alarms.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, commons: Commons, functions: Mapping[str, TaskFunction], dead_letters: sqs.IQueue
    ) -> None:
        super().__init__(scope, construct_id)
        self._commons = commons
        self._stack = Stack.of(self)
        self.state_machine = self._build_state_machine(functions)
        self.request = commons.function(
            self,
            "request_run",
            description="Starts a run for a registered dataset or a schedule, once",
            asynchronous=True,
            statements=[allow(["states:StartExecution"], [state_machine_arn(self._stack, commons.workshop.settings.name)])],
        )
        self.rules = {
            **self._build_triggers(dead_letters),
            # Whoever aborts an execution, its timeout, or a fault of the state machine itself ends it before its own last states, and these
            # may fail as well: what costs money must end, and the record be written, all the same.
            "AfterEnd": self._after_end("AfterEnd", "stop its job, delete its deployment", functions["clean_up"], dead_letters),
            "AfterEndRecord": self._after_end(
                "AfterEndRecord",
                "write and sign its record, unless it is there",
                functions["record_lineage"],
                dead_letters,
            ),
        }

    def _build_state_machine(self, functions: Mapping[str, TaskFunction]) -> sfn.StateMachine:
        commons, settings = self._commons, self._commons.workshop.settings
        definition = run_definition(
            environment=settings.name,
            functions={module: task.function.function_arn for module, task in functions.items()},
            bus_name=commons.bus.event_bus_name,
            notice=run_notice.arguments(settings.name, commons.topic.topic_arn, chat_runbooks=commons.chat_runbooks),
            poll_seconds=settings.training.poll_seconds,
            approval_seconds=settings.approval.timeout_hours * 3600,
            ask_seconds=settings.guard_rails.ask_minutes * 60,
            turn_seconds=settings.training.turn_hours * 3600,
            training_seconds=int(settings.training.max_hours * 3600),
        )
        return state_machine(
            self,
            name=names.state_machine(settings.name),
            description="The run's state machine",
            definition=definition,
            statements=[
                allow(["lambda:InvokeFunction"], [task.function.function_arn for task in functions.values()]),
                put_events(commons.bus),
                allow(["sns:Publish"], [commons.topic.topic_arn]),
                write_key(commons.workshop.keys.data, self._stack.region, "sns"),
            ],
            workshop=commons.workshop,
        )

    def _after_end(self, construct_id: str, what: str, task: TaskFunction, dead_letters: sqs.IQueue) -> Trigger:
        return rule(
            self,
            construct_id,
            description=f"A run has ended, however: {what}",
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"],
                    "stateMachineArn": [state_machine_arn(self._stack, self._commons.workshop.settings.name)],
                },
            ),
            message=events.RuleTargetInput.from_object(
                {
                    "run_id": events.EventField.from_path("$.detail.name"),
                    "execution_arn": events.EventField.from_path("$.detail.executionArn"),
                    "after_end": True,
                }
            ),
            function=task.function,
            dead_letters=dead_letters,
        )

    def _build_triggers(self, dead_letters: sqs.IQueue) -> dict[str, Trigger]:
        commons, triggers = self._commons, self._commons.workshop.settings.triggers
        rules: dict[str, Trigger] = {}
        if triggers.on_dataset_registered:
            rules["DatasetRegistered"] = rule(
                self,
                "DatasetRegistered",
                description="A dataset version was registered: start a run",
                bus=commons.bus,
                pattern=events.EventPattern(source=[names.EVENT_SOURCE], detail_type=[RunEvent.DATASET_REGISTERED.value]),
                function=self.request.function,
                dead_letters=dead_letters,
            )
        if triggers.schedule:
            schedule(
                self,
                "Schedule",
                description=f"Starts a run on {triggers.schedule_dataset}",
                expression=triggers.schedule,
                # Scheduler fills in the time it was due, so that a second delivery asks for the same run.
                payload={
                    "dataset": triggers.schedule_dataset,
                    "requested_by": SCHEDULE_REQUESTER,
                    "scheduled_at": "<aws.scheduler.scheduled-time>",
                },
                target=self.request.function,
                dead_letters=dead_letters,
                key=commons.workshop.keys.data,
            )
        return rules
