"""Customization jobs and tags: the `bedrock` operations about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from contracts.settings import RFT_REGIONS

from local.bedrock.errors import ServiceError, conflict, invalid, not_found
from local.bedrock.jobs import STAND_IN_TAG, Runner
from local.bedrock.paging import between, page
from local.bedrock.ports import Cloud
from local.bedrock.state import PHASES, Job, State, Store, now, short_id

RFT = "REINFORCEMENT_FINE_TUNING"
MAX_TAGS = 50


class Place(NamedTuple):
    """Where a request is made: nothing is seen across accounts or Regions."""

    account: str
    region: str


class JobOperations:
    def __init__(self, cloud: Cloud, store: Store, runner: Runner) -> None:
        self.cloud = cloud
        self.store = store
        self.runner = runner

    def create(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        request = {key: value for key, value in params.items() if key != "clientRequestToken"}
        token = params.get("clientRequestToken")
        self._check_request(request)
        self._check_role(request["roleArn"])
        base, start_model = self._base(place, request["baseModelIdentifier"])
        key_arn = self._key(place, request.get("customModelKmsKeyId"))
        with self.store.change() as state:
            known = _same_request(state, place, params, token)
            if known:
                return {"jobArn": known.arn}
            _check_names(state, place, request)
            job = _new_job(place, params, base, start_model)
            job.kms_key_arn = key_arn
            state.jobs[job.arn] = job
            state.tags[job.arn] = STAND_IN_TAG | {tag["key"]: tag["value"] for tag in request.get("jobTags", [])}
        self.runner.start(job)
        return {"jobArn": job.arn}

    def get(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.read() as state:
            found = self._find(state, place, params["jobIdentifier"])
            answer = described(found)
        old = self.runner.faults.take("old_job", target=found.name)
        if old:
            created = datetime.fromisoformat(found.created) - timedelta(hours=old.params["hours"])
            answer["creationTime"] = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return answer

    def list(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.read() as state:
            rows = [
                (job.created, job.arn, _summary(job))
                for job in state.jobs.values()
                if _here(job, place)
                and between(job.created, params, "creationTimeAfter", "creationTimeBefore")
                and params.get("statusEquals", job.status) == job.status
                and params.get("nameContains", "") in job.name
            ]
        part, token = page(rows, params)
        return {"modelCustomizationJobSummaries": part} | ({"nextToken": token} if token else {})

    def stop(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.change() as state:
            job = self._find(state, place, params["jobIdentifier"])
            if job.status != "InProgress":
                raise conflict(f"The job {job.name} is {job.status}; only a job that is InProgress can be stopped.")
            job.status, job.modified = "Stopping", now()
            for phase in job.phases.values():
                if phase["status"] == "InProgress":
                    phase.update(status="Stopping", lastModifiedTime=job.modified)
        return {}

    def list_tags(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.read() as state:
            tags = self._tags(state, place, params["resourceARN"])
            return {"tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]}

    def tag(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.change() as state:
            tags = self._tags(state, place, params["resourceARN"])
            given = {tag["key"]: tag["value"] for tag in params["tags"]}
            if len(tags | given) > MAX_TAGS + len(STAND_IN_TAG):
                raise ServiceError("TooManyTagsException", f"A resource can have at most {MAX_TAGS} tags.")
            tags.update(given)
        return {}

    def untag(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.change() as state:
            tags = self._tags(state, place, params["resourceARN"])
            for key in params["tagKeys"]:
                tags.pop(key, None)
        return {}

    def _check_request(self, request: dict[str, Any]) -> None:
        """What the service model cannot say."""
        if request.get("customizationType") != RFT:
            raise invalid(f"Value at 'customizationType': the local stand-in trains by {RFT} only; the request must say so")
        rft = request.get("customizationConfig", {}).get("rftConfig")
        if rft is None:
            raise invalid(f"Value at 'customizationConfig.rftConfig': Member must not be null for {RFT}")
        if "graderConfig" not in rft:
            raise invalid("Value at 'customizationConfig.rftConfig.graderConfig': Member must not be null")
        for name in ("maxPromptLength", "inferenceMaxTokens"):
            if rft.get("hyperParameters", {}).get(name, 1) < 1:
                raise invalid(f"Value at 'customizationConfig.rftConfig.hyperParameters.{name}': Member must be at least 1")
        if request.get("hyperParameters"):
            raise invalid(
                f"Value at 'hyperParameters': {RFT} takes its hyperparameters under customizationConfig.rftConfig.hyperParameters"
            )
        if "s3Uri" not in request["trainingDataConfig"]:
            raise invalid("Value at 'trainingDataConfig.s3Uri': Member must not be null; the local stand-in reads no invocation logs")
        for name in ("jobTags", "customModelTags"):
            if len(request.get(name, [])) > MAX_TAGS:
                raise ServiceError("TooManyTagsException", f"Value at '{name}': a resource can have at most {MAX_TAGS} tags.")

    def _check_role(self, role: str) -> None:
        if not self.cloud.caller_may("iam:PassRole", role, {"iam:PassedToService": "bedrock.amazonaws.com"}):
            raise ServiceError("AccessDeniedException", f"The caller is not authorized to perform iam:PassRole on resource {role}.")

    def _base(self, place: Place, identifier: str) -> tuple[str, str | None]:
        """ARN of the foundation model, and of the custom model to train further when one was named."""
        if ":custom-model/" in identifier:
            with self.store.read() as state:
                model = state.models.get(identifier)
            if model is None or not _here(model, place):
                raise not_found(f"Could not find the custom model {identifier}.")
            return model.base_model, model.arn
        name = identifier.rpartition("foundation-model/")[2]
        regions = RFT_REGIONS.get(name)
        if regions is None:
            allowed = ", ".join(RFT_REGIONS)
            raise invalid(f"Value at 'baseModelIdentifier': {name} cannot be customized by {RFT}; allowed is one of {allowed}")
        if place.region not in regions:
            raise invalid(f"Value at 'baseModelIdentifier': {name} is customized in {', '.join(regions)} only, not in {place.region}")
        arn = f"arn:aws:bedrock:{place.region}::foundation-model/{name}"
        if identifier not in (name, arn):
            raise invalid(f"Value at 'baseModelIdentifier': allowed in this Region is {name} or {arn}")
        return arn, None

    def _key(self, place: Place, identifier: str | None) -> str | None:
        if identifier is None:
            return None
        try:
            kms = self.cloud.client("kms", account=place.account, region=place.region)
            key = kms.describe_key(KeyId=identifier)["KeyMetadata"]
        except (ClientError, BotoCoreError):
            raise invalid(f"Value at 'customModelKmsKeyId': the key {identifier} does not exist or cannot be used") from None
        if key.get("KeyState", "Enabled") != "Enabled" or key.get("KeyUsage", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
            raise invalid(f"Value at 'customModelKmsKeyId': the key {identifier} must be enabled and for encryption")
        return str(key["Arn"])

    def _find(self, state: State, place: Place, identifier: str) -> Job:
        for job in state.jobs.values():
            if _here(job, place) and identifier in (job.arn, job.name):
                return job
        raise not_found(f"Could not find the model customization job {identifier}.")

    def _tags(self, state: State, place: Place, arn: str) -> dict[str, str]:
        parts = arn.split(":", 5)
        if arn not in state.tags or (parts[3], parts[4]) != (place.region, place.account):
            raise not_found(f"Could not find the resource {arn}.")
        return state.tags[arn]


def described(job: Job) -> dict[str, Any]:
    """The answer of GetModelCustomizationJob."""
    request = job.request
    found = {
        "jobArn": job.arn,
        "jobName": job.name,
        "outputModelName": request["customModelName"],
        "outputModelArn": job.model_arn,
        "clientRequestToken": request.get("clientRequestToken"),
        "roleArn": request["roleArn"],
        "status": job.status,
        "statusDetails": job.phases,
        "failureMessage": job.failure,
        "creationTime": job.created,
        "lastModifiedTime": job.modified,
        "endTime": job.ended,
        "baseModelArn": job.base_model,
        "trainingDataConfig": request["trainingDataConfig"],
        "validationDataConfig": request.get("validationDataConfig", {"validators": []}),
        "outputDataConfig": request["outputDataConfig"],
        "customizationType": RFT,
        "customizationConfig": request["customizationConfig"],
        "outputModelKmsKeyArn": job.kms_key_arn,
        "vpcConfig": request.get("vpcConfig"),
        "trainingMetrics": {"trainingLoss": job.training_loss} if job.training_loss is not None else None,
        "validationMetrics": [{"validationLoss": loss} for loss in job.validation_losses] or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _summary(job: Job) -> dict[str, Any]:
    found = {
        "jobArn": job.arn,
        "baseModelArn": job.base_model,
        "jobName": job.name,
        "status": job.status,
        "statusDetails": job.phases,
        "lastModifiedTime": job.modified,
        "creationTime": job.created,
        "endTime": job.ended,
        "customModelArn": job.model_arn,
        "customModelName": job.request["customModelName"],
        "customizationType": RFT,
    }
    return {key: value for key, value in found.items() if value is not None}


def _new_job(place: Place, params: dict[str, Any], base: str, start_model: str | None) -> Job:
    at = now()
    identity = short_id(place.account, place.region, "job", params["jobName"])
    return Job(
        arn=f"arn:aws:bedrock:{place.region}:{place.account}:model-customization-job/{base.partition('/')[2]}/{identity}",
        name=params["jobName"],
        account=place.account,
        region=place.region,
        request=params,
        base_model=base,
        start_model=start_model,
        phases={name: {"status": "NotStarted", "creationTime": at, "lastModifiedTime": at} for name in PHASES},
        created=at,
        modified=at,
    )


def _same_request(state: State, place: Place, params: dict[str, Any], token: str | None) -> Job | None:
    """The job that the same token already made.

    Raises:
        ServiceError: ConflictException when the token came with another request.
    """
    for job in state.jobs.values():
        if token and _here(job, place) and job.request.get("clientRequestToken") == token:
            if job.request == params:
                return job
            raise conflict(f"The client request token was used before, with different parameters, for the job {job.name}.")
    return None


def _check_names(state: State, place: Place, request: dict[str, Any]) -> None:
    if any(_here(job, place) and job.name == request["jobName"] for job in state.jobs.values()):
        raise conflict(f"A model customization job named {request['jobName']} exists.")
    model = request["customModelName"]
    taken = any(_here(known, place) and known.name == model for known in state.models.values())
    coming = any(_here(job, place) and job.running and job.request["customModelName"] == model for job in state.jobs.values())
    if taken or coming:
        raise conflict(f"A custom model named {model} exists or is being made.")


def _here(thing: Any, place: Place) -> bool:
    return (thing.account, thing.region) == place
