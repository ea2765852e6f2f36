"""Puts template values into words a reviewer reads: `{Buckets/Runs}/staged/*` where the template has an intrinsic function."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from audit.assembly import Assembly

ACCOUNT = "<account>"
"""Stands for the account's twelve digits, so that a pack is the same wherever its templates are deployed."""

_EMBEDDED = re.compile(r"\$\{(!?)([^}]+)\}")


@attrs.frozen(kw_only=True)
class Statement:
    """One statement of a policy in words.

    Attributes:
        principals: of a resource's policy; empty in a role's.
        actions: as written; those of a `NotAction` carry `not ` before them, and so for resources and principals.
        conditions: one line for each operator and key.
    """

    effect: str
    principals: list[str]
    actions: list[str]
    resources: list[str]
    conditions: list[str]
    sid: str = ""

    @property
    def wildcards(self) -> list[str]:
        """What stands for more than one thing without naming it: a bare `*`, or a `*` in an action."""
        return [action for action in self.actions if "*" in action] + [resource for resource in self.resources if resource == "*"]


class Words:
    """Reads values of one environment's templates.

    A name in braces is a resource of the templates, by its place in the construct tree.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._exports = {
            str(output["Export"]["Name"]): (stack, output["Value"])
            for stack, template in assembly.templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }
        self._pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": assembly.settings.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "<stack>",
            "AWS::StackId": "<stack>",
            "AWS::NoValue": "",
        }

    def place(self, stack: str, logical_id: str) -> str:
        """The resource's place in the construct tree, a function's without the last word; its logical id if CDK gave it none."""
        return self._assembly.paths.get((stack, logical_id), logical_id).removesuffix("/Function")

    def text(self, stack: str, value: Any) -> str:
        """A value of a template of `stack` in words."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (str, int, float)):
            return self._account_hidden(str(value))
        if isinstance(value, list):
            return ", ".join(self.text(stack, item) for item in value)
        if isinstance(value, Mapping) and len(value) == 1:
            ((function, argument),) = value.items()
            return self._intrinsic(stack, function, argument)
        return json.dumps(value, sort_keys=True)

    def _intrinsic(self, stack: str, function: str, argument: Any) -> str:
        read = {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
            "Fn::ImportValue": self._import,
            "Fn::Join": self._joined,
            "Fn::Sub": self._filled_in,
            "Fn::Select": self._selected,
        }.get(function)
        return read(stack, argument) if read else json.dumps({function: argument}, sort_keys=True)

    def _reference(self, stack: str, name: str) -> str:
        return self._pseudo.get(name, f"{{{self.place(stack, name)}}}")

    def _attribute(self, stack: str, argument: Any) -> str:
        logical_id, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        place = self.place(stack, logical_id)
        return f"{{{place}}}" if attribute in _SAME_THING else f"{{{place}.{attribute}}}"

    def _import(self, stack: str, name: Any) -> str:
        exported = self._exports.get(self.text(stack, name))
        return self.text(*exported) if exported else f"{{{name}}}"

    def _joined(self, stack: str, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(self.text(stack, part) for part in parts)

    def _filled_in(self, stack: str, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def fill(found: re.Match[str]) -> str:
            if found[1]:
                return f"${{{found[2]}}}"
            if found[2] in variables:
                return self.text(stack, variables[found[2]])
            return self._attribute(stack, found[2]) if "." in found[2] else self._reference(stack, found[2])

        return _EMBEDDED.sub(fill, text)

    def _selected(self, stack: str, argument: Any) -> str:
        index, items = argument
        if isinstance(items, Mapping) and "Fn::GetAZs" in items:
            return f"zone {int(index) + 1}"
        return self.text(stack, items[int(index)] if isinstance(items, list) else items)

    def _account_hidden(self, text: str) -> str:
        account = self._assembly.settings.account
        return text.replace(account, ACCOUNT) if account else text

    def statements(self, stack: str, document: Mapping[str, Any]) -> list[Statement]:
        """Every statement of a policy document in words, in its order."""
        return [self._statement(stack, statement) for statement in listed(document.get("Statement", []))]

    def _statement(self, stack: str, statement: Mapping[str, Any]) -> Statement:
        return Statement(
            effect=str(statement["Effect"]),
            principals=sorted(self._principals(stack, statement)),
            actions=[*_many(statement, "Action", str)],
            resources=[*_many(statement, "Resource", lambda value: self.text(stack, value))],
            conditions=[*self._conditions(stack, statement.get("Condition", {}))],
            sid=str(statement.get("Sid", "")),
        )

    def _principals(self, stack: str, statement: Mapping[str, Any]) -> Iterator[str]:
        for key, word in (("Principal", ""), ("NotPrincipal", "not ")):
            principal = statement.get(key, {})
            if isinstance(principal, str):
                yield f"{word}anyone" if principal == "*" else f"{word}{principal}"
                continue
            for kind, values in principal.items():
                for value in listed(values):
                    text = self.text(stack, value)
                    yield f"{word}{_principal(kind, text)}"

    def _conditions(self, stack: str, conditions: Mapping[str, Any]) -> Iterator[str]:
        for operator, keys in sorted(conditions.items()):
            for key, values in sorted(keys.items()):
                wanted = " or ".join(self.text(stack, value) for value in listed(values))
                yield _OPERATORS.get(operator, "{key} " + operator + " {wanted}").format(key=key, wanted=wanted)


_SAME_THING = {"Arn", "GroupId", "QueueName", "TopicName", "Name", "KeyId"}
"""Attributes that name the resource itself."""

_OPERATORS = {
    "StringEquals": "{key} is {wanted}",
    "StringEqualsIfExists": "{key}, if given, is {wanted}",
    "StringNotEquals": "{key} is not {wanted}",
    "StringNotEqualsIfExists": "{key}, if given, is not {wanted}",
    "StringLike": "{key} is like {wanted}",
    "StringLikeIfExists": "{key}, if given, is like {wanted}",
    "StringNotLike": "{key} is not like {wanted}",
    "StringNotLikeIfExists": "{key}, if given, is not like {wanted}",
    "ArnEquals": "{key} is {wanted}",
    "ArnEqualsIfExists": "{key}, if given, is {wanted}",
    "ArnNotEquals": "{key} is not {wanted}",
    "ArnNotEqualsIfExists": "{key}, if given, is not {wanted}",
    "ArnLike": "{key} is like {wanted}",
    "ArnLikeIfExists": "{key}, if given, is like {wanted}",
    "ArnNotLike": "{key} is not like {wanted}",
    "ArnNotLikeIfExists": "{key}, if given, is not like {wanted}",
    "Bool": "{key} is {wanted}",
    "BoolIfExists": "{key}, if given, is {wanted}",
    "Null": "absence of {key} is {wanted}",
    "NumericLessThan": "{key} is below {wanted}",
    "NumericLessThanIfExists": "{key}, if given, is below {wanted}",
    "NumericGreaterThan": "{key} is above {wanted}",
    "ForAllValues:StringEquals": "every {key} is {wanted}",
    "ForAllValues:StringLike": "every {key} is like {wanted}",
    "ForAnyValue:StringEquals": "some {key} is {wanted}",
    "ForAnyValue:StringLike": "some {key} is like {wanted}",
}


def listed(value: Any) -> list[Any]:
    """One or many, as many."""
    return value if isinstance(value, list) else [value]


def _many(statement: Mapping[str, Any], key: str, word: Any) -> Iterator[str]:
    yield from (word(value) for value in listed(statement.get(key, [])))
    yield from (f"not {word(value)}" for value in listed(statement.get(f"Not{key}", [])))


def _principal(kind: str, text: str) -> str:
    if text == "*":
        return "anyone"
    if kind == "AWS" and text == f"arn:aws:iam::{ACCOUNT}:root":
        return "this account's own policies"
    return text
