"""One environment's settings: `environments/<name>.toml`, typed and checked before anything is synthesised.

`contracts.settings` holds the part that the functions read as well; what only the stacks need is here.
"""

from __future__ import annotations

import ipaddress
import json
import math
import tomllib
from pathlib import Path
from typing import Any

import attrs
from contracts.errors import InvalidInput
from contracts.guard_settings import GuardRailSettings
from contracts.judges import judges
from contracts.settings import (
    RFT_REGIONS,
    ApprovalSettings,
    CalibrationSettings,
    DatasetSettings,
    EvaluationSettings,
    PipelineSettings,
    TrainingSettings,
    TriggerSettings,
)
from contracts.sweep_settings import SweepSettings
from contracts.validation import matching, one_of, structure, whole
from reward import graders

from stacks import backup_settings, budget_settings, chat_settings, judge_settings, perimeter_settings
from stacks.access_settings import AccessSettings
from stacks.alarm_settings import AlarmSettings, NotificationSettings
from stacks.audit_settings import AuditSettings
from stacks.backup_settings import LOCK_MODES, BackupSettings
from stacks.budget_settings import BudgetSettings
from stacks.chat_settings import ChatSettings
from stacks.judge_settings import JudgeSettings
from stacks.perimeter_settings import PerimeterSettings

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "environments"

LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Retention periods CloudWatch Logs accepts (API reference, PutRetentionPolicy)."""


class _OneOfNumbers:
    def __init__(self, allowed: tuple[int, ...]) -> None:
        self.allowed = allowed

    def __call__(self, _instance: object, _attribute: object, value: int) -> None:
        if value not in self.allowed:
            raise ValueError(f"allowed is one of {', '.join(map(str, self.allowed))}")


def _private_network(_instance: object, _attribute: object, value: str) -> None:
    allowed = "allowed is a private IPv4 network from /16 to /24, such as 10.40.0.0/20"
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError:
        raise ValueError(allowed) from None
    if not network.is_private or not 16 <= network.prefixlen <= 24:
        raise ValueError(allowed)


MAX_OPTIONS_BYTES = 3000
"""Of `reward.options` as JSON: it travels in an environment variable, and Lambda gives all of a function's together 4 KB."""


def _grader_options(_instance: object, _attribute: object, value: dict[str, Any]) -> None:
    for key, option in value.items():
        if not _is_plain(option, 0):
            raise ValueError(f"allowed are strings, finite numbers, true, false, and lists and tables of them, and {key!r} is none of them")
    size = len(json.dumps(value).encode())
    if size > MAX_OPTIONS_BYTES:
        raise ValueError(f"allowed are {MAX_OPTIONS_BYTES} bytes as JSON, and these are {size}")


