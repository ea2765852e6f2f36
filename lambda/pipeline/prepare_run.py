"""PrepareRun: resolves a request against the environment's caps, stages the data, and writes the plan.

Event `{run_id, request}`; gives the `Plan`. A retry gives the plan the first attempt stored: what `latest` and `live` meant then holds.

Permissions:
  s3:GetObject on <datasets bucket>/datasets/*; s3:ListBucket on the datasets bucket, s3:prefix datasets/*
  s3:PutObject on <runs bucket>/staged/*, <runs bucket>/records/*; s3:GetObject on <runs bucket>/records/*;
  s3:ListBucket on the runs bucket, s3:prefix records/*
  kms:Decrypt, kms:GenerateDataKey on the data key
  lambda:GetAlias on the reward function; lambda:GetFunctionConfiguration on the reward function and its versions (:*)
Environment: RFT_ENVIRONMENT, RFT_SETTINGS, RFT_DATASETS_BUCKET, RFT_RUNS_BUCKET, RFT_REWARD_FUNCTION.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs
from botocore.exceptions import ClientError
from contracts import names
from contracts.emf import emit
from contracts.errors import InvalidInput
from contracts.metrics import Metric
from contracts.run import Plan, RunRequest
from contracts.settings import PipelineSettings
from contracts.validation import plain, structure

from pipeline import aws, config, planning, proof, safety, store
from pipeline.task import Event, Result, log, now, task

WHERE = "run request"
MAX_PLAN_CHARACTERS = 100_000
"""The plan travels through every state, whose payload may hold 256 KiB."""


@attrs.frozen
class Reward:
    """A published version of the reward function."""

    arn: str
    version: str
    sha256: str
    grader: str
    options: str
    identity: str


@attrs.frozen
class Staged:
    """What staging measured of the training split."""

    prompt_tokens: float
    too_long: int


@task
def handler(event: Event) -> Result:
    run_id = str(event.get("run_id", ""))
    try:
        return _prepared(run_id, event.get("request"))
    except InvalidInput:
        emit({Metric.RUN_REFUSED: 1}, environment=config.environment(), run_id=None)
        raise


def _prepared(run_id: str, asked: object) -> Result:
    request = structure(asked, RunRequest, WHERE)
    problems = run_id_problems(run_id)
    settings = config.settings()
    hyperparameters = planning.merged(request, settings)
    problems += planning.over_caps(hyperparameters, settings.training.caps)
    problems += planning.wrong_region(settings.training.base_model, config.region())
    if problems:
        raise InvalidInput(WHERE, problems)
    stored = store.find_json(*store.record(run_id, "plan.json"))
    if stored is not None:
        return plain(structure(stored, Plan, f"records/{run_id}/plan.json"))  # type: ignore[no-any-return]

    requester = requester_of(run_id, request, four_eyes=settings.approval.four_eyes)
    manifest = _manifest(request)
    reward = reward_of(request.reward_version)
    prompts = {split: int(count) for split, count in manifest["prompts"].items()}
    problems = planning.prompt_problems(prompts, 0, settings.training.caps, hyperparameters.max_prompt_length)
    if problems:
        raise InvalidInput(f"dataset {manifest['dataset']}, version {manifest['version']}", problems)

    staged = _stage(run_id, manifest, hyperparameters.max_prompt_length)
    problems = planning.prompt_problems(prompts, staged.too_long, settings.training.caps, hyperparameters.max_prompt_length)
    if problems:
        raise InvalidInput(WHERE, problems)
    plan = _plan(run_id, request=request, settings=settings, manifest=manifest, reward=reward, staged=staged, requester=requester)
    if plan.estimate.usd > settings.training.caps.usd:
        raise InvalidInput(
            WHERE, [f"is estimated at ${plan.estimate.usd:,.2f}; allowed is at most ${settings.training.caps.usd:,.2f} in this environment"]
        )
    result: Result = plain(plan)
    if len(json.dumps(result)) > MAX_PLAN_CHARACTERS:
        raise InvalidInput(WHERE, [f"the evaluation needs {len(plan.evaluation)} calls; allowed is a larger evaluation.chunk_prompts"])
    if not store.write_once(*store.record(run_id, "plan.json"), result):
        # Another attempt of the same state was quicker; two plans for one run must not exist.
        return plain(structure(store.read_json(*store.record(run_id, "plan.json")), Plan, "plan.json"))  # type: ignore[no-any-return]
    emit({Metric.SPEND_ESTIMATED: plan.estimate.usd}, environment=plan.environment, run_id=run_id)
    return result


def run_id_problems(run_id: str) -> list[str]:
    """A line if the execution name cannot be a run id."""
    if len(run_id) <= names.RUN_ID_MAX and names.RUN_ID_PATTERN.fullmatch(run_id):
        return []
    return [
        f"the execution name {run_id[:80]!r} cannot be a run id: allowed are 1 to {names.RUN_ID_MAX} lower-case letters, digits "
        "and single hyphens"
    ]


def requester_of(run_id: str, request: RunRequest, *, four_eyes: bool) -> str:
    """ARN of whoever asked, as STS names it; empty when the request proves nobody.

    Raises:
        InvalidInput: where two people must agree and one is not known, or a proof is there and false.
    """
    if not request.proof:
        if four_eyes:
            raise InvalidInput(
                WHERE, ["proof is missing, and approval.four_eyes asks who requests; allowed is a run started with: rft run start"]
            )
        return ""
    try:
        return proof.prove(request.proof, request_claim(config.environment(), run_id, request)).arn
    except proof.NotProven as fault:
        raise InvalidInput(WHERE, [f"who asks is not proven: {fault}"]) from None


def request_claim(environment: str, run_id: str, request: RunRequest) -> str:
    """What the signature under a request is bound to."""
    return proof.claim(environment=environment, run_id=run_id, kind=proof.REQUEST, decision="start", reason=request.dataset)


def _manifest(request: RunRequest) -> dict[str, Any]:
    bucket = config.variable(names.ENV_DATASETS_BUCKET)
    version = request.dataset_version
    if version == "latest":
        latest = store.find_json(bucket, names.latest_key(request.dataset))
        if latest is None:
            raise InvalidInput(
                WHERE,
                [f"dataset = {request.dataset!r}: no version of it is registered; allowed is one under s3://{bucket}/{names.DATASETS}"],
            )
        version = str(latest["version"])
    manifest = store.find_json(bucket, names.manifest_key(request.dataset, version))
    if manifest is None:
        raise InvalidInput(
            WHERE,
            [f"dataset_version = {version!r}: not a registered version of {request.dataset!r}; allowed is latest or one of its versions"],
        )
    return dict(manifest)


def reward_of(version: str) -> Reward:
    """The published version of the reward function that a version number, or ``live``, stands for.

    Raises:
        InvalidInput: if there is no such version, or the alias does not point at exactly one.
    """
    function, lambda_ = config.variable(names.ENV_REWARD_FUNCTION), aws.functions()
    try:
        if version == names.REWARD_ALIAS:
            alias = lambda_.get_alias(FunctionName=function, Name=names.REWARD_ALIAS)
            version = alias["FunctionVersion"]
            if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
                raise InvalidInput(WHERE, ["reward_version = 'live': the alias is split over versions; allowed is one version a run"])
            if not version.isdigit():
                raise InvalidInput(
                    WHERE, ["reward_version = 'live': the alias points at code that can change; allowed is a published version"]
                )
        described = lambda_.get_function_configuration(FunctionName=function, Qualifier=version)
    except ClientError as error:
        if aws.code_of(error) == "ResourceNotFoundException":
            raise InvalidInput(
                WHERE, [f"reward_version = {version!r}: not a published version; allowed is live or a version number"]
            ) from None
        raise
    return _described(described, version)


def _described(described: Mapping[str, Any], version: str) -> Reward:
    # The options are no part of the code, so the code's hash alone would call two different judges one.
    variables: Mapping[str, str] = described.get("Environment", {}).get("Variables", {})
    settings = [variables.get(name, "") for name in (names.ENV_GRADER, names.ENV_GRADER_OPTIONS, names.ENV_REWARD_IDENTITY)]
    return Reward(
        arn=described["FunctionArn"],
        version=version,
        sha256=described["CodeSha256"],
        grader=settings[0],
        options=settings[1] or "{}",
        identity=hashlib.sha256(json.dumps([described["CodeSha256"], *settings]).encode()).hexdigest(),
    )


def _stage(run_id: str, manifest: Mapping[str, Any], max_prompt_length: int) -> Staged:
    source, target = config.variable(names.ENV_DATASETS_BUCKET), config.variable(names.ENV_RUNS_BUCKET)
    total, too_long, count = 0.0, 0, 0
    for split in (names.SPLIT_TRAIN, names.SPLIT_VALIDATION):
        key = names.split_key(manifest["dataset"], manifest["version"], split)
        body = store.read_bytes(source, key)
        if hashlib.sha256(body).hexdigest() != manifest["files"][split]["sha256"]:
            raise InvalidInput(store.uri(source, key), ["is not what was registered: its SHA-256 differs from the manifest's"])
        if split == names.SPLIT_TRAIN:
            for record in store.lines_of(body):
                tokens = planning.tokens_of(record)
                total, count, too_long = total + min(tokens, max_prompt_length), count + 1, too_long + (tokens > max_prompt_length)
        store.write_lines(
            target, names.staged_key(run_id, split), (staged_record(record, run_id, split) for record in store.lines_of(body))
        )
    if too_long:
        log("prompts longer than max_prompt_length", run_id=run_id, prompts=too_long)
    return Staged(prompt_tokens=total / max(count, 1), too_long=too_long)


def staged_record(record: Mapping[str, Any], run_id: str, split: str) -> dict[str, Any]:
    """The record with the keys that come back in the grader event's metadata and tell which run and split it belongs to."""
    return {**record, names.META_RUN_ID: run_id, names.META_SPLIT: split, names.META_RECORD_ID: record["id"]}


