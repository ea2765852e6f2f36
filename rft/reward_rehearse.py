"""`rft reward rehearse`: the rehearsal of a run, without a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from contracts import names
from pipeline import grading, rehearsal, rehearsal_calls, store
from pipeline.probes import cases_of
from pipeline.rehearsal_table import table
from reward import graders
from reward.handler import handler

from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import short_path
from rft.reward_data import RUN_ID, handler_environment, option_option, options_of, read_records

if TYPE_CHECKING:
    from rft.target import Target

Records = Sequence[Mapping[str, Any]]


@click.command("rehearse")
@click.option("--dataset", help="A registered dataset; its training split is rehearsed on.")
@click.option("--version", help="The dataset's version, 12 hexadecimal digits; by default the latest.")
@click.option("--reward-version", default=names.REWARD_ALIAS, show_default=True, help="A published version of the deployed reward.")
@click.option("--grader", help="Instead of the deployed reward: this grader, in this process.")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="Instead of a registered dataset: this file. It needs --grader.",
)
@option_option
@cloud_options
def rehearse(
    call: Invocation,
    *,
    dataset: str | None,
    version: str | None,
    reward_version: str,
    grader: str | None,
    data: Path | None,
    options: tuple[str, ...],
) -> None:
    """Try the reward on replies of known worth and show what a policy would learn from it. Exit code 1 when it is not to be trusted.

    What a run does before it spends anything, with nothing stored and nothing started. A reward that asks a model is
    asked some hundred times, at its price.

    \b
    rft reward rehearse --dataset word-problems --reward-version 3
    rft reward rehearse --grader my_grader --data my-dataset.jsonl
    """
    _check(dataset=dataset, version=version, grader=grader, data=data, options=options, reward_version=reward_version)
    if grader is not None:
        found = _here(call, grader=grader, options=options_of(options), data=data, dataset=dataset, version=version)
    else:
        found = _deployed(call, dataset or "", version, reward_version)
    call.output.result(found, f"{_subject(found)}\n\n{table(found)}")
    if not found["trusted"]:
        raise click.exceptions.Exit(Exit.FAILED)


def _check(
    *, dataset: str | None, version: str | None, grader: str | None, data: Path | None, options: tuple[str, ...], reward_version: str
) -> None:
    problem = ""
    if (dataset is None) == (data is None):
        problem = "allowed is one of --dataset and --data"
    elif grader is None and (data is not None or options):
        problem = "--data and --option need --grader; the deployed reward is rehearsed on a registered dataset, with the options it has"
    elif grader is not None and reward_version != names.REWARD_ALIAS:
        problem = "allowed is one of --grader and --reward-version"
    elif version is not None and dataset is None:
        problem = "--version needs --dataset"
    if problem:
        raise Failure(problem, hint="rft reward rehearse --help", code=Exit.USAGE)


def _deployed(call: Invocation, dataset: str, version: str | None, reward_version: str) -> dict[str, Any]:
    from rft.reward_deployed import deployed  # noqa: PLC0415 - the SDK, which a grader in this process does not need

    target = call.target()
    with call.output.progress(f"reading dataset {dataset}") as progress:
        chosen, records = _split(target, dataset, version)
        with deployed(target, reward_version) as reward:
            progress.update(f"asking version {reward.version} of the reward for its scores")
            found = _verdict(records, reward.arn, grading.grade_parts)
    return {"reward": reward.arn, "reward_version": reward.version, "dataset": dataset, "dataset_version": chosen, **found}


def _here(
    call: Invocation, *, grader: str, options: dict[str, Any], data: Path | None, dataset: str | None, version: str | None
) -> dict[str, Any]:
    # A wrong name or option is told before the data is read.
    graders.build(grader, options)
    if data is not None:
        records: Records = read_records(data)
        subject = {"grader": grader, "data": short_path(data)}
    else:
        chosen, records = _split(call.target(), dataset or "", version)
        subject = {"grader": grader, "dataset": dataset or "", "dataset_version": chosen}
    with call.output.progress("rehearsing", only_live=True):
        return {**subject, **_verdict(records, grader, _grading_here(grader, options))}


def _grading_here(grader: str, options: dict[str, Any]) -> Any:
    """Grades as `pipeline.grading.grade_parts` does, by the handler in this process."""

    def grade_parts(_arn: str, samples: Records, *, batch: int = grading.BATCH, at_once: int = 1) -> list[grading.Graded]:
        found: list[grading.Graded] = []
        for first in range(0, len(samples), batch):
            part = samples[first : first + batch]
            # Through JSON and back, as it would travel.
            with handler_environment(grader, options):
                body = json.dumps(handler(json.loads(json.dumps(part)))).encode()
            found += grading.parts_of(body, [str(sample["id"]) for sample in part])
        return found

    return grade_parts


def _verdict(records: Records, arn: str, grade_parts: Any) -> dict[str, Any]:
    try:
        graded = rehearsal_calls.grade(cases_of(records), records, reward_arn=arn, run_id=RUN_ID, grade_parts=grade_parts)
    except grading.GraderFault as fault:
        return rehearsal.broken(str(fault))
    return rehearsal.verdict(graded.cases, graded.scores, graded.gold)


def _split(target: Target, dataset: str, version: str | None) -> tuple[str, Records]:
    from rft.dataset import checked_name, latest_version  # noqa: PLC0415 - the SDK

    chosen = version or latest_version(target, dataset)
    bucket, key = target.parts.datasets_bucket, names.split_key(checked_name(dataset), chosen, names.SPLIT_TRAIN)
    if target.read_json(bucket, names.manifest_key(dataset, chosen)) is None:
        raise Failure(f"dataset {dataset} has no version {chosen}", where=target.place, hint="rft dataset list", code=Exit.NOT_FOUND)
    return chosen, list(store.lines_of(target.s3.get_object(Bucket=bucket, Key=key)["Body"].read()))


def _subject(found: Mapping[str, Any]) -> str:
    reward = f"reward version {found['reward_version']}" if "reward" in found else f"grader {found['grader']}, in this process"
    where = found.get("data") or f"{found['dataset']} {found['dataset_version']}"
    return f"{reward}, on {where}"
