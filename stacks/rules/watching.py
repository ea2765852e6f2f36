"""Rules on what is seen: encrypted logs that end, and alarms on metrics that somebody emits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.metrics import DIMENSION_ENVIRONMENT, NAMESPACE, Metric

from stacks.constructs.alarm_notes import METADATA
from stacks.rules.rule import Fault, Rule
from stacks.rules.templates import Resource, Templates, listed

_EMITTED = {metric.metric_name: [set(dimensions) for dimensions in metric.dimension_sets] for metric in Metric}


def _log_group(templates: Templates) -> Iterator[Fault]:
    for group in templates.of("AWS::Logs::LogGroup"):
        if not group.properties.get("KmsKeyId"):
            yield Fault(resource=group, what="no key", property_path="Properties/KmsKeyId")
        if not group.properties.get("RetentionInDays"):
            yield Fault(resource=group, what="no retention", property_path="Properties/RetentionInDays")


def _own_log_group(templates: Templates) -> Iterator[Fault]:
    for function in templates.of("AWS::Lambda::Function"):
        name = templates.text(function.properties.get("LoggingConfig", {}).get("LogGroup"), function)
        if not templates.find("AWS::Logs::LogGroup", referenced_by=name):
            yield Fault(resource=function, what="the function logs to a group of Lambda's own", property_path="Properties/LoggingConfig")
    for machine in templates.of("AWS::StepFunctions::StateMachine"):
        logging = machine.properties.get("LoggingConfiguration", {})
        if logging.get("IncludeExecutionData") is not False:
            yield Fault(resource=machine, what="the state machine logs its data", property_path="Properties/LoggingConfiguration")
        if not logging.get("Destinations"):
            yield Fault(resource=machine, what="the state machine logs nothing", property_path="Properties/LoggingConfiguration")


def _alarm_metric(templates: Templates) -> Iterator[Fault]:
    filtered = {
        (str(made["MetricNamespace"]), str(made["MetricName"]))
        for found in templates.of("AWS::Logs::MetricFilter")
        for made in listed(found.properties["MetricTransformations"])
    }
    for alarm in templates.of("AWS::CloudWatch::Alarm"):
        for metric in _metrics(alarm.properties):
            what = _silent(templates, alarm, metric, filtered)
            if what:
                yield Fault(resource=alarm, what=what)


def _metrics(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each metric an alarm looks at: its own, or those its expression is made of."""
    if "MetricName" in properties:
        yield properties
    for query in listed(properties.get("Metrics")):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def _silent(templates: Templates, alarm: Resource, metric: dict[str, Any], filtered: set[tuple[str, str]]) -> str | None:
    """Why nothing emits the metric, or None."""
    namespace, name = str(metric.get("Namespace")), str(metric.get("MetricName"))
    dimensions = {str(entry["Name"]): templates.text(entry["Value"], alarm) for entry in listed(metric.get("Dimensions"))}
    if (namespace, name) in filtered:
        return None
    if namespace == NAMESPACE:
        return _silent_here(templates.environment, name, dimensions)
    if not namespace.startswith("AWS/"):
        return f"nothing emits {namespace} {name}"
    if dimensions and not any(templates.referenced(value) for value in dimensions.values()):
        return f"{namespace} {name} is watched on {', '.join(dimensions.values())}, which these stacks do not have"
    return None


def _silent_here(environment: str, name: str, dimensions: dict[str, str]) -> str | None:
    if name not in _EMITTED:
        return f"nothing emits {NAMESPACE} {name}"
    if set(dimensions) not in _EMITTED[name]:
        return f"{NAMESPACE} {name} is not emitted with the dimensions {', '.join(sorted(dimensions)) or 'none'}"
    if dimensions[DIMENSION_ENVIRONMENT] != environment:
        return f"{NAMESPACE} {name} is watched for the environment {dimensions[DIMENSION_ENVIRONMENT]}"
    return None


def _alarm_actions(templates: Templates) -> Iterator[Fault]:
    for alarm in templates.of("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        if alarm.properties.get("ActionsEnabled") is False:
            yield Fault(resource=alarm, what="its actions are switched off", property_path="Properties/ActionsEnabled")
        if not alarm.properties.get("AlarmActions") and not alarm.body.get("Metadata", {}).get(METADATA, {}).get("Told"):
            yield Fault(resource=alarm, what="it tells nobody, and does not say who does", property_path="Properties/AlarmActions")


RULES = (
    Rule(
        name="LogGroup",
        checks="Every log group is encrypted with a customer managed key and has a retention.",
        why="Without them logs are kept for ever under a key nobody here can withdraw (CloudWatch Logs user guide, encrypt-log-data-kms).",
        remedy="Make it with `log_group` of stacks/constructs/log_group.py.",
        check=_log_group,
    ),
    Rule(
        name="OwnLogs",
        checks="Functions log to a log group of these stacks; the state machine logs every transition and none of the data.",
        why="A group that a service makes for itself is neither encrypted with our key nor ever emptied; execution data would carry what "
        "the pipeline promises not to log.",
        remedy="Give the function its log group, and the state machine logging without execution data.",
        check=_own_log_group,
    ),
    Rule(
        name="AlarmMetric",
        checks="Every metric an alarm watches is emitted: RFT's by the definitions in contracts/metrics.py, AWS's by a resource of these "
        "stacks, others by a metric filter.",
        why="An alarm on a metric that nobody emits is green for ever.",
        remedy="Take the name from contracts.metrics and the dimension from the resource itself.",
        check=_alarm_metric,
    ),
    Rule(
        name="AlarmActions",
        checks="No alarm has its actions switched off, and each tells a topic or says how people hear of it.",
        why="It would go off and tell nobody.",
        remedy="Make it with `build_alarm` of stacks/constructs/alarm.py, with `told` where the pipeline itself tells people.",
        check=_alarm_actions,
    ),
)
