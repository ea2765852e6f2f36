"""CloudFormation's intrinsic functions as text, so that ARNs can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def render(value: Any, *, reference: Callable[[str], str], imported: Callable[[Any], str]) -> str:
    """`value` with its intrinsics written out.

    Args:
        value: a string, or an object of `Ref`, `Fn::GetAtt`, `Fn::Join` or `Fn::ImportValue`; others become their JSON.
        reference: text of `LogicalId` or `LogicalId.Attribute`.
        imported: text of the argument of `Fn::ImportValue`.
    """
    match value:
        case None:
            text = ""
        case str() | int() | float():
            text = str(value)
        case {"Fn::Join": [separator, parts]}:
            text = str(separator).join(render(part, reference=reference, imported=imported) for part in parts)
        case {"Ref": name}:
            text = reference(name)
        case {"Fn::GetAtt": [resource, attribute]}:
            text = reference(f"{resource}.{attribute}")
        case {"Fn::ImportValue": name}:
            text = imported(name)
        case _:
            text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return text


def nag_text(value: Any) -> str:
    """As cdk-nag writes a reference into the id of a finding: `<LogicalId.Arn>`, and the plain export name of an import."""
    text = render(value, reference=lambda name: f"<{name}>", imported=nag_text)
    return text.replace("${", "<").replace("}", ">")
