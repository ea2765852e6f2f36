"""Alarms on the reward function: its faults, its limits, and its silence."""

from __future__ import annotations

import math

from aws_cdk import aws_cloudwatch as cloudwatch
from contracts.metrics import Metric

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import BELOW, AlarmRule
from stacks.constructs.metric import aws_metric

SLOW_SHARE = 0.8
"""Of the time a call may take."""

_NOT_CALLED = "A function that is not called can neither fail nor be slow; a job that does not call it is NoSamples."


def rules(watched: Watched) -> list[AlarmRule]:
    function = {"FunctionName": watched.reward.function_name}
    seconds = watched.settings.reward.timeout_seconds
    return [
        _no_samples(watched),
        AlarmRule(
            construct_id="GraderFaults",
            metric=watched.metric(Metric.GRADER_FAULTS, "Sum"),
            threshold=0,
            what="Samples scored 0 in the last 5 minutes for a fault of the data or the grader, not of the model.",
            first="see which outcome rose on the dashboard. Bad gold means the dataset; invalid, internal error, judge error or timeout "
            "the grader: read its log.",
            quiet_because="The grader sends a zero with each batch it grades well, so that silence means that nothing was graded.",
        ),
        AlarmRule(
            construct_id="RewardErrors",
            metric=aws_metric("AWS/Lambda", "Errors", function),
            threshold=0,
            what="The reward function failed whole calls in the last 5 minutes. Bedrock tries each three times, then fails the job.",
            first="read the last error in the function's log.",
            quiet_because=_NOT_CALLED,
        ),
        AlarmRule(
            construct_id="RewardThrottles",
            metric=aws_metric("AWS/Lambda", "Throttles", function),
            threshold=0,
            what="The reward function was throttled in the last 5 minutes, which Bedrock takes for a failed grader.",
            first="compare the account's concurrency with its limit, then raise reward.reserved_concurrency or the limit.",
            quiet_because=_NOT_CALLED,
        ),
        AlarmRule(
            construct_id="RewardSlow",
            metric=aws_metric("AWS/Lambda", "Duration", function, statistic="Maximum"),
            threshold=SLOW_SHARE * seconds * 1000,
            needs_person=False,
            what=f"A reward call took more than {SLOW_SHARE:.0%} of its {seconds} s in the last 5 minutes; beyond them it is cut off.",
            first="raise reward.timeout_seconds or reward.memory_mb, and deploy between runs.",
            quiet_because=_NOT_CALLED,
        ),
    ]


def _no_samples(watched: Watched) -> AlarmRule:
    minutes, period = watched.settings.alarms.silent_minutes, watched.look
    # Hours come with every look at a running job, and only then. Where they are, silence of the grader counts as zero, on purpose.
    silence = cloudwatch.MathExpression(
        expression=f"IF(hours > {minutes / 60:g}, FILL(samples, 0), 1)",
        using_metrics={
            "hours": watched.metric(Metric.JOB_HOURS, "Maximum", period),
            "samples": watched.metric(Metric.SAMPLES_GRADED, "Sum", period),
        },
        period=period,
        label="responses graded while a job runs",
    )
    periods = math.ceil(minutes / period.to_minutes())
    return AlarmRule(
        construct_id="NoSamples",
        metric=silence,
        threshold=1,
        comparison=BELOW,
        of=periods,
        breaching=periods,
        what=f"A job runs and costs money, and nothing was graded for {minutes} minutes.",
        first="ask Bedrock for the job's status with `rft run show`, and look for calls in the reward function's log.",
        quiet_because="No job is running: its hours are missing. While one runs, the expression counts missing samples as 0, which "
        "breaches.",
    )