def _plan(
    run_id: str,
    *,
    request: RunRequest,
    settings: PipelineSettings,
    manifest: Mapping[str, Any],
    reward: Reward,
    staged: Staged,
    requester: str,
) -> Plan:
    environment, runs = config.environment(), config.variable(names.ENV_RUNS_BUCKET)
    dataset, version = str(manifest["dataset"]), str(manifest["version"])
    prompts = {split: int(count) for split, count in manifest["prompts"].items()}
    probes = len(safety.probes())
    hyperparameters = planning.merged(request, settings)
    volume = planning.Volume(
        train=prompts[names.SPLIT_TRAIN],
        validation=prompts[names.SPLIT_VALIDATION],
        heldout=min(prompts[names.SPLIT_HELDOUT], settings.evaluation.max_prompts),
        safety=probes,
        prompt_tokens=staged.prompt_tokens,
    )
    estimate, counted = planning.with_judges(
        planning.estimate(hyperparameters, volume, settings), hyperparameters, volume, grader=reward.grader, options=reward.options
    )
    return Plan(
        run_id=run_id,
        environment=environment,
        region=config.region(),
        job_name=names.job_name(environment, run_id),
        dataset=dataset,
        dataset_version=version,
        dataset_sha256=str(manifest["sha256"]),
        dataset_uri=store.uri(config.variable(names.ENV_DATASETS_BUCKET), names.dataset_key(dataset, version, "")),
        prompts=prompts,
        base_model=settings.training.base_model,
        reward_arn=reward.arn,
        reward_version=reward.version,
        reward_sha256=reward.sha256,
        reward_grader=reward.grader,
        reward_options=reward.options,
        reward_identity=reward.identity,
        hyperparameters=hyperparameters,
        train_uri=store.uri(runs, names.staged_key(run_id, names.SPLIT_TRAIN)),
        validation_uri=store.uri(runs, names.staged_key(run_id, names.SPLIT_VALIDATION)),
        output_uri=store.uri(runs, names.output_prefix(run_id)),
        estimate=estimate,
        needs_spend_approval=request.approve_spend or not counted or estimate.usd > settings.approval.spend_above_usd,
        needs_release_approval=request.approve_release or settings.approval.release,
        requested_by=request.requested_by,
        requester=requester,
        prepared_at=now(),
        evaluation=planning.evaluation_items(prompts[names.SPLIT_HELDOUT], probes, settings.evaluation),
    )
