"""`rft reward calibrate`: does the deployed reward agree with people?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from contracts import names
from pipeline import calibration, calibration_feedback, grading, store

from rft.dataset import latest_version
from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import facts
from rft.reward_data import RUN_ID
from rft.reward_deployed import deployed
from stacks.settings import ENVIRONMENTS, load

AT_ONCE = 4
MAX_BYTES = 200_000_000


@click.command("calibrate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--dataset", required=True, help="The registered dataset whose prompts were answered.")
@click.option("--reward-version", default=names.REWARD_ALIAS, show_default=True, help="A published version of the deployed reward.")
@cloud_options
def calibrate(call: Invocation, file: Path, dataset: str, reward_version: str) -> None:
    """Have the deployed reward grade the answers of FILE and compare it with what people said of them.

    FILE has one object a line: "prompt" or "messages" with "response" and "rating" (0 to 1, or stars from 1 to 5), or with
    "chosen" and "rejected", as rft reward review writes; "criterion" and "reference_answer" where there are some. The file
    is uploaded beside the dataset and the figures are stored for the version, where a run looks for them. The floors are
    those of [calibration] in environments/<env>.toml. Exit code 1 below a floor.
    """
    body = _body(file)
    # Checked before anything is asked of the cloud: a bad file costs no credentials.
    feedback = calibration_feedback.read_feedback(body, file.name)
    floors = load(ENVIRONMENTS / f"{call.environment}.toml").calibration
    target = call.target()
    latest_version(target, dataset)
    answers = 2 * len(feedback.pairs) + len(feedback.ratings)
    with call.output.progress(f"uploading {file.name}") as progress, deployed(target, reward_version) as reward:
        bucket = target.parts.datasets_bucket
        uploaded = names.feedback_key(dataset, _file_name(file))
        target.s3.put_object(Bucket=bucket, Key=uploaded, Body=body, ContentType="application/jsonl")
        progress.update(f"version {reward.version} of the reward grades {answers} answers")
        try:
            found = calibration.calibrate(feedback.pairs, feedback.ratings, partial(_graded, reward.arn))
        except grading.GraderFault as fault:
            raise Failure(str(fault), where=reward.arn, hint="rft reward rehearse shows more; nothing was stored") from fault
        record = calibration.record_of(
            found,
            dataset=dataset,
            reward_arn=reward.arn,
            reward_version=reward.version,
            reward_sha256=reward.sha256,
            feedback_sha256=hashlib.sha256(body).hexdigest(),
            calibrated_at=datetime.now(UTC).isoformat(timespec="seconds"),
            calibrated_by=target.caller,
        )
        key = names.calibration_key(dataset, reward.version)
        target.s3.put_object(Bucket=bucket, Key=key, Body=store.encoded(record), ContentType="application/json")
    reasons = calibration.below_floor(found, floors)
    data = {"passed": not reasons, "reasons": reasons, "required": floors.required, "stored": store.uri(bucket, key), **record}
    call.output.result(data, _text(found, reasons, data, uploaded=store.uri(bucket, uploaded)))
    if reasons:
        raise click.exceptions.Exit(Exit.FAILED)


def _graded(arn: str, samples: Sequence[Mapping[str, Any]]) -> list[grading.Graded]:
    # Without them the metrics would count these answers as training, which alarms watch.
    mark = {names.META_RUN_ID: RUN_ID, names.META_SPLIT: names.SPLIT_REHEARSAL}
    return grading.grade_parts(arn, [{**sample, "metadata": {**sample["metadata"], **mark}} for sample in samples], at_once=AT_ONCE)


def _body(file: Path) -> bytes:
    if file.suffix != ".jsonl":
        raise Failure("the file's name does not end in .jsonl", where=str(file), hint="allowed is one JSON object a line", code=Exit.USAGE)
    if file.stat().st_size > MAX_BYTES:
        raise Failure(f"the file is larger than {MAX_BYTES:,} bytes, the most allowed", where=str(file), code=Exit.USAGE)
    return file.read_bytes()


def _file_name(file: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", file.name).lstrip(".-") or "feedback.jsonl"


def _text(found: calibration.Calibration, reasons: list[str], data: Mapping[str, Any], *, uploaded: str) -> str:
    verdict = "below the floor:" if reasons else "The reward agrees with people as well as the floors ask for."
    lines = [
        calibration.table(found),
        "",
        f"in brackets: {found.confidence:.0%} intervals; their lower ends are held against the floors",
        "",
        verdict,
        *(f"  - {reason}" for reason in reasons),
    ]
    if reasons and not data["required"]:
        lines.append("(runs do not ask for it: calibration.required is false)")
    where = {"reward version": data["reward_version"], "feedback": uploaded, "stored": data["stored"]}
    return "\n".join([*lines, "", facts(where)])
