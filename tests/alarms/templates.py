"""The alarms of an environment, as CloudFormation would make them from the synthesised templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stacks.constructs.alarm_notes import METADATA
from tests.stacks.template_reader import Synthesised

ACCOUNT = "111122223333"
METRIC, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm.

    Attributes:
        construct_id: of the construct, which is what the cases go by.
        name: the physical name.
        kind: the CloudFormation type.
        properties: with every reference resolved.
        told: whether the pipeline's own message tells people, so that the alarm has no action.
        needs_person: whether it is to call somebody at night.
        children: every other alarm of the environment, for a composite alarm, whose rule names some of them.
    """

    construct_id: str
    name: str
    kind: str
    properties: dict[str, Any]
    told: bool = False
    needs_person: bool = False
    children: tuple[Alarm, ...] = ()


class Deployed:
    """An environment's resources under the names and ARNs a deployment could give them: a resource's name is stack and logical id."""

    def __init__(self, templates: Synthesised) -> None:
        self.settings = templates.settings
        self.resources = templates.all()
        self._paths = templates.paths
        stacks = {"foundation": templates.foundation, "pipeline": templates.pipeline, "audit": templates.audit}
        self._stack_of = {
            logical_id: f"rft-{templates.settings.name}-{stack}"
            for stack, template in stacks.items()
            for logical_id in template.get("Resources", {})
        }
        self._exports = {
            output["Export"]["Name"]: output["Value"]
            for template in stacks.values()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }
        self._functions: dict[str, Callable[[Any], str]] = {
            "Ref": self._referenced,
            "Fn::GetAtt": lambda argument: self._attribute(*argument),
            "Fn::Join": lambda argument: str(argument[0]).join(str(self.resolved(part)) for part in argument[1]),
            "Fn::ImportValue": lambda argument: str(self.resolved(self._exports[argument])),
        }
        self.alarms = {alarm.construct_id: alarm for alarm in self._alarms()}

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        return {name: found.get("Properties", {}) for name, found in self.resources.items() if found["Type"] == kind}

    def variables(self, handler: str) -> dict[str, str]:
        """Environment variables of the function with this handler."""
        (found,) = [function for function in self.of("AWS::Lambda::Function").values() if function.get("Handler") == handler]
        return {name: str(self.resolved(value)) for name, value in found["Environment"]["Variables"].items()}

    def name(self, logical_id: str) -> str:
        return f"{self._stack_of[logical_id]}-{logical_id}"

    def arn(self, logical_id: str) -> str:
        service, _, resource = self.resources[logical_id]["Type"].removeprefix("AWS::").partition("::")
        kind = {"CloudWatch": "alarm", "Lambda": "function", "StepFunctions": "stateMachine", "IAM": "role"}.get(service, resource.lower())
        before = "" if service == "SNS" else f"{kind}/" if service == "IAM" else f"{kind}:"
        service = {"StepFunctions": "states"}.get(service, service.lower())
        return f"arn:aws:{service}:{self.settings.region}:{ACCOUNT}:{before}{self.name(logical_id)}"

    def resolved(self, value: Any) -> Any:
        """The value with its intrinsic functions carried out."""
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        name, argument = next(iter(value.items()), ("", None))
        if name in self._functions:
            return self._functions[name](argument)
        assert not name.startswith("Fn::"), f"{name} is not resolved here"
        return {key: self.resolved(item) for key, item in value.items()}

    def _referenced(self, name: str) -> str:
        if name.startswith("AWS::"):
            return {"AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::Region": self.settings.region}[name]
        by_arn = self.resources[name]["Type"] in ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
        return self.arn(name) if by_arn else self.name(name)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        return self.arn(logical_id) if attribute == "Arn" else self.name(logical_id)

    def _alarms(self) -> Iterator[Alarm]:
        metric = {name: self._alarm(name, METRIC, properties) for name, properties in self.of(METRIC).items()}
        yield from metric.values()
        for name, properties in self.of(COMPOSITE).items():
            yield self._alarm(name, COMPOSITE, properties, tuple(metric.values()))

    def _alarm(self, logical_id: str, kind: str, properties: dict[str, Any], children: tuple[Alarm, ...] = ()) -> Alarm:
        given = self.resolved(properties)
        name = str(given.get("AlarmName") or self.name(logical_id))
        notes = self.resources[logical_id]["Metadata"][METADATA]
        return Alarm(
            construct_id=self._paths[logical_id].removesuffix("/Resource").removesuffix("/Alarm").rpartition("/")[2],
            name=name,
            kind=kind,
            properties={**given, "AlarmName": name},
            told=bool(notes.get("Told")),
            needs_person=bool(notes.get("NeedsPerson")) and self._stack_of[logical_id].endswith("-pipeline"),
            children=children,
        )
