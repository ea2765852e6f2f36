"""Metrics as dashboards and alarms name them: the project's by their definition, the services' by the resource they belong to."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from contracts.metrics import DIMENSION_ENVIRONMENT, NAMESPACE, Metric

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)


def environment_metric(environment: str, metric: Metric, statistic: str, period: Duration = FIVE_MINUTES) -> cloudwatch.Metric:
    """One of the project's metrics over all runs of an environment."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric.metric_name,
        dimensions_map={DIMENSION_ENVIRONMENT: environment},
        statistic=statistic,
        period=period,
    )


def aws_metric(
    namespace: str, name: str, dimensions: Mapping[str, str], *, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """A metric a service emits for one resource."""
    return cloudwatch.Metric(namespace=namespace, metric_name=name, dimensions_map=dict(dimensions), statistic=statistic, period=period)


def waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    """How many messages wait in a queue."""
    return aws_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.queue_name}, statistic="Maximum")
