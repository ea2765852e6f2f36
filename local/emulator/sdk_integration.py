"""`aws-sdk:` and optimised Step Functions integrations through botocore.

Step Functions names services and errors as the AWS SDK for Java 2 does and writes every parameter in PascalCase.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import botocore.model

from local.emulator.clients import Credentials, client

_BOTOCORE_NAMES = {
    "bedrockruntime": "bedrock-runtime",
    "bedrockagent": "bedrock-agent",
    "bedrockagentruntime": "bedrock-agent-runtime",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
    "sfn": "stepfunctions",
}
_ERROR_PREFIXES = {
    "bedrock": "Bedrock",
    "bedrockruntime": "BedrockRuntime",
    "bedrockagent": "BedrockAgent",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "dynamodb": "DynamoDb",
    "eventbridge": "EventBridge",
    "events": "EventBridge",
    "sns": "SNS",
}
"""Where the Java client's name is not simply the service's with a capital. `sns` and `events` are optimised integrations."""


class Failed(Exception):
    """An integration's call failed, as Step Functions reports it.

    Attributes:
        error: the error name a Retry or Catch matches, such as `Bedrock.ThrottlingException`.
        cause: the message.
    """

    def __init__(self, error: str, cause: str) -> None:
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}")


def describe(
    problem: botocore.exceptions.ClientError, prefix: str, unmodelled: str, modelled: dict[str, str] | None = None
) -> tuple[str, str]:
    """Error name and cause of a service's error.

    An error of the operation's model is named after its shape; every other, such as a plain AccessDenied, has the
    service's common name `unmodelled`, as in the Java SDK.
    """
    code, message = problem.response["Error"].get("Code", ""), problem.response["Error"].get("Message", "")
    status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    name = (modelled or {}).get(code.rsplit("#", 1)[-1], unmodelled)
    if not name.endswith("Exception"):
        name = f"{name}Exception"
    return f"{prefix}.{name}", f"{message} (Service: {prefix}, Status Code: {status}, Error Code: {code})"


def errors_of(operation: Any) -> dict[str, str]:
    """Error code on the wire to shape name, for one operation of a botocore model."""
    named: dict[str, str] = {}
    for shape in operation.error_shapes:
        named[shape.name] = shape.name
        named[shape.metadata.get("error", {}).get("code", shape.name)] = shape.name
    return named


def call(service: str, action: str, arguments: dict[str, Any], *, credentials: Credentials, region: str, optimised: bool) -> Any:
    """Make the call and return its result in PascalCase.

    Raises:
        Failed: with the error name Step Functions would report.
    """
    prefix = _ERROR_PREFIXES.get(service, service.capitalize())
    if optimised and service == "bedrock" and action == "invokeModel":
        service = "bedrockruntime"
    try:
        service_client = client(_BOTOCORE_NAMES.get(service, service), region=region, credentials=credentials)
        operation = service_client.meta.service_model.operation_model(action[:1].upper() + action[1:])
    except (botocore.exceptions.UnknownServiceError, botocore.model.OperationNotFoundError) as problem:
        raise Failed("States.Runtime", f"{service}:{action} is not an API action the AWS SDK knows: {problem}") from problem
    try:
        answer = service_client._make_api_call(operation.name, _to_request(operation.input_shape, arguments))
    except botocore.exceptions.ClientError as problem:
        raise Failed(*describe(problem, prefix, f"{prefix}Exception", errors_of(operation))) from problem
    except botocore.exceptions.ParamValidationError as problem:
        raise Failed("States.Runtime", str(problem)) from problem
    except botocore.exceptions.BotoCoreError as problem:
        raise Failed(f"{prefix}.SdkClientException", str(problem)) from problem
    answer.pop("ResponseMetadata", None)
    result = _to_result(operation.output_shape, answer)
    _refuse_partial_failure(service, operation.name, result)
    return _parsed_body(result) if optimised and operation.name == "InvokeModel" else result


def _refuse_partial_failure(service: str, operation: str, result: Any) -> None:
    """PutEvents answers 200 with failed entries; the optimised integration fails the task then (`EventBridge.FailedEntry`)."""
    if service == "events" and operation == "PutEvents" and result.get("FailedEntryCount"):
        raise Failed("EventBridge.FailedEntry", json.dumps(result))


def _parsed_body(result: dict[str, Any]) -> dict[str, Any]:
    body = result.get("Body")
    return {**result, "Body": json.loads(body)} if isinstance(body, str) and body else result


def _to_request(shape: Any, value: Any) -> Any:
    if shape is None or value is None:
        return {} if value is None else value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        members = {name.lower(): name for name in shape.members}
        unknown = [key for key in value if key.lower() not in members]
        if unknown:
            raise Failed("States.Runtime", f"the field {unknown[0]!r} is not supported; known fields: {', '.join(sorted(shape.members))}")
        return {members[key.lower()]: _to_request(shape.members[members[key.lower()]], item) for key, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_to_request(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _to_request(shape.value, item) for key, item in value.items()}
    if kind in ("string", "blob") and isinstance(value, dict | list):
        # Detail of an event, body of an object: Step Functions turns JSON into the text the API wants.
        return json.dumps(value)
    return value


def _to_result(shape: Any, value: Any) -> Any:
    if shape is None:
        return {}
    if value is None or getattr(shape, "is_document_type", False):
        return value
    convert = _RESULTS.get(shape.type_name)
    return convert(shape, value) if convert else value


_RESULTS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": lambda shape, value: {
        name[:1].upper() + name[1:]: _to_result(shape.members[name], item) for name, item in value.items() if name in shape.members
    },
    "list": lambda shape, value: [_to_result(shape.member, item) for item in value],
    "map": lambda shape, value: {key: _to_result(shape.value, item) for key, item in value.items()},
    "timestamp": lambda _shape, value: value.isoformat().replace("+00:00", "Z"),
    "blob": lambda _shape, value: (value if isinstance(value, bytes) else value.read()).decode(),
}
