"""From an HTTP request to an operation of the service model with checked parameters, and back to an answer."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

from local.bedrock import shapes
from local.bedrock.errors import ServiceError, invalid

Answer = tuple[int, dict[str, str], bytes]
Query = Mapping[str, str | list[str]]

STAND_IN_HEADER = "x-rft-stand-in"
"""On every answer, so that nobody takes one for Amazon Bedrock's."""


class Request(NamedTuple):
    """An HTTP request; `path` may be percent-encoded or decoded already."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Query


class Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    operation: str


class Wire:
    """One service's routes, checks and answers, all taken from botocore's model of it."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.model = _model(service)
        self.routes = _routes(service)

    def route(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The operation a request is for and its path labels, or None when the service has no such route."""
        for route in self.routes:
            match = route.pattern.fullmatch(path) if route.method == method.upper() else None
            if match:
                return route.operation, {label: unquote(text) for label, text in zip(route.labels, match.groups(), strict=True)}
        return None

    def params(self, operation: str, labels: Mapping[str, str], request: Request) -> dict[str, Any]:
        """The request's parameters, checked against the operation's input shape.

        Raises:
            ServiceError: ValidationException naming each member and rule, or SerializationException for a body that is
                not a JSON object.
        """
        model: OperationModel = self.model.operation_model(operation)
        shape = model.input_shape
        if shape is None:
            return {}
        lower = {name.lower(): value for name, value in request.headers.items()}
        params: dict[str, Any] = {}
        payload = shape.serialization.get("payload")
        document = {} if payload else _json_object(request.body)
        for name, member in shape.members.items():
            value = _located(member, name, labels=labels, headers=lower, query=request.query, document=document)
            if name == payload:
                value = request.body or None if member.type_name == "blob" else _json_object(request.body) or None
            if value is not None:
                params[name] = value
        found = shapes.problems(shape, params)
        if found:
            raise invalid(shapes.message(found))
        return params

    def answer(self, operation: str, result: dict[str, Any]) -> Answer:
        status = int(self.model.operation_model(operation).http.get("responseCode", 200))
        return status, _headers(), json.dumps(result).encode()

    def error(self, error: ServiceError) -> Answer:
        try:
            status = int(self.model.shape_for(error.code).metadata["error"]["httpStatusCode"])
        except Exception:  # not an error of this model: SerializationException and the like are the protocol's
            status = 400
        return status, {**_headers(), "x-amzn-errortype": error.code}, json.dumps({"message": error.message}).encode()


def _headers() -> dict[str, str]:
    return {"content-type": "application/json", "x-amzn-requestid": str(uuid.uuid4()), STAND_IN_HEADER: "true"}


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@cache
def _routes(service: str) -> tuple[Route, ...]:
    model, routes = _model(service), []
    for name in model.operation_names:
        http = model.operation_model(name).http
        uri = http["requestUri"].split("?")[0].rstrip("/") or "/"
        labels = tuple(label.rstrip("+") for label in re.findall(r"\{([^}]+)\}", uri))
        # A label takes slashes as well: an ARN holds one, and a front end may have decoded the path already.
        pattern = "".join("(.+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", uri))
        routes.append(Route(http["method"], re.compile(pattern + "/?"), labels, name))
    return tuple(sorted(routes, key=lambda route: -len(route.pattern.pattern.replace("(.+)", ""))))


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ServiceError("SerializationException", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise ServiceError("SerializationException", "the body must be a JSON object")
    return value


def _located(
    member: Shape, name: str, *, labels: Mapping[str, str], headers: Mapping[str, str], query: Query, document: Mapping[str, Any]
) -> Any:
    place, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
    if place == "uri":
        return labels.get(wire_name)
    if place == "querystring":
        return _from_text(member, query.get(wire_name), name)
    if place == "header":
        return _from_text(member, headers.get(wire_name.lower()), name)
    return document.get(wire_name)


def _from_text(member: Shape, given: str | list[str] | None, name: str) -> Any:
    if given is None or given == []:
        return None
    if member.type_name == "list":
        return given if isinstance(given, list) else [given]
    text = given[0] if isinstance(given, list) else given
    if member.type_name in ("integer", "long"):
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise invalid(shapes.message([f"Value at '{name}' failed to satisfy constraint: Member must be an integer"]))
        return int(text)
    if member.type_name == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text
