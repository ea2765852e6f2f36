"""NeedsPerson: one alarm over all that cannot wait for the morning.

It tells `on_call` once, whatever goes off and however many do, and once more when nothing does. What each alarm has to say goes to the
other topic with the alarm itself: a composite that is on already stays silent when a second one joins it.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.constructs.acknowledge import resource_of
from stacks.constructs.alarm import BuiltAlarm, runbook_link
from stacks.constructs.alarm_notes import METADATA

PAGE = "needs-person"


class NeedsPerson(Construct):
    """The composite alarm.

    Attributes:
        alarm: on while one of the alarms is that needs a person.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, alarms: Sequence[BuiltAlarm], on_call: sns.ITopic, runbooks: str
    ) -> None:
        super().__init__(scope, construct_id)
        members = [built.alarm for built in alarms if built.rule.needs_person]
        self.alarm = cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(member, cloudwatch.AlarmState.ALARM) for member in members)
            ),
            alarm_description=f"Something in the environment {environment} needs a person now. First: open the alarm that set it off, "
            f"named under TriggeringChildren below, and follow its runbook. {runbook_link(runbooks, PAGE)}",
        )
        self.alarm.add_alarm_action(actions.SnsAction(on_call))
        self.alarm.add_ok_action(actions.SnsAction(on_call))
        resource_of(self.alarm).add_metadata(METADATA, {"Runbook": PAGE})
