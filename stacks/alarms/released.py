"""Alarms on the model that serves: `rft-<environment>-released` keeps their metrics on whichever deployment the pointer names."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from contracts.metrics import Metric

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import AlarmRule
from stacks.constructs.metric import aws_metric
from stacks.released_definition import LOOK_MINUTES

LOOK = Duration.minutes(LOOK_MINUTES)

_NOBODY_ASKS = (
    "Without a released model, or while nobody asks it, there is nothing to fail; a look that fails is told of by ReleasedUnwatched."
)


def rules(watched: Watched) -> list[AlarmRule]:
    return [_failing(watched), _slow(watched), _down(watched), _unwatched(watched)]


def _failing(watched: Watched) -> AlarmRule:
    limits = watched.settings.alarms
    counts = {
        "errors": watched.metric(Metric.RELEASED_ERRORS, "Sum", LOOK),
        "requests": watched.metric(Metric.RELEASED_REQUESTS, "Sum", LOOK),
    }
    return AlarmRule(
        construct_id="ReleasedFailing",
        metric=cloudwatch.MathExpression(
            expression=f"IF(requests >= {limits.released_requests}, errors / requests, 0)",
            using_metrics=counts,
            period=LOOK,
            label="share of requests that failed",
        ),
        threshold=limits.released_error_share,
        of=3,
        breaching=2,
        what=f"Bedrock failed or throttled more than {limits.released_error_share:.0%} of the requests to the released model in two of the "
        "last three looks, five minutes each. Its callers get errors.",
        first="tell failures from throttling on the dashboard: throttling is a quota, failures end by a rollback to the previous model.",
        quiet_because=_NOBODY_ASKS,
    )


def _slow(watched: Watched) -> AlarmRule:
    seconds = watched.settings.alarms.released_seconds
    return AlarmRule(
        construct_id="ReleasedSlow",
        metric=watched.metric(Metric.RELEASED_LATENCY, "Maximum", LOOK),
        threshold=seconds * 1000,
        of=3,
        breaching=2,
        what=f"Five of a hundred answers of the released model took longer than {seconds:g} seconds in two of the last three looks, five "
        "minutes each.",
        first="compare with the tokens written on the dashboard: longer answers are the model's, the same in more time is Bedrock's.",
        quiet_because=_NOBODY_ASKS,
    )


def _down(watched: Watched) -> AlarmRule:
    return AlarmRule(
        construct_id="ReleasedDown",
        metric=watched.metric(Metric.RELEASED_DOWN, "Maximum", LOOK),
        threshold=0,
        of=2,
        breaching=2,
        what="The deployment of the released model is not active or gone, at two looks five minutes apart. Nobody can ask the model.",
        first="see who deleted it in CloudTrail, then put the pointer back to the previous model or release again.",
        quiet_because="Each look at a released model sends 0 or 1; silence means that nothing is released, or a look that failed, which "
        "ReleasedUnwatched tells of.",
    )


def _unwatched(watched: Watched) -> AlarmRule:
    machine = {"StateMachineArn": watched.released.state_machine_arn}
    ended = {f"m{place}": aws_metric("AWS/States", f"Executions{end}", machine) for place, end in enumerate(("Failed", "TimedOut"))}
    return AlarmRule(
        construct_id="ReleasedUnwatched",
        metric=cloudwatch.MathExpression(
            expression=f"SUM([{', '.join(ended)}])", using_metrics=ended, period=LOOK, label="looks that failed"
        ),
        threshold=0,
        of=3,
        breaching=2,
        needs_person=False,
        what="Two of the last three looks at the released model failed: its errors, its latency and its absence are not seen.",
        first="read the state machine's log for the state and the error; most often a permission or a key was taken away.",
        quiet_because="Step Functions counts a failed look when it happens; silence means that none failed.",
    )
