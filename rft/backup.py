"""`rft backup`: is what cannot be made again still there, and putting it back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from contracts import names

from rft import backup_datasets
from rft.backup_objects import Copy, bring_back, copies, read
from rft.dataset import checked_name, latest_version
from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import facts, table

if TYPE_CHECKING:
    from rft.target import Target


@click.group()
def backup() -> None:
    """Check datasets and records, and put back what was deleted or overwritten."""


@backup.command("check")
@click.option("--dataset", help="One dataset; by default all.")
@cloud_options
def check(call: Invocation, dataset: str | None) -> None:
    """Whether every registered version is what its name says: files, manifest and hashes."""
    target = call.target()
    found = []
    with call.output.progress("reading every registered version"):
        for name, version in backup_datasets.registered(target, checked_name(dataset) if dataset else None):
            found.append({"dataset": name, "version": version, "problems": backup_datasets.problems(target, name, version)})
    damaged = [item for item in found if item["problems"]]
    rows = [(str(item["dataset"]), str(item["version"]), "; ".join(item["problems"]) or "intact") for item in found]
    text = table(("DATASET", "VERSION", "CONTENT"), rows, empty="no dataset is registered")
    call.output.result({"versions": found, "damaged": len(damaged), "backup": target.backup_bucket}, text)
    if damaged:
        call.output.say(f"next: rft backup restore dataset {damaged[0]['dataset']} --version {damaged[0]['version']}")
        raise click.exceptions.Exit(Exit.FAILED)


@backup.group("restore")
def restore() -> None:
    """Put back a dataset version, a run's records, or the released-model pointer."""


@restore.command("dataset")
@click.argument("name")
@click.option("--version", "version", help="12 hexadecimal digits; by default the latest.")
@cloud_options
def restore_dataset(call: Invocation, name: str, version: str | None) -> None:
    """Put back the files of a dataset version, each proved by its hash. Also brings back `latest.json` when it is gone."""
    target = call.target()
    bucket = target.parts.datasets_bucket
    latest = copies(target, bucket, names.latest_key(checked_name(name))).get(names.latest_key(name), [])
    restored: dict[str, str] = {}
    if latest and not any(copy.current for copy in latest):
        bring_back(target, latest[0], bucket)
        restored[names.latest_key(name)] = latest[0].describe()
    chosen = version or latest_version(target, name)
    with call.output.progress(f"looking for version {chosen} of {name} in every version and copy"):
        found = backup_datasets.restore(target, name, chosen)
    restored |= found.files
    call.output.result(
        {"dataset": name, "version": chosen, "restored": restored, "intact": list(found.intact)},
        facts({"dataset": name, "version": chosen, **(restored or {"restored": "nothing; all of it is intact"})}),
    )


@restore.command("run")
@click.argument("run_id")
@click.option("--at", help="ISO 8601 time, UTC: the records as they were then. By default only deleted ones come back, as last written.")
@cloud_options
def restore_run(call: Invocation, run_id: str, at: str | None) -> None:
    """Put back a run's records. A lineage record's signature says whether it is the one that was written: rft audit verify RUN."""
    target = call.target()
    bucket, moment = target.parts.runs_bucket, _time(at)
    held = copies(target, bucket, names.record_key(run_id, ""))
    if not held:
        raise Failure(f"run {run_id} has no records, not even deleted ones", where=target.place, hint="rft run list", code=Exit.NOT_FOUND)
    restored: dict[str, str] = {}
    for key, versions in held.items():
        copy = _wanted(versions, moment)
        if copy is not None and _differs(target, copy, versions):
            bring_back(target, copy, bucket)
            restored[key] = copy.describe()
    intact = sorted(set(held) - set(restored))
    call.output.result(
        {"run_id": run_id, "restored": restored, "intact": intact},
        facts({"run": run_id, **(restored or {"restored": "nothing; all of it is there"})}),
    )


@restore.command("pointer")
@click.option("--run", "run_id", help="The run whose release it is to show; by default the last that was released.")
@click.option("--yes", is_flag=True, help="Write it; without this it is only shown.")
@cloud_options
def restore_pointer(call: Invocation, run_id: str | None, yes: bool) -> None:
    """Write the released-model pointer as a run's lineage record has it."""
    target = call.target()
    releases = sorted(_releases(target, run_id), key=lambda pointer: str(pointer["released_at"]))
    if not releases:
        what = f"run {run_id} released nothing" if run_id else "no run's lineage names a release"
        raise Failure(
            what, where=f"s3://{target.parts.runs_bucket}/{names.RECORDS}", hint="rft backup restore run RUN", code=Exit.NOT_FOUND
        )
    pointer = releases[-1]
    status = target.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=pointer["deployment_arn"])["status"]
    if status != "Active":
        raise Failure(
            f"the deployment of run {pointer['run_id']} is {status}; allowed is an Active one",
            where=pointer["deployment_arn"],
            hint="create it again from the model the record names, or choose another run with --run",
        )
    current = target.released_model()
    if yes and current != pointer:
        target.ssm.put_parameter(
            Name=names.parameter(target.environment, names.PARAM_RELEASED_MODEL),
            Value=json.dumps(pointer, sort_keys=True),
            Type="String",
            Overwrite=True,
        )
    same = current == pointer
    call.output.result(
        {"pointer": pointer, "before": current, "written": yes and not same},
        facts({key: value for key, value in pointer.items() if not isinstance(value, dict)}),
    )
    if same:
        call.output.say("the pointer says this already")
    elif not yes:
        call.output.say("next: the same with --yes writes it")


def _releases(target: Target, run_id: str | None) -> list[dict[str, Any]]:
    runs = target.parts.runs_bucket
    pages = target.s3.get_paginator("list_objects_v2").paginate(Bucket=runs, Prefix=names.RECORDS, Delimiter="/")
    ids = (
        [run_id]
        if run_id
        else [each["Prefix"].removeprefix(names.RECORDS).rstrip("/") for p in pages for each in p.get("CommonPrefixes", [])]
    )
    records = (target.record(each, "lineage.json") for each in ids)
    pointers = (((record or {}).get("model") or {}).get("released") for record in records)
    return [pointer for pointer in pointers if pointer]


def _wanted(versions: list[Copy], moment: datetime | None) -> Copy | None:
    """The version that is to be current: the newest not after `moment`; without one, the current, else the newest there is."""
    if moment is None:
        return next((copy for copy in versions if copy.current), versions[0])
    return max((copy for copy in versions if copy.written <= moment), key=lambda copy: (copy.written, not copy.backup), default=None)


def _differs(target: Target, copy: Copy, versions: list[Copy]) -> bool:
    current = next((each for each in versions if each.current), None)
    return current is None or (current != copy and read(target, current) != read(target, copy))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"--at {text!r} is no time; allowed is ISO 8601 such as 2026-11-30T14:05:00Z", code=Exit.USAGE) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
