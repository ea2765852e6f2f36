"""The dashboard of an environment: runs, trends, cost, health, released model."""

from __future__ import annotations

from contracts.metrics import METRIC_OF_RAIL, Metric

from stacks.dashboards import trends
from stacks.dashboards.widgets import (
    COUNT,
    DOLLARS,
    HOURS,
    MEAN,
    MILLISECONDS,
    MOST,
    TIMES,
    TOKENS,
    Line,
    Part,
    Section,
    Widget,
    own,
    search,
    service,
    trend,
)


def sections(*, judged: bool) -> list[Section]:
    """In reading order.

    Args:
        judged: whether a model judges in this environment; without one its widgets would stay empty and are left out.
    """
    return [
        Section(title="Runs", widgets=_runs()),
        Section(title="Trends", widgets=[*trends.learning(run=False), trends.components(), trends.outcomes()]),
        Section(title="Cost", widgets=[*cost(judged=judged), *([_judge_tokens()] if judged else [])]),
        Section(title="Health", widgets=_health(judged=judged)),
        Section(title="Released model", widgets=[trends.heldout(), trends.gain(), *_deployed()]),
    ]


def _runs() -> list[Widget]:
    machine = {"Started": "started", "Succeeded": "succeeded", "Failed": "failed", "Aborted": "aborted", "TimedOut": "timed out"}
    return [
        Widget(
            title="Runs",
            meaning="How runs begin and end. Rejected: a check or a person said no. Failed: a fault of job, deployment or pipeline.",
            lines=[
                own(Metric.RUN_REQUESTED, COUNT, "requested"),
                own(Metric.RUN_REFUSED, COUNT, "refused"),
                own(Metric.RUN_RELEASED, COUNT, "released"),
                own(Metric.RUN_REJECTED, COUNT, "rejected"),
                own(Metric.CANDIDATE_REJECTED, COUNT, "candidate rejected"),
                own(Metric.RUN_FAILED, COUNT, "failed"),
                own(Metric.APPROVAL_REQUESTED, COUNT, "approvals asked"),
                own(Metric.GUARD_RAIL, COUNT, "guard rails reached"),
            ],
            unit=TIMES,
        ),
        Widget(
            title="State machine",
            meaning="Executions as Step Functions counts them. A rejected run fails on purpose; after one cut off a rule cleans up.",
            lines=[
                service("AWS/States", f"Executions{end}", COUNT, label, dimension="StateMachineArn", part=Part.STATE_MACHINE)
                for end, label in machine.items()
            ],
            unit=TIMES,
        ),
        Widget(
            title="Datasets",
            meaning="Uploads that became a dataset version, and uploads that were refused; their report lies under rejected/.",
            lines=[own(Metric.DATASET_REGISTERED, COUNT, "registered"), own(Metric.DATASET_REJECTED, COUNT, "rejected")],
            unit=TIMES,
        ),
    ]


def cost(*, judged: bool) -> list[Widget]:
    """What a run takes of time and money."""
    dollars = [
        own(Metric.SPEND_ESTIMATED, MOST, "estimated"),
        own(Metric.SPEND_SO_FAR, MOST, "so far"),
        *([own(Metric.JUDGE_COST, COUNT, "of it the judge's")] if judged else []),
    ]
    return [
        Widget(
            title="Dollars",
            meaning="What a run is estimated to cost and what its job has taken, from what was graded and the prices in settings. No bill.",
            lines=dollars,
            unit=DOLLARS,
        ),
        Widget(
            title="Hours",
            meaning="How long the job has been running, at each look, until its limit; and how long an approval has waited, at each sweep.",
            lines=[own(Metric.JOB_HOURS, MOST, "job"), own(Metric.APPROVAL_WAITING, MOST, "approval waiting")],
            unit=HOURS,
        ),
        Widget(
            title="Guard rails",
            meaning="Looks at a running job, and those at which a rail was reached. Each rail has its alarm and its runbook.",
            lines=[
                own(Metric.JOB_HOURS, "SampleCount", "looks"),
                *(own(metric, COUNT, rail.replace("_", " ")) for rail, metric in METRIC_OF_RAIL.items()),
            ],
            unit=TIMES,
        ),
    ]


