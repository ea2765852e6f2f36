"""Alarms on how datasets and runs end."""

from __future__ import annotations

from aws_cdk import Duration
from contracts.metrics import Metric

from stacks.alarms.watched import Watched
from stacks.constructs.alarm import AlarmRule
from stacks.constructs.metric import aws_metric

_COUNTED = "It is counted when it happens; silence means that it did not."


def rules(watched: Watched) -> list[AlarmRule]:
    machine = {"StateMachineArn": watched.state_machine.state_machine_arn}
    hours, share = watched.settings.training.max_hours, watched.settings.alarms.limit_share
    return [
        AlarmRule(
            construct_id="DatasetRejected",
            metric=watched.metric(Metric.DATASET_REJECTED, "Sum"),
            threshold=0,
            needs_person=False,
            ends=False,
            told="register_dataset names the file and each fault.",
            what="An upload was refused and stays where it was.",
            first="read its report under rejected/ in the datasets bucket, mend the file and upload it again.",
            quiet_because=_COUNTED,
        ),
        AlarmRule(
            construct_id="RunRefused",
            metric=watched.metric(Metric.RUN_REFUSED, "Sum"),
            threshold=0,
            needs_person=False,
            ends=False,
            told="the message at the run's end names each key, its value and what is allowed.",
            what="A run request was refused before anything was started.",
            first="`rft run show` names the key, its value and what is allowed.",
            quiet_because=_COUNTED,
        ),
        AlarmRule(
            construct_id="RunFailed",
            metric=watched.metric(Metric.RUN_FAILED, "Sum"),
            threshold=0,
            ends=False,
            told="the message at the run's end gives outcome, state and reason.",
            what="A run ended by a fault of job, deployment or pipeline, or its job was stopped. What cost money is cleaned up.",
            first="`rft run show` gives the state and the reason.",
            quiet_because=_COUNTED,
        ),
        AlarmRule(
            construct_id="CandidateRejected",
            metric=watched.metric(Metric.CANDIDATE_REJECTED, "Sum"),
            threshold=0,
            needs_person=False,
            ends=False,
            told="the message at the run's end gives the gate's reasons.",
            what="A trained model did not pass the gate and is not released; its deployment is deleted.",
            first="`rft run show` gives the gate's reasons and both means.",
            quiet_because=_COUNTED,
        ),
        _approval_waiting(watched),
        AlarmRule(
            construct_id="RunTimedOut",
            metric=aws_metric("AWS/States", "ExecutionsTimedOut", machine),
            threshold=0,
            ends=False,
            what="A run hit the state machine's own time limit. Its job is stopped and its record written for it, but no message is sent.",
            first="see with `rft run show` that the job is stopped and the deployment gone; both carry the run's id in their name.",
            quiet_because="Step Functions counts it when it happens; silence means that it did not.",
        ),
        AlarmRule(
            construct_id="RunOverTime",
            metric=watched.metric(Metric.JOB_HOURS, "Maximum", watched.look),
            threshold=share * hours,
            what=f"A job has run for more than {share:.0%} of the {hours:g} hours it may. At {hours:g} it is stopped and leaves no model.",
            first="compare its trend with the estimate: let it end, stop it now, or raise training.max_hours and deploy.",
            quiet_because="Hours come while a job runs; without one there is none to be late.",
        ),
    ]


def _approval_waiting(watched: Watched) -> AlarmRule:
    # Asked by the sweep: the state machine could only say so itself by waking up, and be billed for it.
    hours, sweeps = watched.settings.alarms.approval_hours, Duration.hours(watched.settings.sweep.hours)
    return AlarmRule(
        construct_id="ApprovalWaiting",
        metric=watched.metric(Metric.APPROVAL_WAITING, "Maximum", sweeps),
        threshold=hours,
        what=f"A run has waited for a person's answer for more than {hours:g} hours. After "
        f"{watched.settings.approval.timeout_hours} it ends without one.",
        first="find it with `rft run list`, then answer with `rft run approve` or `rft run reject`.",
        quiet_because="Each sweep sends how long the longest approval has waited, and nothing when none does; a sweep that failed is in "
        "the dead-letter queue FailedEvents.",
    )