def _is_plain(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        return depth < 32 and all(isinstance(key, str) and _is_plain(entry, depth + 1) for key, entry in value.items())
    if isinstance(value, list):
        return depth < 32 and all(_is_plain(entry, depth + 1) for entry in value)
    return isinstance(value, (str, int, bool)) or (isinstance(value, float) and math.isfinite(value))


INSIDE, OUTSIDE = "inside", "outside"


@attrs.frozen(kw_only=True)
class NetworkSettings:
    """The VPC that functions and jobs run in; it has no route to the internet.

    Attributes:
        vpc_cidr: a private IPv4 network, /16 to /24. Split evenly over the zones.
        availability_zones: 1 to 3. Each adds the hourly price of every interface endpoint.
        functions: where the pipeline's own functions run: `inside` the VPC, or `outside`, where they need none of its endpoints. Job and
            reward function stay inside. Refused where `protect` is true: outside, what a function's code sends leaves past every endpoint.
    """

    vpc_cidr: str = attrs.field(default="10.40.0.0/20", validator=_private_network)
    availability_zones: int = attrs.field(default=2, validator=whole(1, 3))
    functions: str = attrs.field(default=INSIDE, validator=one_of(INSIDE, OUTSIDE))

    @property
    def functions_inside(self) -> bool:
        return self.functions == INSIDE


@attrs.frozen(kw_only=True)
class RetentionSettings:
    """How long things are kept.

    Attributes:
        log_days: log groups; one of `LOG_DAYS`.
        noncurrent_days: replaced or deleted versions of objects.
        access_log_days: S3 access logs.
        staged_days: the copies of the training data a job reads; the registered dataset is kept.
        lock_mode: none, governance (may be lifted by who may bypass it) or compliance (by nobody, the root user included): S3 Object
            Lock on everything in the datasets bucket and on a run's final records.
        lock_days: how long each version of these can be neither deleted nor replaced.
    """

    log_days: int = attrs.field(default=90, validator=_OneOfNumbers(LOG_DAYS))
    noncurrent_days: int = attrs.field(default=90, validator=whole(1, 3650))
    access_log_days: int = attrs.field(default=365, validator=whole(1, 3650))
    staged_days: int = attrs.field(default=30, validator=whole(1, 3650))
    lock_mode: str = attrs.field(default="none", validator=one_of(*LOCK_MODES))
    lock_days: int = attrs.field(default=90, validator=whole(1, 3650))

    @property
    def locks(self) -> bool:
        return self.lock_mode != "none"


@attrs.frozen(kw_only=True)
class RewardSettings:
    """The reward function.

    Attributes:
        grader: name of a grader: a module of `lambda/reward/graders`, or of one's own in `lambda/reward/custom`.
        options: the grader's own options, nested ones included; at most `MAX_OPTIONS_BYTES` as JSON.
        timeout_seconds: 3 to 900, Lambda's own range for what Bedrock may call.
        memory_mb: 128 to 10240.
        reserved_concurrency: calls at once, set aside for this function; absent shares the account's. Bedrock takes a
            throttled call for a failed grader, so a small number is worse than none.
    """

    grader: str = attrs.field(default="math", validator=matching(r"[a-z][a-z0-9_]{0,63}", "lower-case letters, digits and underscores"))
    options: dict[str, Any] = attrs.field(factory=dict, validator=_grader_options)
    timeout_seconds: int = attrs.field(default=60, validator=whole(3, 900))
    memory_mb: int = attrs.field(default=512, validator=whole(128, 10_240))
    reserved_concurrency: int | None = attrs.field(default=None, validator=whole(1, 10_000))


@attrs.frozen(kw_only=True)
class EnvironmentSettings:
    """Everything about one environment.

    Attributes:
        name: the file's name without `.toml`; part of every fixed name.
        account: 12 digits, or empty to deploy wherever the credentials point.
        region: where everything is; must be one that trains the model.
        protect: termination protection on the stateful stack, and RETAIN on all it holds.
    """

    name: str = attrs.field(validator=matching(r"[a-z][a-z0-9]{1,7}", "2 to 8 lower-case letters and digits, a letter first"))
    account: str = attrs.field(default="", validator=matching(r"|\d{12}", "12 digits or an empty string"))
    region: str = attrs.field(validator=matching(r"[a-z]{2}(?:-gov)?-[a-z]+-\d", "an AWS Region such as us-east-1"))
    protect: bool = attrs.field(default=True)
    network: NetworkSettings = attrs.field(factory=NetworkSettings)
    retention: RetentionSettings = attrs.field(factory=RetentionSettings)
    backup: BackupSettings = attrs.field(factory=BackupSettings)
    access: AccessSettings = attrs.field(factory=AccessSettings)
    reward: RewardSettings = attrs.field(factory=RewardSettings)
    audit: AuditSettings = attrs.field(factory=AuditSettings)
    judge: JudgeSettings = attrs.field(factory=JudgeSettings)
    perimeter: PerimeterSettings = attrs.field(factory=PerimeterSettings)
    alarms: AlarmSettings = attrs.field(factory=AlarmSettings)
    notifications: NotificationSettings = attrs.field(factory=NotificationSettings)
    chat: ChatSettings = attrs.field(factory=ChatSettings)
    budget: BudgetSettings = attrs.field(factory=BudgetSettings)
    triggers: TriggerSettings = attrs.field(factory=TriggerSettings)
    training: TrainingSettings = attrs.field(factory=TrainingSettings)
    guard_rails: GuardRailSettings = attrs.field(factory=GuardRailSettings)
    sweep: SweepSettings = attrs.field(factory=SweepSettings)
    approval: ApprovalSettings = attrs.field(factory=ApprovalSettings)
    evaluation: EvaluationSettings = attrs.field(factory=EvaluationSettings)
    calibration: CalibrationSettings = attrs.field(factory=CalibrationSettings)
    dataset: DatasetSettings = attrs.field(factory=DatasetSettings)

    @property
    def pipeline(self) -> PipelineSettings:
        """The part the functions are given."""
        return PipelineSettings(
            training=self.training,
            guard_rails=self.guard_rails,
            sweep=self.sweep,
            approval=self.approval,
            evaluation=self.evaluation,
            calibration=self.calibration,
            dataset=self.dataset,
        )


def load(path: Path) -> EnvironmentSettings:
    """Reads and checks one environment.

    Raises:
        InvalidInput: naming the file and, for each fault, the key, its value and what is allowed.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(found.stem for found in path.parent.glob("*.toml"))) or "none"
        raise InvalidInput(where, [f"there is no such file; environments here: {known}"]) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(where, [f"byte {error.start} is not UTF-8; allowed is TOML in UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(where, [f"is not valid TOML: {error}"]) from None
    settings = structure(data, EnvironmentSettings, where)
    problems = _contradictions(settings, path.stem)
    if problems:
        raise InvalidInput(where, problems)
    return settings


def load_all(*, only: str | None = None, directory: Path = ENVIRONMENTS) -> list[EnvironmentSettings]:
    """The environments in `directory`, or those named in `only`, separated by commas.

    Raises:
        InvalidInput: with the faults of every file, not just the first.
    """
    names = [name.strip() for name in only.split(",")] if only else sorted(found.stem for found in directory.glob("*.toml"))
    loaded: list[EnvironmentSettings] = []
    faults: list[InvalidInput] = []
    for name in names:
        try:
            loaded.append(load(directory / f"{name}.toml"))
        except InvalidInput as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise InvalidInput(directory.name, [f"{fault.where}: {problem}" for fault in faults for problem in fault.problems])
    if not loaded:
        raise InvalidInput(directory.name, ["holds no environment; allowed is at least one <name>.toml"])
    return loaded


def _contradictions(settings: EnvironmentSettings, stem: str) -> list[str]:
    """Faults that only show when keys are read together."""
    problems: list[str] = []
    if settings.name != stem:
        problems.append(f"name = {settings.name!r}: allowed is the file's own name, {stem!r}")
    problems += _network_problems(settings)
    problems += backup_settings.problems(settings.backup)
    problems += budget_settings.problems(settings.budget, protect=settings.protect)
    problems += chat_settings.problems(settings.chat)
    problems += _grader_problems(settings.reward)
    problems += judge_settings.problems(
        settings.reward.grader,
        settings.reward.options,
        timeout_seconds=settings.reward.timeout_seconds,
        region=settings.region,
        judge=settings.judge,
    )
    problems += perimeter_settings.problems(settings.perimeter)
    regions = RFT_REGIONS[settings.training.base_model]
    if settings.region not in regions:
        problems.append(
            f"region = {settings.region!r}: allowed is {', '.join(regions)}, where Bedrock trains "
            f"training.base_model = {settings.training.base_model!r} by reinforcement"
        )
    chosen, caps = settings.training.hyperparameters, settings.training.caps
    for key in ("epoch_count", "batch_size", "training_sample_per_prompt", "inference_max_tokens"):
        value, most = getattr(chosen, key), getattr(caps, key)
        if value > most:
            problems.append(f"training.hyperparameters.{key} = {value}: allowed is at most training.caps.{key} = {most}")
    if settings.approval.spend_above_usd > caps.usd:
        problems.append(
            f"approval.spend_above_usd = {settings.approval.spend_above_usd:g}: allowed is at most training.caps.usd = {caps.usd:g}, "
            "above which a run is refused and nobody is asked"
        )
    if settings.alarms.approval_hours >= settings.approval.timeout_hours:
        problems.append(
            f"alarms.approval_hours = {settings.alarms.approval_hours:g}: allowed is less than approval.timeout_hours = "
            f"{settings.approval.timeout_hours}, after which an unanswered approval ends the run"
        )
    rails = settings.guard_rails
    if rails.falling_share < rails.collapse_share:
        problems.append(
            f"guard_rails.falling_share = {rails.falling_share:g}: allowed is guard_rails.collapse_share = {rails.collapse_share:g} or "
            "more, because a reward falls before it collapses"
        )
    if settings.triggers.schedule and not settings.triggers.schedule_dataset:
        problems.append("triggers.schedule_dataset = '': allowed is the name of a dataset, because triggers.schedule is set")
    if settings.triggers.schedule_dataset and not settings.triggers.schedule:
        problems.append("triggers.schedule = '': allowed is rate(...) or cron(...), because triggers.schedule_dataset is set")
    return problems


def _network_problems(settings: EnvironmentSettings) -> list[str]:
    if settings.network.functions_inside:
        return []
    said = f"network.functions = {settings.network.functions!r}: allowed is {INSIDE!r}"
    reasons = {
        "protect = true: functions of a protected environment have no way past the VPC's endpoints": settings.protect,
        "perimeter.data_through_vpc_only = true refuses them the data buckets": settings.perimeter.data_through_vpc_only,
    }
    return [f"{said}, because {reason}" for reason, holds in reasons.items() if holds]


def _grader_problems(reward: RewardSettings) -> list[str]:
    # Built here as the function would build it, so that a wrong option stops a synthesis and not a paid job.
    try:
        graders.build(reward.grader, reward.options)
    except InvalidInput as fault:
        return [f"reward.{problem}" for problem in fault.problems]
    symbolic = _batch_seconds(reward, "symbolic")
    least = symbolic + _batch_seconds(reward, "judge") + judge_settings.SPARE_SECONDS  # one after the other at the worst
    if symbolic and least > reward.timeout_seconds:
        return [
            f"reward.timeout_seconds = {reward.timeout_seconds}: allowed is {least:g} or more, "
            f"because symbolic answers may take {symbolic:g} (batch_seconds in the grader's options)"
        ]
    return []


def _batch_seconds(reward: RewardSettings, kind: str) -> float:
    """Seconds that the graders of a kind may take over one batch together; 0 without one."""
    found = [options for _, options in judges(reward.grader, reward.options, kind=kind)]
    default = graders.options_of(kind)["batch_seconds"] if found else 0.0
    return sum(float(options.get("batch_seconds", default)) for options in found)
