"""Plays a state machine of calls and choices against answers a test gives; its JSONata is evaluated as the local cloud evaluates it.

Retries and waits are left out: what an error leads to in the end is what a test asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import stepfunctions

Calls = Mapping[str, Callable[[dict[str, Any]], Any]]
"""What answers each API action, such as `ssm:getParameter`, by its arguments; a `Failure` raised fails the call."""


class Failure(Exception):
    """A call fails with this error name."""


def play(definition: Mapping[str, Any], given: dict[str, Any], calls: Calls) -> list[str]:
    """The states entered, in order.

    Raises:
        Failure: a call fails with an error that no state catches.
    """
    context: dict[str, Any] = {"Execution": {"Input": given}, "variables": {}}
    entered: list[str] = []
    name: str | None = definition["StartAt"]
    while name:
        state = definition["States"][name]
        entered.append(name)
        if state["Type"] == "Choice":
            rules = [rule for rule in state["Choices"] if _value(rule["Condition"], given, context)]
            name = rules[0]["Next"] if rules else state["Default"]
            continue
        if state["Type"] == "Task":
            action = state["Resource"].removeprefix("arn:aws:states:::aws-sdk:")
            try:
                result = calls[action](_value(state["Arguments"], given, context))
            except Failure as failure:
                caught = next((each for each in state.get("Catch", []) if str(failure) in each["ErrorEquals"]), None)
                if caught is None:
                    raise
                context["variables"] |= _value(caught.get("Assign", {}), given, context)
                name = caught["Next"]
                continue
            context["variables"] |= _value(state.get("Assign", {}), given, context, result)
        name = state.get("Next")
    return entered


def _value(field: Any, given: dict[str, Any], context: dict[str, Any], result: Any = None) -> Any:
    return stepfunctions._apply_jsonata_template(field, given, context, result)
