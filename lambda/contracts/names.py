"""Every name that two sides must write alike, written once.

CDK generates physical names; only what people or other systems type is fixed here.
"""

from __future__ import annotations

import re

REWARD_ALIAS = "live"
"""The alias of the reward function that a run resolves to one published version."""

EVENT_SOURCE = "rft"
"""`source` of every event this project puts on its own bus."""

# Environment variables of the functions.
ENV_ENVIRONMENT = "RFT_ENVIRONMENT"
ENV_SETTINGS = "RFT_SETTINGS"
ENV_DATASETS_BUCKET = "RFT_DATASETS_BUCKET"
ENV_RUNS_BUCKET = "RFT_RUNS_BUCKET"
ENV_BUS = "RFT_BUS"
ENV_TOPIC = "RFT_TOPIC_ARN"
ENV_STATE_MACHINE = "RFT_STATE_MACHINE_ARN"
ENV_REWARD_FUNCTION = "RFT_REWARD_FUNCTION"
ENV_REWARD_LOGS = "RFT_REWARD_LOG_GROUP"
ENV_JOB_ROLE = "RFT_JOB_ROLE_ARN"
ENV_MODEL_KEY = "RFT_MODEL_KEY_ARN"
ENV_SIGNING_KEY = "RFT_SIGNING_KEY_ARN"
ENV_SUBNETS = "RFT_JOB_SUBNETS"
ENV_SECURITY_GROUPS = "RFT_JOB_SECURITY_GROUPS"
ENV_JOB_MAKER = "RFT_JOB_MAKER_ARN"
ENV_DEPLOYMENT_MAKER = "RFT_DEPLOYMENT_MAKER_ARN"
"""The roles that make jobs and deployments in the pipeline; whoever else does is noticed."""
ENV_STOP_FOREIGN_JOBS = "RFT_STOP_FOREIGN_JOBS"
ENV_GRADER = "RFT_GRADER"
ENV_GRADER_OPTIONS = "RFT_GRADER_OPTIONS"
ENV_RECORD_LOCK = "RFT_RECORD_LOCK"
"""How a run's final records are locked, as `record_lock` writes it; only set where settings ask for a lock."""

ENV_CHAT_RUNBOOKS = "RFT_CHAT_RUNBOOKS"
"""Address or path in front of a runbook's name, for messages in chat; only set where a channel shows them."""

ENV_REWARD_IDENTITY = "RFT_REWARD_IDENTITY"
"""Hash of what a judge's verdicts depend on: models, prompts and their version, criteria. Only set where a model judges."""

APPROVAL_STATES = ("ApproveSpend", "AskToContinue", "ApproveRelease")
"""States of a run that wait for a person's answer."""

RUN_ID_MAX = 48
RUN_ID_PATTERN = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
"""A run id is also the execution name, the job name, the model name and the client token (after `job_name`).

Lower-case letters, digits and single hyphens are what all four patterns of the Bedrock API allow; with the prefix
`rft-<environment>-` it stays within their 63 characters.
"""

DATASET_NAME_PATTERN = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,31}")


def stack(environment: str, part: str) -> str:
    """Name of the stack that holds a part of the environment: foundation, pipeline or audit."""
    return f"rft-{environment}-{part}"


def bus(environment: str) -> str:
    """Name of the event bus other teams subscribe to."""
    return f"rft-{environment}"


def state_machine(environment: str) -> str:
    return f"rft-{environment}-run"


def released_watch(environment: str) -> str:
    """Name of the state machine that looks after the released model."""
    return f"rft-{environment}-released"


def dashboard(environment: str) -> str:
    return f"rft-{environment}"


def run_dashboard(environment: str) -> str:
    """Name of the dashboard that shows one run, chosen in it."""
    return f"rft-{environment}-run"


def trail(environment: str) -> str:
    """Name of the environment's audit trail; fixed, because its bucket and key name it before it exists."""
    return f"rft-{environment}"


