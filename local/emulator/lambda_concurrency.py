"""Reserved concurrency as Lambda holds a function to it, and AWS/Lambda metrics as it counts them.

The limit is the function's, whichever version or alias is called (Lambda developer guide, configuration-concurrency); ministack knows
it of `$LATEST` alone and leaves it out of templates. It also tells of an asynchronous invocation when it is accepted and again when it
ran, and of a throttle at the limit and again from whoever invoked; here each counts once, and a throttled request is neither an
invocation nor an error (monitoring-metrics-types).
"""

from __future__ import annotations

from typing import Any

from ministack.services import cloudwatch, lambda_svc
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]


def install() -> None:
    """Replace limit and counting, and have CloudFormation set the limit."""
    upstream_acquire = lambda_svc._acquire_execution_slot
    upstream_reserved = lambda_svc._reserved_concurrency

    def reserved(function: dict[str, Any], config: dict[str, Any]) -> int | None:
        base, _config, _name = lambda_svc._get_base_func_record_for_ref(config["FunctionArn"])
        found: int | None = upstream_reserved(base or function, config)
        return found

    def acquire(function: dict[str, Any], config: dict[str, Any]) -> Any:
        slot, limit = upstream_acquire(function, config)
        if slot is None:
            _record(config["FunctionName"], "Throttles", 1)
        else:
            _record(config["FunctionName"], "ConcurrentExecutions", lambda_svc.executions_in_flight()[1].get(slot, 1))
        return slot, limit

    lambda_svc._reserved_concurrency = reserved
    lambda_svc._acquire_execution_slot = acquire
    lambda_svc._emit_lambda_metrics = count
    _amend_template_type()


def count(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
    """Count one execution; what took no time was only accepted, or refused."""
    if throttle or duration_ms <= 0:
        return
    for metric, value in (("Invocations", 1), ("Errors", int(error)), ("Throttles", 0)):
        _record(name, metric, value)
    _record(name, "Duration", duration_ms, "Milliseconds")


def _record(name: str, metric: str, value: float, unit: str = "Count") -> None:
    cloudwatch.record_metric("AWS/Lambda", metric, value, unit, {"FunctionName": name})


def _amend_template_type() -> None:
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handler["create"], handler["update"]

    def created(logical_id: str, properties: Properties, stack: str) -> Any:
        made = create(logical_id, properties, stack)
        _reserve(str(made[0]), properties)
        return made

    def updated(physical_id: str, old: Properties, new: Properties, *more: Any) -> Any:
        made = update(physical_id, old, new, *more)
        _reserve(str(made[0]), new)
        return made

    provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"] = {**handler, "create": created, "update": updated}


def _reserve(name: str, properties: Properties) -> None:
    wanted = properties.get("ReservedConcurrentExecutions")
    lambda_svc._functions[name]["concurrency"] = None if wanted is None else int(wanted)
