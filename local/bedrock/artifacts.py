"""The metrics files a job leaves in its output prefix.

Paths and the first four columns are documented for fine-tuning in general (user guide, model-customization-analyze). The columns
of a reinforcement job are not; the stand-in uses the metric names the console shows (user guide, rft-submit-job).
"""

from __future__ import annotations

import csv
import io
from typing import Any

import attrs

TRAINING = "training_artifacts/step_wise_training_metrics.csv"
VALIDATION = "validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv"
NOTE = "local_stand_in.txt"


@attrs.frozen(kw_only=True)
class TrainingRow:
    step: int
    epoch: int
    loss: float
    perplexity: float
    reward_mean: float
    reward_max: float
    reward_min: float
    entropy: float
    kl: float
    clip_fraction: float
    grad_norm: float
    prompt_length: float
    response_length: float
    aborted: float


@attrs.frozen(kw_only=True)
class ValidationRow:
    step: int
    epoch: int
    loss: float
    perplexity: float
    reward_mean: float
    response_length: float


_TRAINING_HEADER = (
    "step_number",
    "epoch_number",
    "training_loss",
    "perplexity",
    "critic/rewards/mean",
    "critic/rewards/max",
    "critic/rewards/min",
    "actor/entropy",
    "actor/kl",
    "actor/pg_clipfrac",
    "actor/grad_norm",
    "prompt_length/mean",
    "response_length/mean",
    "response/aborted_ratio",
)
_VALIDATION_HEADER = ("step_number", "epoch_number", "validation_loss", "perplexity", "val-score/rewards/mean@1", "response_length/mean")


def prefix(output_uri: str, job_id: str) -> str:
    """S3 URI of the job's folder, with a slash at the end."""
    return f"{output_uri.rstrip('/')}/model-customization-job-{job_id}/"


def training_csv(rows: list[TrainingRow], *, malformed: bool = False) -> bytes:
    """`malformed` cuts a line short and leaves text where a number belongs: for the fault of that name."""
    return _csv(_TRAINING_HEADER, [attrs.astuple(row) for row in rows], malformed)


def validation_csv(rows: list[ValidationRow], *, malformed: bool = False) -> bytes:
    return _csv(_VALIDATION_HEADER, [attrs.astuple(row) for row in rows], malformed)


def note(*, prompts: int, filtered: int, steps: int) -> bytes:
    """Says in the output itself where it came from."""
    return (
        "Written by the local stand-in for Amazon Bedrock. The rewards are those of the deployed reward function; the policy that was\n"
        "trained is a small one over response strategies, not a language model.\n"
        f"Prompts trained on: {prompts}. Prompts left out because they exceed maxPromptLength: {filtered}. Steps: {steps}.\n"
    ).encode()


def _csv(header: tuple[str, ...], rows: list[tuple[Any, ...]], malformed: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{value:.6g}" if isinstance(value, float) else value for value in row] for row in rows)
    if malformed:
        text.write('0,0,not-a-number,"unfinished')
    return text.getvalue().encode()