def reward_function_prefix(environment: str) -> str:
    """How CloudFormation begins the name of the reward function: stack, then logical id."""
    return f"{stack(environment, 'pipeline')}-RewardGrader"


def job_name(environment: str, run_id: str) -> str:
    """Name of the customization job, the custom model and the deployment of a run: at most 63 characters."""
    return job_name_prefix(environment) + run_id


def job_name_prefix(environment: str) -> str:
    return f"rft-{environment}-"


def run_id_of_job(environment: str, name: str) -> str | None:
    """The run a job belongs to, or None when the job is not this environment's."""
    prefix = job_name_prefix(environment)
    return name[len(prefix) :] if name.startswith(prefix) and len(name) > len(prefix) else None


def signer_role_prefix(environment: str) -> str:
    """How CloudFormation begins the name of the role of RecordLineage, the only one that may sign: stack, then logical id."""
    return f"{stack(environment, 'pipeline')}-ReleaseRecordLineage"


def run_id_for(label: str, suffix: str) -> str:
    """A valid run id from a readable label and a suffix that makes it unique, at most `RUN_ID_MAX` characters."""
    clean = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "run"
    tail = re.sub(r"[^a-z0-9]+", "-", suffix.lower()).strip("-")
    return f"{clean[: RUN_ID_MAX - len(tail) - 1].rstrip('-')}-{tail}"


# --- SSM parameters, read by the command and by other teams -----------------------------------------------------------


def parameter(environment: str, name: str) -> str:
    return f"/rft/{environment}/{name}"


PARAM_DATASETS_BUCKET = "datasets-bucket"
PARAM_RUNS_BUCKET = "runs-bucket"
PARAM_STATE_MACHINE = "state-machine-arn"
PARAM_REWARD_FUNCTION = "reward-function"
PARAM_BUS = "bus"
PARAM_TOPIC = "topic-arn"
PARAM_ON_CALL = "on-call-topic-arn"
"""Where a paging tool subscribes that takes more than e-mail."""

PARAM_DASHBOARD = "dashboard"
PARAM_RUN_DASHBOARD = "run-dashboard"
PARAM_BACKUP_BUCKET = "backup-bucket"
PARAM_BUDGET = "budget"
"""The name of the environment's budget; absent where settings have none."""
"""Only where there is a backup."""

PARAMS_OF_BACKUP = (PARAM_DATASETS_BUCKET, PARAM_RUNS_BUCKET, PARAM_STATE_MACHINE, PARAM_BACKUP_BUCKET)
"""What `rft backup` looks up."""

PARAM_LINEAGE_KEYS = "lineage-keys"
"""ARNs of the keys whose signature on a run's records counts, separated by commas; the first is the one that signs."""

PARAM_RELEASED_MODEL = "released-model"
"""Written by the Release step, never by CloudFormation: a redeploy must not move the pointer."""

# --- Objects in the datasets bucket -----------------------------------------------------------------------------------

INCOMING = "incoming/"
DATASETS = "datasets/"
REJECTED = "rejected/"
FEEDBACK = "feedback/"

SPLIT_TRAIN = "train"
SPLIT_VALIDATION = "validation"
SPLIT_HELDOUT = "heldout"
SPLIT_REHEARSAL = "rehearsal"


def dataset_key(dataset: str, version: str, file: str) -> str:
    return f"{DATASETS}{dataset}/{version}/{file}"


def split_key(dataset: str, version: str, split: str) -> str:
    return dataset_key(dataset, version, f"{split}.jsonl")


def manifest_key(dataset: str, version: str) -> str:
    return dataset_key(dataset, version, "manifest.json")


def latest_key(dataset: str) -> str:
    return f"{DATASETS}{dataset}/latest.json"


def rejection_key(dataset: str, file: str, etag: str) -> str:
    return f"{REJECTED}{dataset}/{file}.{etag}.json"


def feedback_key(dataset: str, file: str) -> str:
    """What people said about answers to a dataset's prompts; `file` ends in .jsonl."""
    return f"{FEEDBACK}{dataset}/{file}"


