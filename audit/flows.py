"""Who reads, writes and invokes what: the lines of the data-flow picture, from the policies, rules and targets of the templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from audit.assembly import Assembly
from audit.inventory import Role, roles
from audit.words import ACCOUNT, Statement, Words

READ, WRITE, INVOKE, PASS = "read", "write", "invoke", "pass"
VERBS = (READ, WRITE, INVOKE, PASS)

_EVERYONES = ("logs:", "xray:", "ec2:", "kms:")
"""What every function has for its own log, traces, interface and keys: in the role inventory, and not worth a line in a picture."""

_READS = re.compile(r"(Get|List|Describe|Head|BatchGet|Receive|Poll|Verify)")
_INVOKES = re.compile(r"(Invoke|Converse|StartExecution|StartSyncExecution)")

_CHANNELS = {
    "AWS::Chatbot::SlackChannelConfiguration": ("slack", "SlackChannelId"),
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": ("teams", "TeamsChannelId"),
}
"""Client, and the property with the channel's id."""

_SERVICE_OBJECT = re.compile(rf"arn:aws:(?P<service>[a-z0-9-]+):[^:]*:(?:{re.escape(ACCOUNT)})?:(?P<kind>[A-Za-z-]+)[/:]?(?P<rest>.*)")


@attrs.frozen(kw_only=True, order=True)
class Flow:
    """One line.

    Attributes:
        source: who acts: a function, a rule, a state machine, or a role that a service assumes.
        verb: one of `VERBS`.
        target: a resource by place, with the prefix of its keys where the policy names one; or a service's kind of object.
        actions: what the line stands for.
    """

    source: str
    verb: str
    target: str
    actions: tuple[str, ...]


def flows(assembly: Assembly) -> list[Flow]:
    """Every line, in order; one for each source, verb and target."""
    words = Words(assembly)
    named = _names(assembly, words)
    gathered: dict[tuple[str, str, str], set[str]] = {}
    found = [*_of_roles(roles(assembly), named), *_of_rules(assembly, words), *_of_channels(assembly, words)]
    for source, verb, target, action in found:
        gathered.setdefault((source, verb, target), set()).add(action)
    return sorted(
        Flow(source=source, verb=verb, target=target, actions=tuple(sorted(actions)))
        for (source, verb, target), actions in gathered.items()
    )


def actor(role: Role) -> str:
    """What acts under a role: the function or state machine it was made for, or the role itself where a service assumes it."""
    single = [used.rpartition(" ")[2] for used in role.used_by if "passed by" not in used]
    return single[0] if len(single) == 1 else role.place


def _of_roles(found: Iterable[Role], named: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for role in found:
        for statement in role.statements:
            if statement.effect != "Allow":
                continue
            for action in statement.actions:
                if action.startswith(_EVERYONES) and not action.startswith(("kms:Sign", "kms:Verify")):
                    continue
                for target in _targets(statement, action, named):
                    yield actor(role), verb(action), target, action


def verb(action: str) -> str:
    """The verb of an IAM action, by its name."""
    operation = action.partition(":")[2]
    if operation == "PassRole":
        return PASS
    if _INVOKES.match(operation):
        return INVOKE
    return READ if _READS.match(operation) else WRITE


def _targets(statement: Statement, action: str, named: dict[str, str]) -> Iterator[str]:
    for resource in statement.resources:
        if resource == "*":
            yield f"any {action.partition(':')[0]} resource"
        elif action == "s3:ListBucket":
            # Held to the prefixes that GetObject names; the bucket itself would be one more line for the same thing.
            continue
        else:
            yield _target(resource, named)


def _target(resource: str, named: dict[str, str]) -> str:
    if resource in named:
        return named[resource]
    if resource.startswith("{"):
        place, _, rest = resource[1:].partition("}")
        prefix = rest.strip("/:*")
        return f"{place} {prefix}/" if prefix else place.removesuffix("/Role")
    found = _SERVICE_OBJECT.match(resource)
    if not found:
        return resource
    rest = "" if found["rest"] in {"*", ""} else f" {found['rest']}"
    return f"{found['service']} {found['kind']}{rest}"


def _of_rules(assembly: Assembly, words: Words) -> Iterator[tuple[str, str, str, str]]:
    for stack, name, rule in assembly.resources("AWS::Events::Rule"):
        source = words.place(stack, name)
        for target in rule["Properties"].get("Targets", []):
            yield source, INVOKE, words.text(stack, target["Arn"]).strip("{}"), "target of the rule"
            if "DeadLetterConfig" in target:
                yield source, WRITE, words.text(stack, target["DeadLetterConfig"]["Arn"]).strip("{}"), "events it could not deliver"
    for stack, name, schedule in assembly.resources("AWS::Scheduler::Schedule"):
        target = schedule["Properties"]["Target"]
        yield words.place(stack, name), INVOKE, words.text(stack, target["Arn"]).strip("{}"), "target of the schedule"


def _of_channels(assembly: Assembly, words: Words) -> Iterator[tuple[str, str, str, str]]:
    """What leaves the account for a chat: no role of ours sends it, so no policy tells of it."""
    for kind, (client, key) in _CHANNELS.items():
        for stack, _, channel in assembly.resources(kind):
            for topic in channel["Properties"]["SnsTopicArns"]:
                source = words.text(stack, topic).strip("{}")
                yield source, WRITE, f"{client} channel {channel['Properties'][key]}", "what the topic tells, shown in chat"


def _names(assembly: Assembly, words: Words) -> dict[str, str]:
    """ARNs that policies spell out because the resource has a fixed name -> the resource's place."""
    named: dict[str, str] = {}
    region = assembly.settings.region

    def fixed(kind: str, key: str, service: str, prefix: str) -> None:
        for stack, logical_id, resource in assembly.resources(kind):
            value: Any = resource["Properties"].get(key)
            if isinstance(value, str):
                named[f"arn:aws:{service}:{region}:{ACCOUNT}:{prefix}{value}"] = words.place(stack, logical_id)

    fixed("AWS::StepFunctions::StateMachine", "StateMachineName", "states", "stateMachine:")
    fixed("AWS::Events::EventBus", "Name", "events", "event-bus/")
    fixed("AWS::SNS::Topic", "TopicName", "sns", "")
    fixed("AWS::SQS::Queue", "QueueName", "sqs", "")
    return named
