"""The settings that both the stacks and the functions read. Ranges are those of the Bedrock API where it has them.

Source of ranges: API reference, RFTHyperParameters, and botocore's service model of `bedrock`.
"""

from __future__ import annotations

import math
import re

import attrs

from contracts.guard_settings import GuardRailSettings
from contracts.sweep_settings import SweepSettings
from contracts.validation import matching, number, one_of, whole

NOVA_2_LITE = "amazon.nova-2-lite-v1:0:256k"

RFT_REGIONS: dict[str, tuple[str, ...]] = {NOVA_2_LITE: ("us-east-1",)}
"""Models the Bedrock control plane trains by reinforcement, and where (user guide, rft-nova-models).

The API cannot be asked: GetFoundationModel does not advertise reinforcement fine-tuning.
"""

INFERENCE_MODEL: dict[str, str] = {NOVA_2_LITE: "us.amazon.nova-2-lite-v1:0"}
"""What Converse is given to reach the base model. The customization id has a `:256k` suffix that inference lacks, and
Nova 2 Lite is served on demand through a cross-Region inference profile."""

MAX_POLLS = 1500
"""Status checks of one job. An execution's history holds 25,000 events and a check takes 13 of them."""

MIN_PROMPTS, MAX_PROMPTS = 100, 20_000
"""Prompts in a training set (user guide, rft-prepare-data)."""


@attrs.frozen(kw_only=True)
class HyperParameters:
    """What `customizationConfig.rftConfig.hyperParameters` holds, always explicit: the API's defaults are undocumented."""

    epoch_count: int = attrs.field(default=2, validator=whole(1, 50))
    batch_size: int = attrs.field(default=32, validator=whole(16, 512))
    learning_rate: float = attrs.field(default=5e-5, validator=number(1e-7, 1e-3))
    max_prompt_length: int = attrs.field(default=1024, validator=whole(16, 262_144))
    training_sample_per_prompt: int = attrs.field(default=4, validator=whole(2, 16))
    inference_max_tokens: int = attrs.field(default=768, validator=whole(16, 65_536))
    reasoning_effort: str = attrs.field(default="low", validator=one_of("low", "medium", "high"))
    eval_interval: int = attrs.field(default=10, validator=whole(1, 100))


@attrs.frozen(kw_only=True)
class HyperParameterChanges:
    """What a run request may set; None keeps the environment's value."""

    epoch_count: int | None = attrs.field(default=None, validator=whole(1, 50))
    batch_size: int | None = attrs.field(default=None, validator=whole(16, 512))
    learning_rate: float | None = attrs.field(default=None, validator=number(1e-7, 1e-3))
    max_prompt_length: int | None = attrs.field(default=None, validator=whole(16, 262_144))
    training_sample_per_prompt: int | None = attrs.field(default=None, validator=whole(2, 16))
    inference_max_tokens: int | None = attrs.field(default=None, validator=whole(16, 65_536))
    reasoning_effort: str | None = attrs.field(default=None, validator=one_of("low", "medium", "high"))
    eval_interval: int | None = attrs.field(default=None, validator=whole(1, 100))


@attrs.frozen(kw_only=True)
class Caps:
    """The most a run request may ask for in this environment."""

    epoch_count: int = attrs.field(default=5, validator=whole(1, 50))
    batch_size: int = attrs.field(default=128, validator=whole(16, 512))
    training_sample_per_prompt: int = attrs.field(default=8, validator=whole(2, 16))
    inference_max_tokens: int = attrs.field(default=4096, validator=whole(16, 65_536))
    prompts: int = attrs.field(default=MAX_PROMPTS, validator=whole(MIN_PROMPTS, MAX_PROMPTS))
    usd: float = attrs.field(default=500.0, validator=number(0, 1e6))


@attrs.frozen(kw_only=True)
class Prices:
    """Prices the estimate uses. Not published by any source the project could read: take them from the price page.

    Attributes:
        training_usd_per_million_tokens: for prompt and generated tokens of training.
        inference_usd_per_million_tokens: for prompt and generated tokens of evaluation.
        training_tokens_per_second: throughput behind the estimate of hours.
    """

    training_usd_per_million_tokens: float = attrs.field(default=5.0, validator=number(0, 1e5))
    inference_usd_per_million_tokens: float = attrs.field(default=2.5, validator=number(0, 1e5))
    training_tokens_per_second: float = attrs.field(default=2500.0, validator=number(1, 1e9))


@attrs.frozen(kw_only=True)
class TrainingSettings:
    """How a job is started and followed.

    Attributes:
        poll_seconds: how long to wait for Bedrock's event before asking for the status.
        max_hours: a job older than this is stopped.
        max_running: jobs of this environment at once; further runs wait for their turn.
        turn_hours: how long a run waits for its turn before it ends.
    """

    base_model: str = attrs.field(default=NOVA_2_LITE, validator=one_of(*RFT_REGIONS))
    poll_seconds: int = attrs.field(default=600, validator=whole(60, 3600))
    max_hours: float = attrs.field(default=24.0, validator=number(1, 168))
    max_running: int = attrs.field(default=1, validator=whole(1, 20))
    turn_hours: int = attrs.field(default=72, validator=whole(1, 336))
    hyperparameters: HyperParameters = attrs.field(factory=HyperParameters)
    caps: Caps = attrs.field(factory=Caps)
    prices: Prices = attrs.field(factory=Prices)

    def __attrs_post_init__(self) -> None:
        polls = self.max_hours * 3600 / self.poll_seconds
        if polls > MAX_POLLS:
            least = math.ceil(self.max_hours * 3600 / MAX_POLLS)
            raise ValueError(f"poll_seconds = {self.poll_seconds}: with max_hours = {self.max_hours:g} allowed is {least} or more")


