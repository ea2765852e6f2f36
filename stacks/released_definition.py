"""The state machine `rft-<environment>-released` in Amazon States Language with JSONata.

Each look asks which deployment the pointer names, whether it is active, and what AWS counted of it in the last whole five minutes, and
puts that under names an alarm can be on: a deployment is made by each release, long after the alarms, and an alarm can neither search for
one nor be on a query that names it (CloudWatch user guide, Create_Metrics_Insights_Alarm, Search Expression Syntax).
"""

from __future__ import annotations

from typing import Any

from contracts.metrics import DIMENSION_ENVIRONMENT, NAMESPACE, Metric
from pipeline.deploy_candidate import ACTIVE

from stacks.run_states import State, choice

LOOK_MINUTES = 5
LATE_SECONDS = 120
"""What AWS counted of a minute is there within about two; a window ends this long before its look."""

GONE = "Gone"
"""What this calls the status of a deployment that is not there any more."""

FIGURES = {
    "answered": ("Invocations", "Sum"),
    "failed": ("InvocationServerErrors", "Sum"),
    "throttled": ("InvocationThrottles", "Sum"),
    "latency": ("InvocationLatency", "p95"),
}
"""What a look reads: metric and statistic of `AWS/Bedrock` (Bedrock user guide, monitoring-runtime-metrics)."""

_WINDOW_MS = LOOK_MINUTES * 60_000
_TRIES = {"IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 3}


def released_definition(*, environment: str, pointer: str) -> dict[str, Any]:
    """The definition; its input is `{at}`, the time a look was due, so that each five minutes are looked at once, however late it comes.

    Args:
        pointer: the Parameter Store name of the released-model pointer.
    """
    states = {
        "ReadPointer": _call(
            "ssm:getParameter",
            {"Name": pointer},
            assign={"released": "{% $parse($states.result.Parameter.Value) %}", "until": _until()},
            following="Choose",
            otherwise={"Ssm.ParameterNotFoundException": ("NothingToSee", {})},
        ),
        # What the evaluation asked of the deployment before its release says nothing about serving.
        "Choose": choice(
            (f"$until - {_WINDOW_MS} >= $toMillis($released.released_at) and $exists($released.deployment_arn)", "FindDeployment", None),
            otherwise="NothingToSee",
        ),
        "NothingToSee": {"Type": "Succeed"},
        "FindDeployment": _call(
            "bedrock:getCustomModelDeployment",
            {"CustomModelDeploymentIdentifier": "{% $released.deployment_arn %}"},
            assign={"status": "{% $states.result.Status %}"},
            following="ReadFigures",
            otherwise={"Bedrock.ResourceNotFoundException": ("ReadFigures", {"status": GONE})},
        ),
        "ReadFigures": _call(
            "cloudwatch:getMetricData",
            {
                "StartTime": f"{{% $fromMillis($until - {_WINDOW_MS}) %}}",
                "EndTime": "{% $fromMillis($until) %}",
                "MetricDataQueries": [_query(name, metric, statistic) for name, (metric, statistic) in FIGURES.items()],
            },
            # A window is one period: one value, or none.
            assign={name: f"{{% $sum([$states.result.MetricDataResults[Id='{name}'].Values]) %}}" for name in FIGURES},
            following="PublishFigures",
        ),
        "PublishFigures": _call(
            "cloudwatch:putMetricData", {"Namespace": NAMESPACE, "MetricData": _figures(environment)}, assign={}, following=None
        ),
    }
    return {
        "Comment": "One look at the released model.",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadPointer",
        "TimeoutSeconds": 240,
        "States": states,
    }


def _until() -> str:
    return f"{{% $floor(($toMillis($states.input.at) - {LATE_SECONDS * 1000}) / {_WINDOW_MS}) * {_WINDOW_MS} %}}"


def _call(
    action: str,
    arguments: dict[str, Any],
    *,
    assign: dict[str, Any],
    following: str | None,
    otherwise: dict[str, tuple[str, dict[str, Any]]] | None = None,
) -> State:
    """A call of an AWS API; `otherwise` says, by error, which state follows and what is assigned: such an error is an answer."""
    answers = otherwise or {}
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        "TimeoutSeconds": 60,
        "Retry": [
            *({"ErrorEquals": [error], "MaxAttempts": 0} for error in answers),
            {"ErrorEquals": ["States.TaskFailed"], **_TRIES},
        ],
        **({"Assign": assign} if assign else {}),
        **(
            {"Catch": [{"ErrorEquals": [error], "Next": to, **({"Assign": more} if more else {})} for error, (to, more) in answers.items()]}
            if answers
            else {}
        ),
        **({"Next": following} if following else {"End": True}),
    }


def _query(name: str, metric: str, statistic: str) -> dict[str, Any]:
    dimensions = [{"Name": "ModelId", "Value": "{% $released.deployment_arn %}"}]
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "AWS/Bedrock", "MetricName": metric, "Dimensions": dimensions},
            "Period": LOOK_MINUTES * 60,
            "Stat": statistic,
        },
    }


def _figures(environment: str) -> str:
    """The data points as one JSONata expression: what was not measured is left out, not zero."""

    def point(metric: Metric, value: str) -> str:
        dimensions = f"[{{'Name': '{DIMENSION_ENVIRONMENT}', 'Value': '{environment}'}}]"
        return (
            f"{{'MetricName': '{metric.metric_name}', 'Unit': '{metric.value.unit}', 'Value': {value}, "
            f"'Timestamp': $states.context.Execution.Input.at, 'Dimensions': {dimensions}}}"
        )

    asked = "($answered + $failed + $throttled)"
    points = [
        point(Metric.RELEASED_DOWN, f"($status = '{ACTIVE}' ? 0 : 1)"),
        f"{asked} > 0 ? {point(Metric.RELEASED_REQUESTS, asked)}",
        f"{asked} > 0 ? {point(Metric.RELEASED_ERRORS, '($failed + $throttled)')}",
        f"$answered > 0 ? {point(Metric.RELEASED_LATENCY, '$latency')}",
    ]
    # A choice without its other half is nothing, and an array has no place for nothing.
    return f"{{% [{', '.join(points)}] %}}"
