"""IAM actions and resources of Bedrock requests, by the Service Authorization Reference, so that callers are checked.

ministack does not know custom models' resources, checks Converse as an action of its own and drops resource ARNs in paths.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
from pathlib import Path
from typing import Any

import botocore
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region

from local.emulator import identity

_RUNTIME_ACTIONS = {
    "Converse": "InvokeModel",
    "ConverseStream": "InvokeModelWithResponseStream",
    "InvokeModel": "InvokeModel",
    "InvokeModelWithResponseStream": "InvokeModelWithResponseStream",
    "CountTokens": "CountTokens",
}
"""Operation of the data plane to the IAM action that authorises it; Converse is no action of its own."""

_SERVICES = ("bedrock", "bedrock-runtime")


def install() -> None:
    """Answer for Bedrock, and leave every other service to ministack."""
    upstream_action = iam_actions.extract_iam_action
    upstream_resource = iam_actions.extract_resource_arn
    upstream_tags = iam_actions.request_tag_context

    def extract_action(service: str, method: str, path: str, *rest: Any) -> Any:
        if service not in _SERVICES:
            return upstream_action(service, method, path, *rest)
        found = operation(service, method, path)
        return f"bedrock:{_RUNTIME_ACTIONS.get(found[0], found[0])}" if found else None

    def extract_resource(service: str, method: str, path: str, *rest: Any) -> Any:
        if service not in _SERVICES:
            return upstream_resource(service, method, path, *rest)
        return resources(service, method, path, rest[1])[0]

    def tag_context(service: str, action: str, body: bytes, parameters: Any) -> Any:
        if service not in _SERVICES:
            return upstream_tags(service, action, body, parameters)
        tags = _tags(_json(body))
        return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, **({"aws:TagKeys": list(tags)} if tags else {})}

    iam_actions.extract_iam_action = extract_action
    iam_actions.extract_resource_arn = extract_resource
    iam_actions.request_tag_context = tag_context


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str, int]]:
    """Method, path pattern, operation and how specific it is, from botocore's model. A parameter may hold slashes: ARNs do."""
    directory = Path(botocore.__file__).parent / "data" / service
    version = max(each.name for each in directory.iterdir())
    model = json.loads(gzip.decompress((directory / version / "service-2.json.gz").read_bytes()))
    routes = []
    for name, each in model["operations"].items():
        uri = each["http"]["requestUri"].split("?")[0].rstrip("/")
        pattern = "".join("(.+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", uri))
        routes.append((each["http"]["method"], re.compile(pattern), name, len(re.sub(r"\{[^}]+\}", "", uri))))
    return sorted(routes, key=lambda route: -route[3])


def operation(service: str, method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
    """The operation a request performs and the parameters in its path, or None for a path no operation has."""
    for wanted, pattern, name, _weight in _routes(service):
        found = pattern.fullmatch(path.rstrip("/"))
        if wanted == method and found:
            return name, found.groups()
    return None


def resources(service: str, method: str, path: str, body: bytes) -> list[str]:
    """The ARNs the request must be allowed on, the first being the one an error names."""
    found = operation(service, method, path)
    if not found:
        return ["*"]
    name, parameters = found
    content = _json(body)
    if name == "CreateModelCustomizationJob":
        return [_model_arn(str(content.get("baseModelIdentifier", ""))), _own("custom-model", str(content.get("customModelName", "")))]
    if name == "CreateCustomModelDeployment":
        return [_arn_or("custom-model", str(content.get("modelArn", "")))]
    if name in ("TagResource", "UntagResource", "ListTagsForResource"):
        return [str(content.get("resourceARN", "*"))]
    return [_named(service, name, parameters[0]) if parameters else "*"]


def _named(service: str, operation_name: str, identifier: str) -> str:
    """The ARN of what a path parameter identifies."""
    kind = next((kind for text, kind in _KINDS if text in operation_name), "") if service == "bedrock" else ""
    return _arn_or(kind, identifier) if kind else _model_arn(identifier)


_KINDS = (
    ("CustomModelDeployment", "custom-model-deployment"),
    ("ModelCustomizationJob", "model-customization-job"),
    ("CustomModel", "custom-model"),
    ("Guardrail", "guardrail"),
    ("InferenceProfile", "inference-profile"),
    ("ProvisionedModelThroughput", "provisioned-model"),
)
"""Word in an operation's name to the resource type of its path parameter; the longer names first."""


def missing_permission(method: str, path: str, body: bytes) -> tuple[str, str] | None:
    """The action and resource the current request's caller lacks beyond the first resource, which the gateway checks.

    Creating a job is checked on the base model and on the new custom model, and its tags need bedrock:TagResource.
    """
    found = operation("bedrock", method, path)
    if not found:
        return None
    tags = _tags(_json(body))
    context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    wanted = [(f"bedrock:{found[0]}", resource) for resource in resources("bedrock", method, path, body)[1:]]
    if tags and found[0] == "CreateModelCustomizationJob":
        wanted.append(("bedrock:TagResource", _own("model-customization-job", "new")))
    caller = iam_evaluator.caller_arn()
    for action, resource in wanted:
        if not identity.may(principal_arn=caller, action=action, resource=resource, region=get_region(), context=context):
            return action, resource
    return None


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _tags(content: dict[str, Any]) -> dict[str, str]:
    lists = [content.get(name) for name in ("jobTags", "customModelTags", "tags")]
    return {str(tag.get("key")): str(tag.get("value")) for tags in lists if isinstance(tags, list) for tag in tags if isinstance(tag, dict)}


def _own(kind: str, name: str) -> str:
    return f"arn:aws:bedrock:{get_region()}:{get_account_id()}:{kind}/{name}"


def _arn_or(kind: str, identifier: str) -> str:
    return identifier if identifier.startswith("arn:") else _own(kind, identifier)


def _model_arn(identifier: str) -> str:
    """The ARN of a model by its id: a Region prefix such as `us.` names an inference profile."""
    if identifier.startswith("arn:"):
        return identifier
    if re.match(r"(?:[a-z]{2,4}|global)\.[a-z0-9-]+\.", identifier):
        return _own("inference-profile", identifier)
    return f"arn:aws:bedrock:{get_region()}::foundation-model/{identifier}"