_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(?:\d{12}|\*):(?:role|user|assumed-role)/[\w+=,.@*/-]{1,512}")


def _principals(_instance: object, _attribute: object, value: list[str]) -> None:
    for principal in value:
        if not _PRINCIPAL.fullmatch(principal):
            raise ValueError(f"allowed are ARNs such as arn:aws:iam::*:role/rft-prod-approver, and {principal!r} is none")


@attrs.frozen(kw_only=True)
class ApprovalSettings:
    """When a person must say yes.

    Attributes:
        spend_above_usd: an estimate above this waits for approval before any money is spent.
        release: whether every release waits for a person.
        timeout_hours: how long a run waits before it ends unapproved.
        approvers: ARNs of roles or users who may say yes, with `*` for any text; empty lets any principal of the account that may
            answer. A role's session counts as its role, named without its path: ``arn:aws:iam::*:role/rft-prod-approver``.
        four_eyes: whoever asked for a run may not approve it, under whichever role: one session name is one person. A request must then
            prove who asks, as `rft run start` does.
    """

    spend_above_usd: float = attrs.field(default=50.0, validator=number(0, 1e6))
    release: bool = attrs.field(default=True)
    timeout_hours: int = attrs.field(default=72, validator=whole(1, 720))
    approvers: list[str] = attrs.field(factory=list, validator=_principals)
    four_eyes: bool = attrs.field(default=False)


@attrs.frozen(kw_only=True)
class EvaluationSettings:
    """How base and candidate are compared.

    Attributes:
        chunk_prompts: held-out prompts one function call answers.
        max_prompts: held-out prompts used at the most.
        margin: the candidate's mean score must exceed the base's by at least this.
        confidence: of the interval whose lower end must be above zero.
    """

    chunk_prompts: int = attrs.field(default=25, validator=whole(1, 200))
    max_prompts: int = attrs.field(default=400, validator=whole(10, 2000))
    margin: float = attrs.field(default=0.02, validator=number(0, 1))
    confidence: float = attrs.field(default=0.95, validator=number(0.5, 0.999))


@attrs.frozen(kw_only=True)
class CalibrationSettings:
    """How well the reward must agree with people. The lower end of a 95 % interval is held against each floor.

    Attributes:
        required: whether a run needs a calibrated reward version; without it nothing is checked.
        min_pair_agreement: share of preference pairs on which the reward must side with people; a coin has 0.5.
        min_rank_correlation: Spearman's, between scores and ratings.
        min_samples: pairs, or ratings, below which they are not judged; one of both must reach it.
    """

    required: bool = attrs.field(default=False)
    min_pair_agreement: float = attrs.field(default=0.6, validator=number(0, 1))
    min_rank_correlation: float = attrs.field(default=0.3, validator=number(-1, 1))
    min_samples: int = attrs.field(default=30, validator=whole(5, 20_000))


@attrs.frozen(kw_only=True)
class DatasetSettings:
    """What an upload must look like, and how it is split (the rest is training)."""

    max_megabytes: int = attrs.field(default=100, validator=whole(1, 1000))
    validation_fraction: float = attrs.field(default=0.1, validator=number(0.01, 0.4))
    heldout_fraction: float = attrs.field(default=0.15, validator=number(0.01, 0.4))


@attrs.frozen(kw_only=True)
class TriggerSettings:
    """What starts a run besides a person.

    Attributes:
        on_dataset_registered: start one when a dataset version is registered.
        schedule: an EventBridge Scheduler expression such as ``rate(7 days)``; empty for none.
        schedule_dataset: the dataset a scheduled run trains on, at its latest version.
    """

    on_dataset_registered: bool = attrs.field(default=False)
    schedule: str = attrs.field(default="", validator=matching(r"|(?:rate|cron)\([^()]+\)", "rate(...), cron(...) or an empty string"))
    schedule_dataset: str = attrs.field(
        default="", validator=matching(r"|[a-z0-9](?:-?[a-z0-9]){0,31}", "a dataset name or an empty string")
    )


@attrs.frozen(kw_only=True)
class PipelineSettings:
    """What the pipeline's functions are given, as JSON in their environment."""

    training: TrainingSettings = attrs.field(factory=TrainingSettings)
    guard_rails: GuardRailSettings = attrs.field(factory=GuardRailSettings)
    sweep: SweepSettings = attrs.field(factory=SweepSettings)
    approval: ApprovalSettings = attrs.field(factory=ApprovalSettings)
    evaluation: EvaluationSettings = attrs.field(factory=EvaluationSettings)
    calibration: CalibrationSettings = attrs.field(factory=CalibrationSettings)
    dataset: DatasetSettings = attrs.field(factory=DatasetSettings)
