"""What an environment is made of: stacks, functions, what starts them, what watches them, what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from audit.assembly import Assembly
from audit.words import Words, listed
from stacks.constructs.alarm_notes import METADATA

Row = dict[str, Any]


def stacks(assembly: Assembly) -> list[Row]:
    """Each stack, what it is for and whether a person must unlock it before it can be deleted."""
    return [
        {
            "name": name,
            "description": template.get("Description", ""),
            "resources": len(template.get("Resources", {})),
            "termination_protection": assembly.protected[name],
        }
        for name, template in assembly.templates.items()
    ]


def resources(assembly: Assembly) -> list[Row]:
    """Every resource by stack, type and place."""
    words = Words(assembly)
    rows = [
        {"stack": stack, "type": resource["Type"], "place": words.place(stack, name)}
        for stack, name, resource in assembly.resources()
        # Metadata of CDK itself is no resource of ours, and its versions' ids carry hashes of their content.
        if resource["Type"] != "AWS::CDK::Metadata"
    ]
    return sorted(rows, key=lambda row: (row["stack"], row["type"], row["place"]))


def functions(assembly: Assembly) -> list[Row]:
    """Every Lambda function as configured."""
    words = Words(assembly)
    rows = []
    for stack, name, resource in assembly.resources("AWS::Lambda::Function"):
        properties = resource["Properties"]
        rows.append(
            {
                "stack": stack,
                "place": words.place(stack, name),
                "description": words.text(stack, properties.get("Description", "")),
                "handler": str(properties.get("Handler", "")),
                "runtime": str(properties.get("Runtime", "")),
                "architecture": ", ".join(properties.get("Architectures", ["x86_64"])),
                "memory_mb": properties.get("MemorySize", 128),
                "timeout_seconds": properties.get("Timeout", 3),
                "reserved_concurrency": properties.get("ReservedConcurrentExecutions"),
                "role": words.text(stack, properties["Role"]).strip("{}"),
                "groups": [words.text(stack, group).strip("{}") for group in properties.get("VpcConfig", {}).get("SecurityGroupIds", [])],
                "dead_letters": words.text(stack, properties.get("DeadLetterConfig", {}).get("TargetArn", "")).strip("{}"),
                "tracing": properties.get("TracingConfig", {}).get("Mode", "PassThrough"),
            }
        )
    return sorted(rows, key=lambda row: str(row["place"]))


def starters(assembly: Assembly) -> list[Row]:
    """Rules and schedules: what each waits for and what it starts."""
    words = Words(assembly)
    rows = []
    for stack, name, resource in assembly.resources("AWS::Events::Rule"):
        properties = resource["Properties"]
        bus = words.text(stack, properties["EventBusName"]).strip("{}") if "EventBusName" in properties else "default bus"
        pattern = properties.get("EventPattern", {})
        what = ", ".join(str(kind) for kind in pattern.get("detail-type", [])) or str(properties.get("ScheduleExpression", ""))
        rows.append(
            {
                "place": words.place(stack, name),
                "what": f"{what} ({bus})" if bus != "default bus" else what,
                "bus": bus,
                "pattern": _plain(words, stack, pattern),
                "starts": [words.text(stack, target["Arn"]).strip("{}") for target in properties.get("Targets", [])],
                "enabled": properties.get("State", "ENABLED") == "ENABLED",
            }
        )
    for stack, name, resource in assembly.resources("AWS::Scheduler::Schedule"):
        properties = resource["Properties"]
        rows.append(
            {
                "place": words.place(stack, name),
                "what": str(properties["ScheduleExpression"]),
                "bus": "schedule",
                "pattern": {},
                "starts": [words.text(stack, properties["Target"]["Arn"]).strip("{}")],
                "enabled": properties.get("State", "ENABLED") == "ENABLED",
            }
        )
    return sorted(rows, key=lambda row: str(row["place"]))


def _plain(words: Words, stack: str, value: Any) -> Any:
    """An event pattern with its intrinsics in words; its own nesting kept."""
    if isinstance(value, Mapping):
        intrinsic = len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
        return words.text(stack, value) if intrinsic else {key: _plain(words, stack, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(words, stack, item) for item in value]
    return words.text(stack, value) if isinstance(value, str) else value


def state_machines(assembly: Assembly) -> list[str]:
    words = Words(assembly)
    return sorted(words.place(stack, name) for stack, name, _ in assembly.resources("AWS::StepFunctions::StateMachine"))


def alarms(assembly: Assembly) -> list[Row]:
    """Every alarm: what it watches, what its silence means, its runbook, and who is told."""
    words = Words(assembly)
    rows = []
    for stack, name, resource in assembly.resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        properties, noted = resource["Properties"], resource.get("Metadata", {}).get(METADATA, {})
        rows.append(
            {
                "place": words.place(stack, name),
                "description": words.text(stack, properties.get("AlarmDescription", "")),
                "watches": ", ".join(sorted(set(_metrics(properties)))) or "other alarms",
                "without_data": noted.get("QuietBecause", ""),
                "runbook": noted.get("Runbook", ""),
                "tells": [words.text(stack, action).strip("{}") for action in listed(properties.get("AlarmActions", []))]
                or [f"nobody; {noted['Told']}" for _ in noted.keys() & {"Told"}],
            }
        )
    return sorted(rows, key=lambda row: str(row["place"]))


def _metrics(properties: Mapping[str, Any]) -> Iterator[str]:
    if "MetricName" in properties:
        yield f"{properties.get('Namespace')} {properties['MetricName']}"
    for query in properties.get("Metrics", []):
        metric = query.get("MetricStat", {}).get("Metric", {})
        if metric:
            yield f"{metric.get('Namespace')} {metric.get('MetricName')}"


def trails(assembly: Assembly) -> list[Row]:
    """Every CloudTrail trail: what it records, where it goes, and what keeps it from being altered."""
    words = Words(assembly)
    rows = []
    for stack, name, resource in assembly.resources("AWS::CloudTrail::Trail"):
        properties = resource["Properties"]
        rows.append(
            {
                "place": words.place(stack, name),
                "bucket": words.text(stack, properties["S3BucketName"]).strip("{}"),
                "key": words.text(stack, properties.get("KMSKeyId", "keys of S3 (SSE-S3)")),
                "log_file_validation": bool(properties.get("EnableLogFileValidation", False)),
                "multi_region": bool(properties.get("IsMultiRegionTrail", False)),
                "global_services": bool(properties.get("IncludeGlobalServiceEvents", False)),
                "events": [*_selectors(words, stack, properties)],
            }
        )
    return rows


def _selectors(words: Words, stack: str, properties: Mapping[str, Any]) -> Iterator[str]:
    for selector in properties.get("EventSelectors", []):
        if selector.get("IncludeManagementEvents", True):
            yield f"management events ({selector.get('ReadWriteType', 'All')})"
        for data in selector.get("DataResources", []):
            yield f"{data['Type']}: {words.text(stack, data.get('Values', []))}"
    for selector in properties.get("AdvancedEventSelectors", []):
        fields = [f"{field['Field']} {_comparison(words, stack, field)}" for field in selector.get("FieldSelectors", [])]
        yield f"{selector.get('Name', 'selector')}: {'; '.join(fields)}"


def _comparison(words: Words, stack: str, field: Mapping[str, Any]) -> str:
    return ", ".join(f"{operator} {words.text(stack, values)}" for operator, values in sorted(field.items()) if operator != "Field")


def settings(assembly: Assembly) -> Row:
    """The environment's settings as resolved, defaults included, keys as in its file; the account is left out."""
    flat: Row = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            for key, item in sorted(value.items()):
                walk(f"{prefix}.{key}" if prefix else str(key), item)
        else:
            flat[prefix] = value

    from contracts.validation import plain  # noqa: PLC0415 - only this function needs it

    walk("", json.loads(json.dumps(plain(assembly.settings), default=str)))
    flat.pop("account", None)
    return flat
