"""`rft run`: start, follow, approve and stop runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from contracts import names
from contracts.events import Outcome
from pipeline.rehearsal_table import findings

from rft import run_answer, run_control
from rft.chart import sparkline
from rft.exits import Exit
from rft.options import Invocation, cloud_options
from rft.output import duration, facts, table
from rft.phases import Mark
from rft.run_view import ENDED_UNRECORDED, RunReader, RunView, current_step

if TYPE_CHECKING:
    from rft.target import Target


@click.group("run")
def run() -> None:
    """Start, follow, approve and stop runs."""


@run.command("start")
@click.option("--dataset", "dataset", required=True, help="A registered dataset.")
@click.option("--version", help="Its version, 12 hexadecimal digits; by default the latest.")
@click.option("--reward-version", help="A published version of the reward function; by default the live one.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A hyperparameter, such as epoch_count=3; may be given again.")
@click.option("--approve-spend", is_flag=True, help="Ask a person before money is spent, whatever the estimate.")
@click.option("--approve-release", is_flag=True, help="Ask a person before the release.")
@click.option("--name", help="The run's id; by default made from the dataset's name and the time.")
@click.option("--watch", "then_watch", is_flag=True, help="Follow it to its end.")
@cloud_options
def start(
    call: Invocation,
    *,
    dataset: str,
    version: str | None,
    reward_version: str | None,
    changes: tuple[str, ...],
    approve_spend: bool,
    approve_release: bool,
    name: str | None,
    then_watch: bool,
) -> None:
    """Start a run on a registered dataset."""
    asked: dict[str, Any] = {
        "dataset": dataset,
        "version": version,
        "reward_version": reward_version,
        "changes": changes,
        "approve_spend": approve_spend,
        "approve_release": approve_release,
    }
    # Checked before anything is asked of the cloud: a wrong request costs no credentials.
    run_control.request_from(**asked)
    target = call.target()
    with call.output.progress("starting the run"):
        run_id = run_control.start(target, run_control.request_from(**asked, requested_by=target.caller), run_id=name)
    if then_watch:
        call.output.say(f"run {run_id}")
        _watch(call, target, run_id)
        return
    call.output.result({"run_id": run_id, "environment": target.environment}, run_id)
    call.output.say(f"next: rft run watch {run_id}")


@run.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="The newest this many.")
@cloud_options
def list_runs(call: Invocation, limit: int) -> None:
    """Runs, newest first, and how each ended."""
    target = call.target()
    with call.output.progress("reading the runs", only_live=True):
        executions = target.states.list_executions(stateMachineArn=target.parts.state_machine, maxResults=limit)["executions"]
        found: list[dict[str, Any]] = [
            {
                "run_id": item["name"],
                "status": item["status"],
                "outcome": _outcome(target, item["executionArn"], str(item["status"])),
                "started": item["startDate"].isoformat(timespec="seconds"),
                "seconds": round(((item.get("stopDate") or datetime.now(UTC)) - item["startDate"]).total_seconds(), 1),
            }
            for item in executions[:limit]
        ]
    rows = [(item["run_id"], item["outcome"] or "running", item["started"], duration(item["seconds"])) for item in found]
    empty = "no run yet; start one: rft run start --dataset NAME"
    call.output.result(found, table(("RUN", "OUTCOME", "STARTED", "TOOK"), rows, empty=empty))


@run.command("show")
@click.argument("run_id")
@cloud_options
def show(call: Invocation, run_id: str) -> None:
    """Where a run is and what is known of it."""
    with call.output.progress("reading the run", only_live=True):
        view = RunReader(call.target(), run_id).look()
    call.output.result(view.as_json(), summary(view))


@run.command("watch")
@click.argument("run_id")
@cloud_options
def watch(call: Invocation, run_id: str) -> None:
    """Follow a run to its end. Exit code 0 only when a model was released."""
    _watch(call, call.target(), run_id)


@run.command("approve")
@click.argument("run_id")
@click.option("--reason", default="", help="For the record.")
@cloud_options
def approve(call: Invocation, run_id: str, reason: str) -> None:
    """Say yes to what a run waits for: the spend or the release."""
    _answer(call, run_id, approved=True, reason=reason)


@run.command("reject")
@click.argument("run_id")
@click.option("--reason", required=True, help="For the record, and for whoever asked.")
@cloud_options
def reject(call: Invocation, run_id: str, reason: str) -> None:
    """Say no to what a run waits for. The run cleans up and ends."""
    _answer(call, run_id, approved=False, reason=reason)


@run.command("stop")
@click.argument("run_id")
@click.option("--reason", default="stopped by a person", show_default=True, help="For the record.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the run has ended.")
@cloud_options
def stop(call: Invocation, run_id: str, reason: str, no_wait: bool) -> None:
    """Stop a run and everything of it that costs money."""
    target = call.target()
    with call.output.progress(f"stopping {run_id}") as progress:
        stopped = run_control.stop(target, run_id, reason=reason)
        reader = RunReader(target, run_id)
        view = reader.look()
        if stopped.follows and not no_wait:
            progress.update(f"{stopped.how}; waiting for the run to clean up and end")
            view = run_control.wait_until_ended(reader, target.poll_seconds)
    data = {"run_id": run_id, "how": stopped.how, "status": view.status, "outcome": view.outcome, "cleaned": stopped.cleaned}
    problems = list((stopped.cleaned or {}).get("problems") or [])
    lines = {"run": run_id, "how": stopped.how, "now": (view.outcome or {}).get("code") or view.state}
    call.output.result(data, facts(lines))
    pointer = target.released_model() or {}
    if stopped.how in ("was ending", "execution stopped") and (view.released or pointer.get("run_id") == run_id):
        before = (pointer.get("previous") or {}).get("run_id")
        back = f"to go back: rft backup restore pointer --run {before} --env {target.environment}" if before else "none was released before"
        call.output.say(f"too late: run {run_id} has released its model; {back}")
        raise click.exceptions.Exit(Exit.FAILED)
    if problems:
        call.output.say(
            "\n".join(["not everything was cleaned up; look at the job and the deployment in Bedrock now:", *map(str, problems)])
        )
        raise click.exceptions.Exit(Exit.FAILED)


def summary(view: RunView) -> str:
    """A run in a few lines."""
    plan, outcome, gate = view.plan or {}, view.outcome or {}, view.gate
    step = current_step(view)
    waiting = f"waits for the {view.waiting_for} approval: rft run approve {view.run_id}" if view.waiting_for else ""
    at = f"{step.phase.label} ({view.state})" if step else ""
    seconds = ((view.stopped or datetime.now(UTC)) - view.started).total_seconds()
    means = [point.mean for point in view.train]
    spend = f"{plan['estimate']['hours']:.2f} h, ${plan['estimate']['usd']:,.2f}" if plan else ""
    compared = f"base {gate['base_mean']:.3f}, candidate {gate['candidate_mean']:.3f}, gain {gate['difference']:+.3f}" if gate else ""
    interval = f"{gate['low']:+.3f} to {gate['high']:+.3f}, margin {gate['margin']:.3f}" if gate else ""
    rehearsed = _rehearsed(view)
    marks = {Mark.DONE: "+", Mark.FAILED: "x", Mark.CURRENT: ">", Mark.WAITING: "?", Mark.SKIPPED: "-", Mark.PENDING: "."}
    shown = facts(
        {
            "run": view.run_id,
            "environment": f"{view.environment}, {view.place}",
            "status": view.status if view.running else outcome.get("code", view.status),
            "why": "see below" if rehearsed and outcome.get("code") == Outcome.REWARD_REJECTED else outcome.get("reason"),
            "now": at,
            "answer": waiting,
            "took": duration(seconds),
            "dataset": f"{plan['dataset']} {plan['dataset_version']}" if plan else view.request.get("dataset"),
            "reward": f"version {plan['reward_version']}" if plan else "",
            "estimate": spend,
            "trend": f"{sparkline(view.train)}  {means[0]:.2f} to {means[-1]:.2f}" if means else "",
            "evaluation": compared,
            "interval": interval,
            "lineage": view.lineage_uri,
            "trained by": "the local stand-in policy, not a language model" if view.local else "",
        }
    )
    steps = "\n".join(f"  {marks[step.mark]} {step.phase.label}" for step in view.steps)
    return "\n".join([shown, "", *rehearsed, steps])


def _rehearsed(view: RunView) -> list[str]:
    """Why the rehearsal stopped the run, if it did, and what the reward would have taught."""
    result = view.rehearsal
    if result is None or result["trusted"]:
        return []
    lines = ["the rehearsal does not trust the reward:", *(f"  - {reason}" for reason in result["reasons"])]
    return [*lines, *(f"  {line}" for line in findings(result)), ""]


def finish(call: Invocation, view: RunView) -> None:
    """The result of a followed run; leaves with exit code 1 unless a model was released."""
    call.output.result(view.as_json(), summary(view))
    if not view.released:
        raise click.exceptions.Exit(Exit.FAILED)


def _watch(call: Invocation, target: Target, run_id: str) -> None:
    from rft.follow import follow  # noqa: PLC0415 - the screen's library is only loaded for a screen

    finish(call, follow(RunReader(target, run_id), call.output, poll_seconds=target.poll_seconds))


def _answer(call: Invocation, run_id: str, *, approved: bool, reason: str) -> None:
    target = call.target()
    with call.output.progress("answering"):
        kind = run_answer.answer(target, run_id, approved=approved, reason=reason)
    word = "approved" if approved else "refused"
    call.output.result({"run_id": run_id, "kind": kind, "approved": approved, "by": target.caller}, f"{kind} {word} as {target.caller}")
    call.output.say(f"next: rft run watch {run_id}")


def _outcome(target: Target, execution_arn: str, status: str) -> str | None:
    if status == "RUNNING":
        return None
    if status == "SUCCEEDED":
        return str(Outcome.RELEASED)
    error = target.states.describe_execution(executionArn=execution_arn).get("error")
    if error in set(Outcome):
        return error
    # How an execution that was cut short ended is in its record alone.
    recorded = target.record(execution_arn.rpartition(":")[2], names.LINEAGE) or {}
    return (recorded.get("outcome") or {}).get("code") or ENDED_UNRECORDED
