"""Custom models and their on-demand deployments: the `bedrock` operations about them."""

from __future__ import annotations

import time
from typing import Any

from contracts.settings import NOVA_2_LITE

from local.bedrock.control_jobs import RFT, Place
from local.bedrock.errors import conflict, invalid, not_found
from local.bedrock.faults import Faults
from local.bedrock.jobs import STAND_IN_TAG
from local.bedrock.paging import between, page
from local.bedrock.state import Deployment, Model, State, Store, now, short_id

DEPLOY_SECONDS = 1.5
"""How long a deployment stays Creating or Updating; minutes on AWS."""


class ModelOperations:
    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults

    def get(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.read() as state:
            model = find_model(state, place, params["modelIdentifier"])
            job = state.jobs[model.job_arn]
            found = {
                "modelArn": model.arn,
                "modelName": model.name,
                "jobName": job.name,
                "jobArn": job.arn,
                "baseModelArn": model.base_model,
                "customizationType": RFT,
                "modelKmsKeyArn": job.kms_key_arn,
                "trainingDataConfig": job.request["trainingDataConfig"],
                "validationDataConfig": job.request.get("validationDataConfig"),
                "outputDataConfig": job.request["outputDataConfig"],
                "trainingMetrics": {"trainingLoss": job.training_loss},
                "validationMetrics": [{"validationLoss": loss} for loss in job.validation_losses] or None,
                "creationTime": model.created,
                "customizationConfig": job.request["customizationConfig"],
                "modelStatus": "Active",
            }
        return {key: value for key, value in found.items() if value is not None}

    def list(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        owned = params.get("isOwned", True) and params.get("modelStatus", "Active") == "Active"
        with self.store.read() as state:
            rows = [
                (model.created, model.arn, _model_summary(model))
                for model in state.models.values()
                if owned
                and _here(model, place)
                and between(model.created, params, "creationTimeAfter", "creationTimeBefore")
                and params.get("nameContains", "") in model.name
                and params.get("baseModelArnEquals", model.base_model) == model.base_model
                and params.get("foundationModelArnEquals", model.base_model) == model.base_model
            ]
        part, token = page(rows, params)
        return {"modelSummaries": part} | ({"nextToken": token} if token else {})

    def delete(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        with self.store.change() as state:
            model = find_model(state, place, params["modelIdentifier"])
            users = [d.name for d in state.deployments.values() if model.arn in (d.model_arn, d.next_model)]
            if users:
                raise conflict(f"The model {model.name} is deployed as {', '.join(users)}; delete that first.")
            del state.models[model.arn]
            state.tags.pop(model.arn, None)
        return {}

    def deploy(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        name, token = params["modelDeploymentName"], params.get("clientRequestToken")
        with self.store.change() as state:
            for known in state.deployments.values():
                if _here(known, place) and token and known.token == token:
                    if (known.name, known.model_arn) == (name, params["modelArn"]):
                        return {"customModelDeploymentArn": known.arn}
                    raise invalid(f"The client request token was used before, with different parameters, for the deployment {known.name}.")
                if _here(known, place) and known.name == name:
                    raise invalid(f"Value at 'modelDeploymentName': a deployment named {name} exists")
            model = find_model(state, place, params["modelArn"])
            deployment = self._new(place, name, params, model)
            state.deployments[deployment.arn] = deployment
            state.tags[deployment.arn] = STAND_IN_TAG | {tag["key"]: tag["value"] for tag in params.get("tags", [])}
        return {"customModelDeploymentArn": deployment.arn}

    def get_deployment(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        at = time.time()
        with self.store.read() as state:
            d = find_deployment(state, place, params["customModelDeploymentIdentifier"])
            status = d.status(at)
            found: dict[str, Any] = {
                "customModelDeploymentArn": d.arn,
                "modelDeploymentName": d.name,
                "modelArn": d.served(at),
                "createdAt": d.created,
                "status": status,
                "description": d.description,
                "failureMessage": d.failure if status == "Failed" else None,
                "lastUpdatedAt": d.modified,
            }
            if d.next_model:
                done = at >= d.update_ready_at
                found["updateDetails"] = {"modelArn": d.next_model, "updateStatus": "UpdateCompleted" if done else "Updating"}
        return {key: value for key, value in found.items() if value is not None}

    def list_deployments(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        at = time.time()
        with self.store.read() as state:
            rows = [
                (d.created, d.arn, _deployment_summary(d, at))
                for d in state.deployments.values()
                if _here(d, place)
                and between(d.created, params, "createdAfter", "createdBefore")
                and params.get("nameContains", "") in d.name
                and params.get("statusEquals", d.status(at)) == d.status(at)
                and params.get("modelArnEquals", d.served(at)) == d.served(at)
            ]
        part, token = page(rows, params)
        return {"modelDeploymentSummaries": part} | ({"nextToken": token} if token else {})

    def update_deployment(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        at = time.time()
        with self.store.change() as state:
            d = find_deployment(state, place, params["customModelDeploymentIdentifier"])
            model = find_model(state, place, params["modelArn"])
            if d.status(at) != "Active" or (d.next_model and at < d.update_ready_at):
                raise invalid(f"The deployment {d.name} must be Active, with no update under way.")
            d.model_arn, d.next_model = d.served(at), model.arn
            d.update_ready_at, d.modified = at + self._seconds(d.name), now()
            return {"customModelDeploymentArn": d.arn}

    def delete_deployment(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        at = time.time()
        with self.store.change() as state:
            d = find_deployment(state, place, params["customModelDeploymentIdentifier"])
            if d.next_model and at < d.update_ready_at:
                raise conflict(f"The deployment {d.name} is being updated.")
            del state.deployments[d.arn]
            state.tags.pop(d.arn, None)
        return {}

    def _seconds(self, name: str) -> float:
        slow = self.faults.take("slow_deployment", target=name)
        return float(slow.params["seconds"]) if slow else DEPLOY_SECONDS

    def _new(self, place: Place, name: str, params: dict[str, Any], model: Model) -> Deployment:
        at = now()
        failure = self.faults.take("deployment_failure", target=name)
        return Deployment(
            arn=f"arn:aws:bedrock:{place.region}:{place.account}:custom-model-deployment/{short_id('deployment', *place, name, at)}",
            name=name,
            account=place.account,
            region=place.region,
            model_arn=model.arn,
            created=at,
            modified=at,
            ready_at=time.time() + self._seconds(name),
            description=params.get("description"),
            token=params.get("clientRequestToken"),
            failure=failure.params["message"] if failure else None,
        )


def find_model(state: State, place: Place, identifier: str) -> Model:
    """By ARN or name.

    Raises:
        ServiceError: ResourceNotFoundException.
    """
    for model in state.models.values():
        if _here(model, place) and identifier in (model.arn, model.name):
            return model
    raise not_found(f"Could not find the custom model {identifier}.")


def find_deployment(state: State, place: Place, identifier: str) -> Deployment:
    """By ARN or name.

    Raises:
        ServiceError: ResourceNotFoundException.
    """
    for deployment in state.deployments.values():
        if _here(deployment, place) and identifier in (deployment.arn, deployment.name):
            return deployment
    raise not_found(f"Could not find the custom model deployment {identifier}.")


def _model_summary(model: Model) -> dict[str, Any]:
    return {
        "modelArn": model.arn,
        "modelName": model.name,
        "creationTime": model.created,
        "baseModelArn": model.base_model,
        "baseModelName": NOVA_2_LITE.partition(":")[0],
        "customizationType": RFT,
        "ownerAccountId": model.account,
        "modelStatus": "Active",
    }


def _deployment_summary(deployment: Deployment, at: float) -> dict[str, Any]:
    status = deployment.status(at)
    found = {
        "customModelDeploymentArn": deployment.arn,
        "customModelDeploymentName": deployment.name,
        "modelArn": deployment.served(at),
        "createdAt": deployment.created,
        "status": status,
        "lastUpdatedAt": deployment.modified,
        "failureMessage": deployment.failure if status == "Failed" else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _here(thing: Any, place: Place) -> bool:
    return (thing.account, thing.region) == place