def calibration_key(dataset: str, reward_version: str) -> str:
    """How well a published version of the reward agrees with a dataset's feedback.

    Named by the version and not by the code's hash: the options of the grader are in the version's environment, not in its code.
    """
    return f"{FEEDBACK}{dataset}/calibration/{reward_version}.json"


# --- Objects in the runs bucket: one prefix per purpose, so that each role gets exactly one ---------------------------

STAGED = "staged/"
OUTPUT = "output/"
RECORDS = "records/"
TOKENS = "tokens/"
TURNS = "turns/"
FOREIGN = "foreign/"


LINEAGE = "lineage.json"
ATTESTATION = "lineage.dsse.json"
"""The signed statement about all the other records of a run."""


def staged_key(run_id: str, split: str) -> str:
    return f"{STAGED}{run_id}/{split}.jsonl"


def output_prefix(run_id: str) -> str:
    return f"{OUTPUT}{run_id}/"


def record_key(run_id: str, file: str) -> str:
    """`file` is one of plan.json, rehearsal.json, trend.json, evaluation/<model>-<first>.json, gate.json, `LINEAGE`, `ATTESTATION`."""
    return f"{RECORDS}{run_id}/{file}"


def turn_key(number: int) -> str:
    """Which run holds one of the environment's `training.max_running` places for a job, counted from 1."""
    return f"{TURNS}{number}.json"


TURN_LINE = f"{TURNS}line.json"
"""The runs that wait for a place, the first to ask first."""


FINAL_RECORDS = ("plan.json", "rehearsal.json", "gate.json", "lineage.json", "lineage.dsse.json")
"""What a run decides on and ends with: written once or twice, so a lock on each version costs nothing. `trend.json` is written at each
poll."""


def is_final_record(key: str) -> bool:
    return key.startswith(RECORDS) and key.removeprefix(RECORDS).partition("/")[2] in FINAL_RECORDS


def record_lock(mode: str, days: int) -> str:
    """The value of `ENV_RECORD_LOCK`: Object Lock's mode, governance or compliance, and the days it holds."""
    return f"{mode.upper()}:{days}"


def token_key(run_id: str, kind: str) -> str:
    """Where a waiting state leaves its task token; `kind` is job, spend or release."""
    return f"{TOKENS}{run_id}/{kind}.json"


# --- Backup: what cannot be made again ---------------------------------------------------------------------------------

BACKED_UP_DATASETS = (DATASETS, FEEDBACK)
"""Prefixes of the datasets bucket. Uploads are not among them: what they became is."""

BACKED_UP_RUNS = (RECORDS,)
"""Prefixes of the runs bucket. Staged data is a copy, and Bedrock's output is in the model."""


def replication_rule(prefix: str) -> str:
    """Id of the rule that copies a prefix, which is also a dimension of S3's replication metrics."""
    return f"backup-{prefix.rstrip('/')}"


def people_role(environment: str, role: str) -> str:
    """`role` in words run together: `BreakGlass` is rft-<environment>-break-glass. Fixed, because people type it."""
    return f"rft-{environment}" + "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in role)


def restore_role(environment: str) -> str:
    """Fixed, because people type it."""
    return f"rft-{environment}-restore"


def budget_role(environment: str) -> str:
    """Under which AWS Budgets attaches `budget_policy`; fixed, because the boundary makes an exception for it."""
    return f"rft-{environment}-budget"


def budget_policy(environment: str) -> str:
    """The policy that refuses what costs; fixed, because a refusal names it and the boundary lets no other be attached."""
    return f"rft-{environment}-budget-used-up"


def foreign_key(finding: str) -> str:
    """What was found made beside the pipeline, written once when it was told."""
    return f"{FOREIGN}{finding}.json"


# --- Keys that staging adds to a training record; they come back in the grader event's metadata -------------------------

META_RUN_ID = "rft_run_id"
META_SPLIT = "rft_split"
META_RECORD_ID = "rft_record_id"
