"""Puts the widgets into CloudWatch dashboards: each graph with its meaning below it and the alarms' thresholds in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct
from contracts import names
from contracts.guard_settings import OFF, GuardRailSettings
from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

from stacks.constructs.metric import MINUTE
from stacks.dashboards import environment, run
from stacks.dashboards.widgets import Line, Part, Section, Widget
from stacks.judge_settings import uses_judge
from stacks.settings import EnvironmentSettings

_ACROSS, _WIDTH, _HEIGHT, _CAPTION = 24, 8, 6, 2
NO_RUN = "none"
"""Stands where the dashboard's variable puts a run id."""

_ALARM_COLOUR = cloudwatch.Color.RED
_BELOW = "LessThanThreshold"


class Dashboards(Construct):
    """The dashboard of one environment, and the one of any of its runs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        reward: lambda_.IFunction,
        state_machine: sfn.IStateMachine,
        undelivered_events: sqs.IQueue,
        failed_events: sqs.IQueue,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self._thresholds = {**_thresholds(alarms), **_rails(settings.guard_rails)}
        self._values = {
            Part.ENVIRONMENT: settings.name,
            Part.RUN: NO_RUN,
            Part.REWARD_FUNCTION: reward.function_name,
            Part.STATE_MACHINE: state_machine.state_machine_arn,
            Part.UNDELIVERED_EVENTS: undelivered_events.queue_name,
            Part.FAILED_EVENTS: failed_events.queue_name,
        }
        judged = uses_judge(settings.reward.grader, settings.reward.options)
        status = cloudwatch.AlarmStatusWidget(title="Alarms", width=_ACROSS, height=4, alarms=list(alarms))
        cloudwatch.Dashboard(
            self,
            "Environment",
            dashboard_name=names.dashboard(settings.name),
            default_interval=Duration.days(7),
            widgets=[[status], *self._rows(environment.sections(judged=judged))],
        )
        cloudwatch.Dashboard(
            self,
            "Run",
            dashboard_name=names.run_dashboard(settings.name),
            default_interval=Duration.days(1),
            variables=[_chosen_run()],
            widgets=self._rows(run.sections(judged=judged)),
        )

    def _rows(self, sections: Iterable[Section]) -> list[list[cloudwatch.IWidget]]:
        rows: list[list[cloudwatch.IWidget]] = []
        across = _ACROSS // _WIDTH
        for section in sections:
            rows.append([cloudwatch.TextWidget(markdown=f"## {section.title}", width=_ACROSS, height=1)])
            for first in range(0, len(section.widgets), across):
                beside = section.widgets[first : first + across]
                rows.append([self._graph(widget) for widget in beside])
                rows.append([_caption(widget) for widget in beside])
        return rows

    def _graph(self, widget: Widget) -> cloudwatch.GraphWidget:
        thresholds = {threshold: None for line in widget.lines for threshold in self._thresholds.get(_watched(line), ())}
        return cloudwatch.GraphWidget(
            title=widget.title,
            width=_WIDTH,
            height=_HEIGHT,
            stacked=widget.stacked,
            left=[self._metric(line) for line in widget.lines],
            left_y_axis=cloudwatch.YAxisProps(label=widget.unit, show_units=False, min=None if widget.negative else 0, max=widget.highest),
            left_annotations=[
                cloudwatch.HorizontalAnnotation(value=value, label=label, color=_ALARM_COLOUR) for value, label in thresholds
            ],
        )

    def _metric(self, line: Line) -> cloudwatch.IMetric:
        if None in line.dimensions.values():
            (dimension,) = (name for name, part in line.dimensions.items() if part is None)
            known = {name: self._values[part] for name, part in line.dimensions.items() if part is not None}
            terms = [f'{name}="{value}"' for name, value in {"MetricName": line.name, **known}.items()]
            schema = ",".join([line.namespace, *line.dimensions])
            return cloudwatch.SearchExpression(
                expression=f"SEARCH('{{{schema}}} {' '.join([*terms, *filter(None, [line.word])])}', '{line.statistic}')",
                label=f"{line.label} ${{PROP('Dim.{dimension}')}}",
                period=MINUTE,
            )
        return cloudwatch.Metric(
            namespace=line.namespace,
            metric_name=line.name,
            dimensions_map={name: self._values[part] for name, part in line.dimensions.items() if part is not None},
            statistic=line.statistic,
            period=MINUTE,
            label=line.label,
        )


def _caption(widget: Widget) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(
        markdown=widget.meaning, width=_WIDTH, height=_CAPTION, background=cloudwatch.TextWidgetBackground.TRANSPARENT
    )


def _chosen_run() -> cloudwatch.DashboardVariable:
    """Puts the chosen run id in place of `NO_RUN` wherever a metric has the run's dimension."""
    return cloudwatch.DashboardVariable(
        id="run",
        type=cloudwatch.VariableType.PROPERTY,
        input_type=cloudwatch.VariableInputType.SELECT,
        value=DIMENSION_RUN,
        label="Run",
        values=cloudwatch.Values.from_search_components(
            namespace=NAMESPACE,
            dimensions=[DIMENSION_ENVIRONMENT, DIMENSION_RUN],
            metric_name=Metric.REWARD.metric_name,
            populate_from=DIMENSION_RUN,
        ),
        default_value=cloudwatch.DefaultValue.FIRST,
        visible=True,
    )


Watched = tuple[str, str, str]
"""Namespace, name and statistic."""


def _watched(line: Line) -> Watched:
    return line.namespace, line.name, line.statistic


def _rails(rails: GuardRailSettings) -> Mapping[Watched, list[tuple[float, str]]]:
    """Where guard rails are reached that have a fixed limit; their alarms watch the rail and not what it looks at."""
    limits = {"floor": (Metric.REWARD, rails.reward_floor), "no_signal": (Metric.GROUP_SPREAD, rails.spread_floor)}
    return {
        (NAMESPACE, metric.metric_name, "Average"): [(limit, f"guard rail below {limit:g}")]
        for rail, (metric, limit) in limits.items()
        if getattr(rails, rail) != OFF
    }


def _thresholds(alarms: Iterable[cloudwatch.IAlarm]) -> Mapping[Watched, list[tuple[float, str]]]:
    """Where alarms go off, by what they watch. Those on zero are left out: they are the axis."""
    found: dict[Watched, list[tuple[float, str]]] = {}
    for alarm in alarms:
        rule = alarm.node.default_child
        if isinstance(rule, cloudwatch.CfnAlarm) and rule.metric_name and rule.threshold:
            statistic = rule.statistic or rule.extended_statistic or ""
            side = "below" if rule.comparison_operator == _BELOW else "above"
            place = found.setdefault((str(rule.namespace), rule.metric_name, statistic), [])
            place.append((rule.threshold, f"alarm {side} {rule.threshold:,g}"))
    return found