def _judge_tokens() -> Widget:
    return Widget(
        title="Tokens of the judge",
        meaning="What the judge model read and wrote, as it reports them: the grader's own running cost.",
        lines=[own(Metric.JUDGE_INPUT_TOKENS, COUNT, "read"), own(Metric.JUDGE_OUTPUT_TOKENS, COUNT, "written")],
        unit=TOKENS,
    )


def _health(*, judged: bool) -> list[Widget]:
    def of_function(name: str, statistic: str, label: str) -> Line:
        return service("AWS/Lambda", name, statistic, label, dimension="FunctionName", part=Part.REWARD_FUNCTION)

    def waiting(queue: Part, label: str) -> Line:
        return service("AWS/SQS", "ApproximateNumberOfMessagesVisible", MOST, label, dimension="QueueName", part=queue)

    return [
        Widget(
            title="Must stay at zero",
            meaning="Events nobody could handle, costs that belong to no run, a released model nobody can ask. Each waits for a person.",
            lines=[
                waiting(Part.UNDELIVERED_EVENTS, "undelivered events"),
                waiting(Part.FAILED_EVENTS, "failed events"),
                own(Metric.ORPHANS, MOST, "orphans"),
                own(Metric.FOREIGN_JOBS, MOST, "made beside the pipeline"),
                own(Metric.RELEASED_DOWN, MOST, "released model down"),
            ],
            unit=TIMES,
        ),
        Widget(
            title="Reward function",
            meaning="Calls of the function Bedrock grades with. Bedrock takes three failed or throttled calls for a failed job.",
            lines=[
                of_function("Invocations", COUNT, "calls"),
                of_function("Errors", COUNT, "errors"),
                of_function("Throttles", COUNT, "throttles"),
            ],
            unit=TIMES,
        ),
        Widget(
            title="Duration of reward calls",
            meaning="As Lambda bills it, start included. Close to the function's timeout calls are cut off and their batch is lost.",
            lines=[of_function("Duration", MEAN, "mean"), of_function("Duration", MOST, "longest")],
            unit=MILLISECONDS,
        ),
        trends.grader_time(),
        trends.graded(),
        *(judge() if judged else []),
    ]


def judge() -> list[Widget]:
    """How the judge model answers."""
    return [
        Widget(
            title="Requests to the judge",
            meaning="Retries included, and those without a usable verdict. Responses that stay ungraded score 0 and are counted as faults.",
            lines=[trend("judge.calls", "requests"), trend("judge.errors", "without a verdict")],
            unit=TIMES,
        ),
        Widget(
            title="Time of a request to the judge",
            meaning="Much longer than before is throttling or a longer prompt; the judge's own deadline cuts it off.",
            lines=[own(Metric.JUDGE_LATENCY, each, each) for each in ("p50", "p99")],
            unit=MILLISECONDS,
        ),
    ]


def _deployed() -> list[Widget]:
    # A deployment is made by each release, long after this dashboard, so that it can only be searched for.
    def deployments(name: str, statistic: str, label: str) -> Line:
        return search("AWS/Bedrock", name, statistic, label, dimension="ModelId", word="deployment")

    return [
        Widget(
            title="Requests to deployed models",
            meaning="Each custom model deployment of the account; the released one as its alarms see it: failed is an error or throttled.",
            lines=[
                deployments("Invocations", COUNT, "answered"),
                deployments("InvocationClientErrors", COUNT, "client errors"),
                deployments("InvocationServerErrors", COUNT, "server errors"),
                deployments("InvocationThrottles", COUNT, "throttled"),
                own(Metric.RELEASED_REQUESTS, COUNT, "released: asked"),
                own(Metric.RELEASED_ERRORS, COUNT, "released: failed"),
            ],
            unit=TIMES,
        ),
        Widget(
            title="Latency of deployed models",
            meaning="From a request to the last token of its answer. Longer answers take longer: compare with the tokens written.",
            lines=[
                *(deployments("InvocationLatency", each, each) for each in ("p50", "p99")),
                own(Metric.RELEASED_LATENCY, MOST, "released: p95"),
            ],
            unit=MILLISECONDS,
        ),
        Widget(
            title="Tokens of deployed models",
            meaning="What deployed models read and wrote, which is what they cost.",
            lines=[deployments("InputTokenCount", COUNT, "read"), deployments("OutputTokenCount", COUNT, "written")],
            unit=TOKENS,
        ),
    ]
